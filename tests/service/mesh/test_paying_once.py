"""However often and from however many places an invoice is paid, its customer is charged once."""

import asyncio
import uuid
from typing import Any

import httpx
import pytest

from tests.support.armed_stack import ArmedStack
from tests.support.books import provider_charges
from tests.support.shop import Shop

pytestmark = pytest.mark.xdist_group("mesh")


async def charges(mesh: ArmedStack, shop: Shop) -> list[dict[str, Any]]:
    """The shop's charges at the provider."""
    return await provider_charges(mesh.environment, shop.http, [shop.organization_id])


async def test_fifty_requests_at_once_with_one_key_make_one_payment(mesh: ArmedStack, shop: Shop) -> None:
    key = uuid.uuid4().hex
    answers = await asyncio.gather(*(shop.request(shop.invoices[0], key=key) for _ in range(50)))
    assert {answer.status_code for answer in answers} <= {200, 409}
    paid = [answer.json() for answer in answers if answer.status_code == 200]
    refused = {answer.json()["code"] for answer in answers if answer.status_code == 409}
    assert refused <= {"idempotency_key_in_progress"}
    (payment,) = await shop.payments()
    assert payment["status"] == "succeeded"
    assert {one["payment_id"] for one in paid} == {payment["payment_id"]}
    assert len(await charges(mesh, shop)) == 1


async def test_of_two_tabs_one_pays_and_the_other_is_told(mesh: ArmedStack, shop: Shop) -> None:
    invoice_id = shop.invoices[0]
    answers = await asyncio.gather(*(shop.request(invoice_id, key=uuid.uuid4().hex) for _ in range(2)))
    assert sorted(answer.status_code for answer in answers) == [200, 409]
    told = next(answer.json() for answer in answers if answer.status_code == 409)
    assert told["code"] in {"invoice_being_paid", "invoice_already_paid"}
    assert len(await charges(mesh, shop)) == 1


async def test_a_second_card_page_closes_the_first(mesh: ArmedStack, shop: Shop) -> None:
    invoice_id = shop.invoices[0]
    first, second = [
        (await shop.request(invoice_id, key=uuid.uuid4().hex, token=None)).json() for _ in range(2)
    ]
    assert (first["status"], second["status"]) == ("requires_action", "requires_action")
    assert (await shop.payment(first["payment_id"]))["status"] == "canceled"
    await shop.type_card(first["redirect_url"])
    assert await charges(mesh, shop) == []
    await shop.type_card(second["redirect_url"])
    await shop.until_status(second["payment_id"], "succeeded")
    assert [one["metadata"]["payment_id"] for one in await charges(mesh, shop)] == [second["payment_id"]]


async def test_a_card_page_that_was_paid_in_silence_is_found_when_somebody_pays_again(
    mesh: ArmedStack, shop: Shop
) -> None:
    invoice_id = shop.invoices[0]
    await shop.fault("no_webhooks")
    first = (await shop.request(invoice_id, key=uuid.uuid4().hex, token=None)).json()
    await shop.type_card(first["redirect_url"])
    again: httpx.Response = await shop.request(invoice_id, key=uuid.uuid4().hex)
    assert again.status_code == 409
    assert again.json()["code"] == "invoice_already_paid"
    assert (await shop.payment(first["payment_id"]))["status"] == "succeeded"
    assert len(await charges(mesh, shop)) == 1

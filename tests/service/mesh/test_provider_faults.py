"""The provider hangs, fails, breaks off, repeats itself: what it charged is found out, and counted once."""

import asyncio
import uuid

import pytest

from tests.support.armed_stack import provider_events
from tests.support.shop import Shop
from tests.support.wait import until

pytestmark = pytest.mark.xdist_group("mesh")


@pytest.mark.parametrize(
    "fault", [("hang_after_charging", 6.0), ("error_500_after_charging", 0.0), ("truncated_body", 0.0)]
)
async def test_a_charge_without_an_answer_is_unknown_and_then_succeeds_by_itself(
    shop: Shop, fault: tuple[str, float]
) -> None:
    name, seconds = fault
    await shop.fault("no_webhooks")  # only asking again can tell
    await shop.fault(name, seconds=seconds)
    key = uuid.uuid4().hex
    answer = await shop.request(shop.invoices[0], key=key)
    assert answer.status_code == 200
    payment = answer.json()
    assert payment["status"] == "unknown"
    again = await shop.request(shop.invoices[0], key=uuid.uuid4().hex)
    assert (again.status_code, again.json()["code"]) == (409, "invoice_being_paid")
    await shop.until_status(payment["payment_id"], "succeeded")
    repeated = await shop.request(shop.invoices[0], key=key)
    assert (repeated.json()["payment_id"], repeated.json()["status"]) == (payment["payment_id"], "succeeded")


async def test_repeated_and_reordered_webhooks_change_nothing(shop: Shop) -> None:
    await shop.fault("duplicate_webhooks", times=3)
    await shop.fault("reorder_webhooks", times=3)
    pages = [(await shop.request(one, key=uuid.uuid4().hex, token=None)).json() for one in shop.invoices[:3]]
    for page in pages:
        await shop.type_card(page["redirect_url"])
    await asyncio.gather(*(shop.until_status(page["payment_id"], "succeeded") for page in pages))
    await until(lambda: _delivered(shop, 3), timeout_seconds=20)
    numbers = {(await shop.payment(page["payment_id"]))["receipt_number"] for page in pages}
    assert numbers == {"R-000001", "R-000002", "R-000003"}


async def test_a_webhook_that_overtakes_the_answer_makes_one_receipt(shop: Shop) -> None:
    await shop.fault("webhook_before_return")
    payment = await shop.pay(shop.invoices[0])
    assert (payment["status"], payment["receipt_number"]) == ("succeeded", "R-000001")


async def test_a_declined_card_charges_nothing_and_leaves_the_invoice_payable(shop: Shop) -> None:
    answer = await shop.request(shop.invoices[0], key=uuid.uuid4().hex, token="tok_insufficient_funds")
    payment = answer.json()
    assert (payment["status"], payment["failure_code"]) == ("failed", "insufficient_funds")
    assert (await shop.pay(shop.invoices[0]))["status"] == "succeeded"


async def _delivered(shop: Shop, count: int) -> bool:
    """Whether the provider was rid of so many of the shop's events."""
    events = provider_events(shop.stack.environment, shop.organization_id)
    return len(events) == count and all(state == "delivered" for state in events)

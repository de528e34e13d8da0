"""Webhooks are hints: true ones bring the provider's word in early, false ones bring nothing."""

import asyncio
import itertools
import time
from typing import Any

import pytest

from chassis.errors import Kind, ServiceError
from tallyport.payments.v1 import payments_pb2
from tests.service.payments.till import Till, signed
from tests.support.wait import until

SUCCEEDED = payments_pb2.PAYMENT_STATUS_SUCCEEDED


def about(till: Till, payment_id: str, attempt_id: str, type_: str = "checkout.completed") -> dict[str, Any]:
    metadata = {
        "organization_id": till.organization_id,
        "payment_id": payment_id,
        "attempt_id": attempt_id,
    }
    return {"type": type_, "timestamp": "2026-11-21T00:00:00Z", "data": {"metadata": metadata}}


async def test_a_webhook_tells_of_a_payment_on_the_hosted_page(till: Till) -> None:
    till.invoices.add("inv_1", 5_000)
    waiting = await till.pay({"inv_1": 5_000}, token=None)
    assert waiting.redirect_url
    await till.bank.type_card(waiting.redirect_url)

    async def paid() -> bool:
        return (await till.get(waiting.payment_id)).status == SUCCEEDED

    await until(paid)
    await till.check_charged_once(waiting.payment_id)


async def test_duplicate_and_permuted_webhooks_change_nothing(till: Till) -> None:
    till.invoices.add("inv_1", 5_000)
    await till.bank.fault("no_webhooks", till.organization_id)
    waiting = await till.pay({"inv_1": 5_000}, token=None)
    await till.bank.type_card(waiting.redirect_url)
    attempt_id = await till.attempt_id(waiting.payment_id)
    kinds = ("checkout.completed", "checkout.failed", "checkout.canceled", "charge.succeeded")
    hooks = [
        signed(about(till, waiting.payment_id, attempt_id, kind), event_id=f"evt_{number}_{kind}")
        for number, order in enumerate(itertools.permutations(kinds))
        for kind in order
    ]
    await asyncio.gather(*(till.hook(*hook) for hook in hooks[:24] * 2))
    answers = [await till.hook(*hook) for hook in hooks[:24]]
    assert all(answer.duplicate for answer in answers)
    assert (await till.get(waiting.payment_id)).status == SUCCEEDED
    await till.check_charged_once(waiting.payment_id)
    rows = await till.rows("SELECT count(*) AS n FROM provider_events WHERE processed_at IS NOT NULL")
    assert rows[0].n == 24


async def test_the_provider_s_own_duplicates_change_nothing(till: Till) -> None:
    till.invoices.add("inv_1", 5_000)
    await till.bank.fault("duplicate_webhooks", till.organization_id)
    waiting = await till.pay({"inv_1": 5_000}, token=None)
    await till.bank.type_card(waiting.redirect_url)
    mine = waiting.payment_id.encode()
    await until(lambda: len([body for _, body in till.gate.seen if mine in body]) >= 3)

    async def processed() -> bool:
        rows = await till.rows("SELECT count(*) AS n FROM provider_events WHERE processed_at IS NOT NULL")
        return bool(rows[0].n == 1)

    await until(processed)
    await till.check_charged_once(waiting.payment_id)


async def test_a_webhook_before_our_own_commit_makes_one_receipt(till: Till) -> None:
    till.invoices.add("inv_1", 5_000)
    await till.bank.fault("webhook_before_return", till.organization_id, match={"operation": "create_charge"})
    paid = await till.pay({"inv_1": 5_000})
    assert paid.status == SUCCEEDED
    assert any(paid.payment_id.encode() in body for _, body in till.gate.seen)
    shown = await till.get(paid.payment_id)
    assert shown.parts[0].invoice_number == "INV-0001"
    await till.check_charged_once(paid.payment_id)


async def test_a_webhook_is_believed_only_after_asking_the_provider(till: Till) -> None:
    till.invoices.add("inv_1", 5_000)
    waiting = await till.pay({"inv_1": 5_000}, token=None)
    attempt_id = await till.attempt_id(waiting.payment_id)
    await till.hook(*signed(about(till, waiting.payment_id, attempt_id), event_id="evt_1"))
    assert (await till.get(waiting.payment_id)).status == payments_pb2.PAYMENT_STATUS_REQUIRES_ACTION


@pytest.mark.parametrize("damage", ["key", "body", "id", "time", "old", "future", "none", "version"])
async def test_forged_and_old_webhooks_are_refused(till: Till, damage: str) -> None:
    body = about(till, "pay_1", "att_1")
    at = {"old": time.time() - 400, "future": time.time() + 400}.get(damage)
    key = b"another key" if damage == "key" else None
    headers, content = signed(body, event_id="evt_1", at=at, **({"key": key} if key else {}))
    if damage == "body":
        content = content.replace(b"pay_1", b"pay_2")
    elif damage == "id":
        headers["webhook-id"] = "evt_2"
    elif damage == "time":
        headers["webhook-timestamp"] = str(int(time.time()) - 1)
    elif damage == "none":
        headers = {}
    elif damage == "version":
        headers["webhook-signature"] = headers["webhook-signature"].replace("v1,", "v2,")
    with pytest.raises(ServiceError) as refused:
        await till.hook(headers, content)
    too_old = damage in ("old", "future")
    assert refused.value.kind is (Kind.INVALID_ARGUMENT if too_old else Kind.UNAUTHENTICATED)
    assert refused.value.reason == ("WEBHOOK_TOO_OLD" if too_old else "WEBHOOK_SIGNATURE_INVALID")


async def test_both_secrets_are_accepted_while_one_replaces_the_other() -> None:
    import base64
    from datetime import UTC, datetime

    from services.payments.providers.simulator import Simulator

    old, new = b"old key of 24 bytes.....", b"new key of 24 bytes....."
    secrets = tuple("whsec_" + base64.b64encode(key).decode() for key in (new, old))
    provider = Simulator("http://127.0.0.1:1", "secret", secrets)
    body = {"type": "charge.succeeded", "data": {"metadata": {"attempt_id": "att_1"}}}
    for key in (old, new):
        headers, content = signed(body, event_id="evt_1", key=key)
        event = provider.verify_webhook(headers, content, now=datetime.now(UTC))
        assert event.attempt_id == "att_1"


async def test_events_about_nobody_are_kept_and_do_nothing(till: Till) -> None:
    till.invoices.add("inv_1", 5_000)
    waiting = await till.pay({"inv_1": 5_000}, token=None)
    attempt_id = await till.attempt_id(waiting.payment_id)
    foreign = about(till, waiting.payment_id, attempt_id)
    foreign["data"]["metadata"]["organization_id"] = "org_of_somebody_else"
    assert not (await till.hook(*signed(foreign, event_id="evt_1"))).duplicate
    assert (await till.hook(*signed(foreign, event_id="evt_1"))).duplicate
    assert await till.rows("SELECT 1 FROM provider_events") == []


async def test_a_provider_that_does_not_exist_is_not_found(till: Till) -> None:
    request = payments_pb2.ReceiveWebhookRequest(provider="stripe", headers={}, body=b"{}")
    with pytest.raises(ServiceError) as unknown:
        await till.provider_events.ReceiveWebhook(request)
    assert unknown.value.kind is Kind.NOT_FOUND


async def test_an_event_that_could_not_be_looked_up_is_asked_about_soon(till: Till) -> None:
    till.invoices.add("inv_1", 5_000)
    await till.bank.fault("no_webhooks", till.organization_id)
    waiting = await till.pay({"inv_1": 5_000}, token=None)
    await till.bank.type_card(waiting.redirect_url)
    attempt_id = await till.attempt_id(waiting.payment_id)
    await till.bank.http.post(
        "/faults", json={"fault": "error_500", "match": {"operation": "read", "attempt_id": attempt_id}}
    )
    hook = signed(about(till, waiting.payment_id, attempt_id), event_id="evt_1")
    await till.hook(*hook)
    assert (await till.get(waiting.payment_id)).status == payments_pb2.PAYMENT_STATUS_REQUIRES_ACTION
    await till.reconcile(after_seconds=0)
    assert (await till.get(waiting.payment_id)).status == SUCCEEDED
    assert not (await till.hook(*hook)).duplicate
    assert (await till.hook(*hook)).duplicate
    await till.check_charged_once(waiting.payment_id)

"""A provider on its bad days: nothing is charged twice, nothing is called failed that may have been charged."""

from typing import Any

import pytest

from tallyport.payments.v1 import payments_pb2
from tests.service.payments.till import Till

SUCCEEDED = payments_pb2.PAYMENT_STATUS_SUCCEEDED
UNKNOWN = payments_pb2.PAYMENT_STATUS_UNKNOWN
WAITING = payments_pb2.PAYMENT_STATUS_REQUIRES_ACTION

CHARGED_WITHOUT_ANSWER: list[tuple[str, dict[str, Any]]] = [
    ("hang_after_charging", {"seconds": 30}),
    ("error_500_after_charging", {}),
    ("truncated_body", {"match": {"operation": "create_charge"}}),
]


@pytest.mark.parametrize(("fault", "settings"), CHARGED_WITHOUT_ANSWER)
async def test_a_charge_without_an_answer_is_being_checked_and_settles_by_itself(
    till: Till, fault: str, settings: dict[str, Any]
) -> None:
    till.invoices.add("inv_1", 5_000)
    await till.bank.fault("no_webhooks", till.organization_id)
    await till.bank.fault(fault, till.organization_id, **settings)
    unclear = await till.pay({"inv_1": 5_000}, key="k1")
    assert unclear.status == UNKNOWN
    assert till.invoices.holders("inv_1") == [unclear.payment_id]
    await till.reconcile()
    assert (await till.get(unclear.payment_id)).status == SUCCEEDED
    assert (await till.pay({"inv_1": 5_000}, key="k1")).payment_id == unclear.payment_id
    await till.check_charged_once(unclear.payment_id)


async def test_a_webhook_settles_what_had_no_answer(till: Till) -> None:
    till.invoices.add("inv_1", 5_000)
    await till.bank.fault("error_500_after_charging", till.organization_id)
    unclear = await till.pay({"inv_1": 5_000})

    async def settled() -> bool:
        return (await till.get(unclear.payment_id)).status == SUCCEEDED

    from tests.support.wait import until

    await until(settled)
    await till.check_charged_once(unclear.payment_id)


async def test_a_request_that_the_provider_never_carried_out_is_sent_again_with_its_key(till: Till) -> None:
    till.invoices.add("inv_1", 5_000)
    await till.bank.fault("error_500", till.organization_id)
    unclear = await till.pay({"inv_1": 5_000})
    assert unclear.status == UNKNOWN
    assert await till.bank.charges(unclear.payment_id) == []
    await till.reconcile()
    assert (await till.get(unclear.payment_id)).status == SUCCEEDED
    await till.check_charged_once(unclear.payment_id)


async def test_a_lost_checkout_is_found_again(till: Till) -> None:
    till.invoices.add("inv_1", 5_000)
    await till.bank.fault("truncated_body", till.organization_id)
    unclear = await till.pay({"inv_1": 5_000}, token=None)
    assert unclear.status == UNKNOWN
    found = await till.refresh(unclear.payment_id)
    assert found.status == WAITING
    await till.bank.type_card(found.redirect_url)
    assert (await till.refresh(unclear.payment_id)).status == SUCCEEDED
    await till.check_charged_once(unclear.payment_id)


async def test_a_slow_provider_is_waited_for(till: Till) -> None:
    till.invoices.add("inv_1", 5_000)
    await till.bank.fault("slow", till.organization_id, seconds=0.5)
    assert (await till.pay({"inv_1": 5_000})).status == SUCCEEDED


async def test_a_declining_provider_leaves_the_invoice_payable(till: Till) -> None:
    till.invoices.add("inv_1", 5_000)
    await till.bank.fault("decline", till.organization_id)
    declined = await till.pay({"inv_1": 5_000})
    assert declined.failure_code == "card_declined"
    assert (await till.pay({"inv_1": 5_000})).status == SUCCEEDED
    await till.check_books()


async def test_a_provider_that_cannot_be_reached_charges_nothing(till: Till) -> None:
    from dataclasses import replace

    from services.payments.domain.wish import Wish
    from services.payments.operations.create_payment import create_payment
    from services.payments.providers.simulator import Simulator
    from tests.service.payments.calls import as_customer
    from tests.support.programs import free_address

    till.invoices.add("inv_1", 5_000)
    away = replace(till.desk, provider=Simulator(f"http://{free_address()}", "secret", ()))
    with as_customer(till.organization_id, key="k1"):
        payment = await create_payment(away, Wish(parts=till.parts({"inv_1": 5_000}), card_token="tok_visa"))
    assert payment.failure_code == "provider_unavailable"
    assert till.invoices.holders("inv_1") == []
    assert (await till.pay({"inv_1": 5_000})).status == SUCCEEDED


async def test_another_sum_than_asked_for_is_looked_into_and_never_a_success(till: Till) -> None:
    till.invoices.add("inv_1", 5_000)
    waiting = await till.pay({"inv_1": 5_000}, token=None)
    await till.execute(
        "UPDATE payments SET amount_minor_units = 4000 WHERE payment_id = :p", p=waiting.payment_id
    )
    await till.bank.type_card(waiting.redirect_url)
    assert (await till.refresh(waiting.payment_id)).status == UNKNOWN
    await till.reconcile(after_seconds=4000)
    assert (await till.get(waiting.payment_id)).status == UNKNOWN
    rows = await till.rows("SELECT state, review_reason FROM payment_attempts")
    assert (rows[0].state, rows[0].review_reason) == (
        "review",
        "provider reports 50.00 USD, asked for 40.00 USD",
    )
    assert await till.events(waiting.payment_id) == []


async def test_silence_of_the_provider_is_asked_about_again_later(till: Till) -> None:
    till.invoices.add("inv_1", 5_000)
    await till.bank.fault("no_webhooks", till.organization_id)
    await till.bank.fault("error_500_after_charging", till.organization_id)
    unclear = await till.pay({"inv_1": 5_000})
    attempt_id = await till.attempt_id(unclear.payment_id)
    match = {"operation": "read", "attempt_id": attempt_id}
    answer = await till.bank.http.post("/faults", json={"fault": "error_500", "match": match})
    assert answer.status_code == 201
    await till.reconcile()
    assert (await till.get(unclear.payment_id)).status == UNKNOWN
    await till.reconcile(after_seconds=11)
    assert (await till.get(unclear.payment_id)).status == UNKNOWN, "the second question waits a minute"
    await till.reconcile(after_seconds=60)
    assert (await till.get(unclear.payment_id)).status == SUCCEEDED
    await till.check_charged_once(unclear.payment_id)

"""A payment for a later day: begun on that day with what is still due, cancelled until then."""

import pytest

from chassis.errors import ServiceError
from services.payments.operations.start_payment import start_waiting_payment
from tallyport.payments.v1 import payments_pb2
from tests.service.payments.paying.counter import (
    CANCELED,
    FAILED,
    SCHEDULED,
    SUCCEEDED,
    create,
    in_days,
    let_days_pass,
    saved_card,
    usd,
)
from tests.service.payments.till import RETURN_URL, Till


async def kept_card(till: Till) -> str:
    """A card that the provider itself keeps."""
    hosted = payments_pb2.HostedPage(return_url=RETURN_URL, save=True)
    first = await create(till, {}, token="", hosted_page=hosted, prepayment=usd(100))
    await till.bank.type_card(first.redirect_url)
    return (await till.refresh(first.payment_id)).saved_payment_method_id


async def schedule(
    till: Till, parts: dict[str, int], method_id: str, days: int = 3, **more: object
) -> payments_pb2.Payment:
    saved = payments_pb2.SavedMethod(payment_method_id=method_id)
    return await create(till, parts, token="", saved_method=saved, scheduled_for=in_days(till, days), **more)


async def test_it_waits_for_its_day_and_then_pays(till: Till) -> None:
    till.invoices.add("inv_1", 2_000)
    till.invoices.credit["cus_1"] = 300
    method_id = await kept_card(till)
    waiting = await schedule(till, {"inv_1": 2_000}, method_id, credit=usd(300))
    assert (waiting.status, waiting.scheduled_for) == (SCHEDULED, in_days(till, 3))
    assert waiting.method_summary == "Visa 4242"
    assert till.invoices.holders("inv_1") == []
    await let_days_pass(till, 2)
    assert (await till.get(waiting.payment_id)).status == SCHEDULED
    assert (await till.refresh(waiting.payment_id)).status == SCHEDULED
    await let_days_pass(till, 1)
    paid = await till.get(waiting.payment_id)
    assert (paid.status, paid.amount.minor_units, paid.credit_used.minor_units) == (SUCCEEDED, 1_700, 300)
    await till.check_charged_once(paid.payment_id)


async def test_it_pays_what_is_still_due(till: Till) -> None:
    till.invoices.add("inv_1", 2_000)
    till.invoices.add("inv_2", 1_000)
    waiting = await schedule(till, {"inv_1": 2_000, "inv_2": 1_000}, await kept_card(till))
    for invoice_id, paid in (("inv_1", 500), ("inv_2", 1_000)):
        till.invoices.by_id[invoice_id].paid, till.invoices.by_id[invoice_id].version = paid, 2
    await let_days_pass(till, 3)
    paid_now = await till.get(waiting.payment_id)
    assert (paid_now.status, paid_now.amount.minor_units) == (SUCCEEDED, 1_500)
    assert [(part.invoice_id, part.amount.minor_units) for part in paid_now.parts] == [("inv_1", 1_500)]
    await till.check_books()


async def test_it_is_canceled_when_nothing_is_due_any_more(till: Till) -> None:
    till.invoices.add("inv_1", 2_000)
    waiting = await schedule(till, {"inv_1": 2_000}, await kept_card(till))
    till.invoices.by_id["inv_1"].paid = 2_000
    await let_days_pass(till, 3)
    ended = await till.get(waiting.payment_id)
    assert (ended.status, ended.failure_code) == (CANCELED, "nothing_due")
    assert await till.events(waiting.payment_id) == ["PaymentCanceled"]
    await till.check_books()


async def test_it_waits_while_another_payment_is_on_its_way(till: Till) -> None:
    till.invoices.add("inv_1", 2_000)
    waiting = await schedule(till, {"inv_1": 2_000}, await kept_card(till))
    till.clock.advance(days=3)
    other = await till.pay({"inv_1": 2_000}, token=None)
    await let_days_pass(till, 0)
    assert (await till.get(waiting.payment_id)).status == SCHEDULED
    await till.cancel(other.payment_id)
    till.clock.advance(hours=2)
    await let_days_pass(till, 0)
    assert (await till.get(waiting.payment_id)).status == SUCCEEDED
    await till.check_books()


async def test_it_can_be_canceled_until_its_day(till: Till) -> None:
    till.invoices.add("inv_1", 2_000)
    waiting = await schedule(till, {"inv_1": 2_000}, await kept_card(till))
    assert (await till.cancel(waiting.payment_id)).status == CANCELED
    await let_days_pass(till, 4)
    assert (await till.get(waiting.payment_id)).status == CANCELED
    assert await till.bank.charges(waiting.payment_id) == []
    await till.check_books()


async def test_a_method_that_is_gone_by_then_fails_without_a_charge(till: Till) -> None:
    till.invoices.add("inv_1", 2_000)
    method_id = await saved_card(till)
    waiting = await schedule(till, {"inv_1": 2_000}, method_id)
    await till.execute("UPDATE payment_methods SET state = 'revoked', is_default = false")
    await let_days_pass(till, 3)
    ended = await till.get(waiting.payment_id)
    assert (ended.status, ended.failure_code) == (FAILED, "payment_method_not_usable")
    assert till.invoices.holders("inv_1") == []
    await till.check_books()


async def test_it_is_tried_again_while_invoicing_is_away(till: Till) -> None:
    till.invoices.add("inv_1", 2_000)
    waiting = await schedule(till, {"inv_1": 2_000}, await kept_card(till))
    till.invoices.away = True
    await let_days_pass(till, 3)
    assert (await till.get(waiting.payment_id)).status == SCHEDULED
    till.invoices.away = False
    till.clock.advance(minutes=11)
    await let_days_pass(till, 0)
    assert (await till.get(waiting.payment_id)).status == SUCCEEDED


async def test_beginning_it_twice_charges_once(till: Till) -> None:
    till.invoices.add("inv_1", 2_000)
    waiting = await schedule(till, {"inv_1": 2_000}, await kept_card(till))
    early = await start_waiting_payment(till.desk, waiting.payment_id, till.organization_id)
    assert early.payment.status.value == "scheduled"
    await let_days_pass(till, 3)
    again = await start_waiting_payment(till.desk, waiting.payment_id, till.organization_id)
    assert again.payment.status.value == "succeeded"
    await till.check_charged_once(waiting.payment_id)


async def test_a_repeated_key_finds_the_waiting_payment(till: Till) -> None:
    till.invoices.add("inv_1", 2_000)
    saved = payments_pb2.SavedMethod(payment_method_id=await saved_card(till))
    answers = [
        await create(
            till, {"inv_1": 2_000}, till.as_customer(key="k1"), token="", saved_method=saved,
            scheduled_for=in_days(till, 3),
        )
        for _ in range(2)
    ]  # fmt: skip
    assert answers[0] == answers[1]


@pytest.mark.parametrize("days", [-1, 400])
async def test_a_day_out_of_reach_is_refused(till: Till, days: int) -> None:
    till.invoices.add("inv_1", 2_000)
    with pytest.raises(ServiceError) as refused:
        await schedule(till, {"inv_1": 2_000}, await saved_card(till), days=days)
    assert refused.value.fields[0].field == "scheduled_for"

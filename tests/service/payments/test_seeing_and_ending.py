"""Reading, listing, giving up and superseding payments."""

import uuid
from typing import Any

import pytest

from chassis.errors import Kind, ServiceError
from tallyport.payments.v1 import payments_pb2
from tests.service.payments.till import Till

SUCCEEDED = payments_pb2.PAYMENT_STATUS_SUCCEEDED
CANCELED = payments_pb2.PAYMENT_STATUS_CANCELED
WAITING = payments_pb2.PAYMENT_STATUS_REQUIRES_ACTION


async def test_another_customer_s_payment_does_not_exist(till: Till) -> None:
    till.invoices.add("inv_1", 5_000)
    payment = await till.pay({"inv_1": 5_000})
    other = till.as_customer("cus_2")
    elsewhere = till.as_customer(organization_id="org_elsewhere")
    wanted = {"payment_id": payment.payment_id}
    calls: list[tuple[Any, Any]] = [
        (till.payments.GetPayment, payments_pb2.GetPaymentRequest(**wanted)),
        (till.payments.RefreshPayment, payments_pb2.RefreshPaymentRequest(**wanted)),
        (till.payments.CancelPayment, payments_pb2.CancelPaymentRequest(**wanted)),
        (till.payments.GetReceiptPdf, payments_pb2.GetReceiptPdfRequest(**wanted)),
    ]
    for method, request in calls:
        told = []
        for metadata in (other, elsewhere):
            with pytest.raises(ServiceError) as foreign:
                await method(request, metadata=metadata)
            told.append((foreign.value.kind, foreign.value.reason, foreign.value.message))
        nothing = type(request)(payment_id="pay_01k0000000000000000000000a")
        with pytest.raises(ServiceError) as missing:
            await method(nothing, metadata=till.as_customer())
        assert set(told) == {(missing.value.kind, missing.value.reason, missing.value.message)}
        assert missing.value.kind is Kind.NOT_FOUND


async def test_pages_are_whole_and_in_order(till: Till) -> None:
    for number in range(7):
        till.invoices.add(f"inv_{number}", 100)
        await till.pay({f"inv_{number}": 100})
    till.invoices.add("inv_x", 100, customer_id="cus_2")
    await till.pay({"inv_x": 100}, customer_id="cus_2")
    seen: list[str] = []
    token = ""
    while True:
        request = payments_pb2.ListPaymentsRequest(page_size=3, page_token=token)
        page = await till.payments.ListPayments(request, metadata=till.as_customer())
        seen += [payment.payment_id for payment in page.payments]
        token = page.next_page_token
        if not token:
            break
    assert len(seen) == 7
    assert seen == sorted(seen, reverse=True)
    assert len(await till.page()) == 8
    assert len(await till.page(customer_id="cus_2")) == 1
    assert await till.page(status=payments_pb2.PAYMENT_STATUS_FAILED) == []
    with pytest.raises(ServiceError):
        await till.payments.ListPayments(
            payments_pb2.ListPaymentsRequest(page_token="nonsense"), metadata=till.as_customer()
        )
    with pytest.raises(ServiceError) as foreign:
        await till.payments.ListPayments(
            payments_pb2.ListPaymentsRequest(customer_id="cus_2"), metadata=till.as_customer()
        )
    assert foreign.value.kind is Kind.NOT_FOUND


async def test_giving_up_a_page_frees_the_invoice(till: Till) -> None:
    till.invoices.add("inv_1", 5_000)
    waiting = await till.pay({"inv_1": 5_000}, token=None)
    canceled = await till.cancel(waiting.payment_id)
    assert (canceled.status, canceled.redirect_url) == (CANCELED, "")
    assert till.invoices.holders("inv_1") == []
    assert (await till.cancel(waiting.payment_id)).status == CANCELED
    await till.bank.type_card(waiting.redirect_url)
    assert await till.bank.charges(waiting.payment_id) == []
    assert await till.events(waiting.payment_id) == ["PaymentCanceled"]
    await till.check_books()


async def test_giving_up_what_was_paid_says_so(till: Till) -> None:
    till.invoices.add("inv_1", 5_000)
    await till.bank.fault("no_webhooks", till.organization_id)
    waiting = await till.pay({"inv_1": 5_000}, token=None)
    await till.bank.type_card(waiting.redirect_url)
    assert (await till.cancel(waiting.payment_id)).status == SUCCEEDED
    await till.check_charged_once(waiting.payment_id)


async def test_what_is_being_checked_cannot_be_given_up(till: Till) -> None:
    till.invoices.add("inv_1", 5_000)
    await till.bank.fault("error_500", till.organization_id)
    unclear = await till.pay({"inv_1": 5_000})
    with pytest.raises(ServiceError) as refused:
        await till.cancel(unclear.payment_id)
    assert refused.value.reason == "PAYMENT_IN_PROGRESS"


async def test_a_new_payment_supersedes_one_that_only_waits(till: Till) -> None:
    for number in (1, 2, 3):
        till.invoices.add(f"inv_{number}", 1_000)
    first = await till.pay({"inv_1": 1_000, "inv_2": 1_000}, token=None)
    second = await till.pay({"inv_3": 1_000}, token=None)
    new = await till.pay({"inv_2": 1_000, "inv_3": 1_000}, token=None)
    assert new.status == WAITING
    assert {(await till.get(old.payment_id)).status for old in (first, second)} == {CANCELED}
    assert till.invoices.holders("inv_1") == []
    await till.bank.type_card(first.redirect_url)
    assert await till.bank.charges(first.payment_id) == []
    await till.bank.type_card(new.redirect_url)
    assert (await till.refresh(new.payment_id)).status == SUCCEEDED
    await till.check_books()


async def test_of_two_tabs_one_pays_and_the_other_is_told(till: Till) -> None:
    till.invoices.add("inv_1", 5_000)
    await till.bank.fault("no_webhooks", till.organization_id)
    first = await till.pay({"inv_1": 5_000}, token=None)
    await till.bank.type_card(first.redirect_url)
    with pytest.raises(ServiceError) as told:
        await till.pay({"inv_1": 5_000}, token=None)
    assert told.value.reason == "INVOICE_ALREADY_PAID"
    assert told.value.metadata["payment_id"] == first.payment_id
    await till.check_charged_once(first.payment_id)


async def test_nobody_pays_beside_a_payment_that_is_being_checked(till: Till) -> None:
    till.invoices.add("inv_1", 5_000)
    await till.bank.fault("no_webhooks", till.organization_id)
    await till.bank.fault("error_500_after_charging", till.organization_id)
    unclear = await till.pay({"inv_1": 5_000})
    with pytest.raises(ServiceError) as told:
        await till.pay({"inv_1": 5_000})
    assert told.value.reason == "INVOICE_BEING_PAID"
    await till.reconcile()
    await till.check_charged_once(unclear.payment_id)


async def test_two_payments_at_the_same_moment_make_one_charge(till: Till) -> None:
    import asyncio

    till.invoices.add("inv_1", 5_000)
    answers = await asyncio.gather(
        *(till.pay({"inv_1": 5_000}, key=uuid.uuid4().hex, timeout=20) for _ in range(10)),
        return_exceptions=True,
    )
    paid = [answer for answer in answers if isinstance(answer, payments_pb2.Payment)]
    told = {answer.reason for answer in answers if isinstance(answer, ServiceError)}
    assert len(paid) == 1
    assert told <= {"INVOICE_BEING_PAID", "INVOICE_ALREADY_PAID"}
    await till.check_charged_once(paid[0].payment_id)


async def test_who_comes_too_late_for_a_part_is_told_what_is_left(till: Till) -> None:
    till.invoices.add("inv_1", 9_700)
    first = await till.pay({"inv_1": 5_000})
    with pytest.raises(ServiceError) as told:
        await till.pay({"inv_1": 5_000})
    assert told.value.reason == "AMOUNT_EXCEEDS_DUE"
    assert (told.value.metadata["left_minor_units"], told.value.metadata["currency"]) == ("4700", "USD")
    assert "47.00 USD" in told.value.message
    assert told.value.metadata["payment_id"] == first.payment_id


async def test_an_abandoned_page_is_closed_after_half_an_hour(till: Till) -> None:
    till.invoices.add("inv_1", 5_000)
    waiting = await till.pay({"inv_1": 5_000}, token=None)
    await till.reconcile(after_seconds=61)
    assert (await till.get(waiting.payment_id)).status == WAITING
    await till.reconcile(after_seconds=1_740)
    assert (await till.get(waiting.payment_id)).status == CANCELED
    assert till.invoices.holders("inv_1") == []
    await till.check_books()


async def test_what_stays_unclear_for_long_raises_the_alarm(till: Till) -> None:
    from services.payments.operations.reconcile_attempts import OVERDUE, count_overdue

    till.invoices.add("inv_1", 5_000)
    await till.bank.fault("error_500", till.organization_id)
    await till.pay({"inv_1": 5_000})
    await count_overdue(till.desk)
    assert OVERDUE._value.get() == 0
    till.clock.advance(minutes=16)
    await count_overdue(till.desk)
    assert OVERDUE._value.get() == 1

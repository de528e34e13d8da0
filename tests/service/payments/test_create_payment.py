"""Paying invoices: one charge, whatever happens on the way."""

import asyncio
import uuid

import pytest

from chassis.errors import Kind, ServiceError
from tallyport.payments.v1 import payments_pb2
from tests.service.payments.till import Till, pay_request

SUCCEEDED = payments_pb2.PAYMENT_STATUS_SUCCEEDED


async def test_one_card_charge_pays_three_invoices(till: Till) -> None:
    parts = {till.invoices.add(f"inv_{n}", 1_000 * n): 1_000 * n for n in (1, 2, 3)}
    payment = await till.pay(parts)
    assert payment.status == SUCCEEDED
    assert payment.amount.minor_units == 6_000
    assert payment.receipt_number == "R-000001"
    assert payment.method_summary == "Visa 4242"
    assert [part.invoice_number for part in payment.parts] == ["INV-0001", "INV-0002", "INV-0003"]
    assert payment.received_on
    await till.check_charged_once(payment.payment_id)


async def test_fifty_parallel_requests_with_one_key_make_one_charge(till: Till) -> None:
    till.invoices.add("inv_1", 5_000)
    key = uuid.uuid4().hex
    answers = await asyncio.gather(
        *(till.pay({"inv_1": 5_000}, key=key, timeout=20) for _ in range(50)), return_exceptions=True
    )
    paid = [answer for answer in answers if isinstance(answer, payments_pb2.Payment)]
    refused = [answer for answer in answers if isinstance(answer, ServiceError)]
    assert len(paid) + len(refused) == 50
    assert {error.reason for error in refused} <= {"IDEMPOTENCY_KEY_IN_PROGRESS"}
    assert len({payment.payment_id for payment in paid}) == 1
    again = await till.pay({"inv_1": 5_000}, key=key)
    assert again == paid[0]
    await till.check_charged_once(again.payment_id)


async def test_a_repeated_key_answers_with_the_payment_as_it_is_now(till: Till) -> None:
    till.invoices.add("inv_1", 5_000)
    first = await till.pay({"inv_1": 5_000}, key="k1", token=None)
    assert first.status == payments_pb2.PAYMENT_STATUS_REQUIRES_ACTION
    await till.bank.type_card(first.redirect_url)
    await till.refresh(first.payment_id)
    second = await till.pay({"inv_1": 5_000}, key="k1", token=None)
    assert (second.payment_id, second.status) == (first.payment_id, SUCCEEDED)
    await till.check_charged_once(first.payment_id)


async def test_the_same_key_with_another_body_is_refused(till: Till) -> None:
    till.invoices.add("inv_1", 5_000)
    await till.pay({"inv_1": 2_000}, key="k1")
    with pytest.raises(ServiceError) as refused:
        await till.pay({"inv_1": 3_000}, key="k1")
    assert refused.value.reason == "IDEMPOTENCY_KEY_REUSED"


async def test_a_declined_card_says_why_and_the_invoice_stays_payable(till: Till) -> None:
    till.invoices.add("inv_1", 5_000)
    failed = await till.pay({"inv_1": 5_000}, token="tok_insufficient_funds")
    assert failed.status == payments_pb2.PAYMENT_STATUS_FAILED
    assert failed.failure_code == "insufficient_funds"
    assert "not enough money" in failed.failure_message
    assert till.invoices.holders("inv_1") == []
    assert await till.events(failed.payment_id) == ["PaymentFailed"]
    assert await till.bank.charges(failed.payment_id) == []
    paid = await till.pay({"inv_1": 5_000})
    assert paid.status == SUCCEEDED
    await till.check_books()


async def test_an_unknown_card_token_fails_without_a_charge(till: Till) -> None:
    till.invoices.add("inv_1", 5_000)
    failed = await till.pay({"inv_1": 5_000}, token="tok_nonsense")
    assert (failed.status, failed.failure_code) == (payments_pb2.PAYMENT_STATUS_FAILED, "invalid_card_token")


@pytest.mark.parametrize(
    ("amount", "reason"), [(6_000, "AMOUNT_EXCEEDS_DUE"), (5_000, "INVOICE_ALREADY_PAID")]
)
async def test_what_invoices_cannot_take_is_refused_before_the_provider_hears_of_it(
    till: Till, amount: int, reason: str
) -> None:
    till.invoices.add("inv_1", 5_000)
    if reason == "INVOICE_ALREADY_PAID":
        till.invoices.settle((await till.pay({"inv_1": 5_000})).payment_id)
    with pytest.raises(ServiceError) as refused:
        await till.pay({"inv_1": amount}, key="k1")
    assert (refused.value.kind, refused.value.reason) == (Kind.FAILED_PRECONDITION, reason)
    assert refused.value.metadata["invoice_id"] == "inv_1"
    newest = (await till.page())[0]
    assert (newest.status, newest.failure_code) == (payments_pb2.PAYMENT_STATUS_FAILED, reason.lower())
    assert await till.bank.charges(newest.payment_id) == []
    await till.check_books()


async def test_a_refused_key_is_free_for_another_try(till: Till) -> None:
    till.invoices.add("inv_1", 5_000)
    first = await till.pay({"inv_1": 5_000})
    with pytest.raises(ServiceError):
        await till.pay({"inv_1": 5_000}, key="k1")
    till.invoices.by_id["inv_1"].held.pop(first.payment_id)
    assert (await till.pay({"inv_1": 5_000}, key="k1")).status == SUCCEEDED


async def test_a_payment_fails_cleanly_while_invoicing_is_away(till: Till) -> None:
    till.invoices.add("inv_1", 5_000)
    till.invoices.away = True
    with pytest.raises(ServiceError) as away:
        await till.pay({"inv_1": 5_000}, key="k1")
    assert (away.value.kind, away.value.reason) == (Kind.UNAVAILABLE, "SERVICE_UNAVAILABLE")
    till.invoices.away = False
    assert (await till.pay({"inv_1": 5_000}, key="k1")).status == SUCCEEDED
    await till.check_books()


async def test_nonsense_is_refused_by_its_field(till: Till) -> None:
    till.invoices.add("inv_1", 5_000)
    request = pay_request({"inv_1": 1_000}, None)
    request.hosted_page.return_url = "https://user@portal.example/back"
    with pytest.raises(ServiceError) as refused:
        await till.payments.CreatePayment(request, metadata=till.as_customer(key="k1"))
    assert refused.value.fields[0].field == "hosted_page.return_url"
    with pytest.raises(ServiceError) as zero:
        await till.pay({"inv_1": 0})
    assert zero.value.reason == "VALIDATION_FAILED"


async def test_a_pay_link_pays_its_own_invoice_only(till: Till) -> None:
    from chassis.caller import Audience

    till.invoices.add("inv_1", 5_000)
    till.invoices.add("inv_2", 5_000)
    link = till.by(Audience.PAY_LINK, key="k1", invoice_id="inv_1", customer_id="cus_1")
    with pytest.raises(ServiceError) as foreign:
        await till.payments.CreatePayment(pay_request({"inv_2": 100}), metadata=link)
    assert foreign.value.kind is Kind.NOT_FOUND
    part = await till.payments.CreatePayment(pay_request({"inv_1": 2_000}), metadata=link)
    assert (part.status, part.initiated_by) == (SUCCEEDED, "pay link")
    whole = await till.pay({"inv_2": 5_000})
    with pytest.raises(ServiceError) as unseen:
        await till.payments.GetPayment(
            payments_pb2.GetPaymentRequest(payment_id=whole.payment_id), metadata=link
        )
    assert unseen.value.kind is Kind.NOT_FOUND

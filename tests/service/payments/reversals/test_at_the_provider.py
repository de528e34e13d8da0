"""Refunds and chargebacks over the wire with the provider simulator, and processes that die on the way."""

import asyncio
import io
import uuid
from pathlib import Path
from typing import Any

import pypdf
import pytest

from chassis.crashpoints import EXIT_CODE
from chassis.errors import ServiceError
from services.payments.operations.watch_reversals import reconcile_refunds
from tallyport.common.v1 import money_pb2
from tallyport.payments.v1 import (
    chargebacks_pb2,
    chargebacks_pb2_grpc,
    payments_pb2,
    refunds_pb2,
    refunds_pb2_grpc,
)
from tests.service.payments.till import SECRET, Till, pay_request
from tests.support.wait import until

SUCCEEDED = refunds_pb2.REFUND_STATUS_SUCCEEDED
UNKNOWN = refunds_pb2.REFUND_STATUS_UNKNOWN
DEBIT = {"routing": "110000000", "account": "000123456789", "holder": "Ann Lee", "mandate": "accepted"}
POINTS = (
    "refund.after_claim",
    "refund.before_provider_call",
    "refund.after_provider_call",
    "refund.after_result_commit",
)


def refund_request(payment_id: str, units: int | None = None) -> refunds_pb2.CreateRefundRequest:
    amount = None if units is None else money_pb2.Money(minor_units=units, currency="USD")
    return refunds_pb2.CreateRefundRequest(payment_id=payment_id, amount=amount, reason="ordered twice")


async def refund(
    till: Till, payment_id: str, units: int | None = None, *, key: str = ""
) -> refunds_pb2.Refund:
    return await refunds_pb2_grpc.RefundsStub(till.channel).CreateRefund(
        refund_request(payment_id, units), metadata=till.as_staff(key=key or uuid.uuid4().hex), timeout=5
    )


async def refunded_at_provider(till: Till, payment_id: str) -> int:
    """What the payer's bank statement shows as given back."""
    return sum(charge["refunded_minor_units"] for charge in await till.bank.charges(payment_id))


async def charge_id(till: Till, payment_id: str) -> str:
    (charge,) = await till.bank.charges(payment_id)
    return str(charge["id"])


async def paid(till: Till, units: int = 5_000) -> str:
    till.invoices.add("inv_1", units)
    return (await till.pay({"inv_1": units})).payment_id


async def test_a_refund_arrives_at_the_provider_and_is_seen_by_its_customer_only(till: Till) -> None:
    payment_id = await paid(till)
    done = await refund(till, payment_id, 2_000, key="k1")
    assert (done.status, done.amount.minor_units, done.reason) == (SUCCEEDED, 2_000, "ordered twice")
    assert (await refund(till, payment_id, 2_000, key="k1")).refund_id == done.refund_id
    assert await refunded_at_provider(till, payment_id) == 2_000
    payment = await till.get(payment_id)
    assert payment.status == payments_pb2.PAYMENT_STATUS_PARTLY_REFUNDED
    assert payment.amount_refunded.minor_units == 2_000
    stub, ask = (
        refunds_pb2_grpc.RefundsStub(till.channel),
        refunds_pb2.GetRefundRequest(refund_id=done.refund_id),
    )
    assert (await stub.GetRefund(ask, metadata=till.as_customer())).refund_id == done.refund_id
    with pytest.raises(ServiceError) as caught:
        await stub.GetRefund(ask, metadata=till.as_customer("cus_2"))
    assert caught.value.reason == "REFUND_NOT_FOUND"
    listed = await stub.ListRefunds(refunds_pb2.ListRefundsRequest(), metadata=till.as_customer("cus_2"))
    assert list(listed.refunds) == []
    await till.check_books()


async def test_refunds_are_listed_by_page_the_newest_first(till: Till) -> None:
    payment_id = await paid(till)
    made = [(await refund(till, payment_id, 100)).refund_id for _ in range(3)]
    stub, token, seen = refunds_pb2_grpc.RefundsStub(till.channel), "", list[str]()
    for _ in range(2):
        request = refunds_pb2.ListRefundsRequest(page_size=2, page_token=token, payment_id=payment_id)
        page = await stub.ListRefunds(request, metadata=till.as_staff())
        seen += [one.refund_id for one in page.refunds]
        token = page.next_page_token
    assert (seen, token) == (made[::-1], "")


@pytest.mark.parametrize("fault", ["error_500_after_charging", "hang_after_charging"])
async def test_a_refund_without_an_answer_is_checked_and_never_sent_twice(till: Till, fault: str) -> None:
    payment_id = await paid(till)
    await till.bank.fault("no_webhooks", till.organization_id, times=5)
    await till.bank.fault(fault, till.organization_id, match={"operation": "create_refund"})
    unclear = await refund(till, payment_id, 1_000)
    assert unclear.status == UNKNOWN
    till.clock.advance(seconds=120)
    await reconcile_refunds(till.desk)
    assert await refunded_at_provider(till, payment_id) == 1_000
    rows = await till.rows("SELECT status FROM refunds")
    assert [row.status for row in rows] == ["succeeded"]
    await till.check_books()


@pytest.mark.parametrize("point", POINTS)
@pytest.mark.parametrize("repeated", [True, False])
async def test_a_refund_during_which_the_process_dies_is_made_once(
    till: Till, point: str, repeated: bool, tmp_path: Path
) -> None:
    payment_id = await paid(till)
    await till.bank.fault("no_webhooks", till.organization_id, times=5)
    async with till.process("serve", crashpoint=point, folder=tmp_path) as process:
        with pytest.raises(ServiceError):
            await refunds_pb2_grpc.RefundsStub(process.channel).CreateRefund(
                refund_request(payment_id, 2_000), metadata=till.as_staff(key="k1"), timeout=5
            )
        code = await asyncio.wait_for(process.child.wait(), 10)
        assert code == EXIT_CODE, process.log_file.read_text()
    if repeated:
        till.clock.advance(seconds=7)  # the dead process's lease on the key is over
        assert (await refund(till, payment_id, 2_000, key="k1")).status == SUCCEEDED
    else:
        till.clock.advance(seconds=61)
        await reconcile_refunds(till.desk)
    rows = await till.rows("SELECT status FROM refunds")
    assert [row.status for row in rows] == ["succeeded"]
    assert await refunded_at_provider(till, payment_id) == 2_000
    assert await till.events(payment_id) == ["PaymentSucceeded", "PaymentReversed"]
    await till.check_books()


async def test_a_webhook_tells_of_a_refund_that_the_bank_refused(till: Till) -> None:
    payment_id = await paid(till)
    await refund(till, payment_id, 2_000)
    (row,) = await till.rows("SELECT provider_reference FROM refunds")
    await till.bank.post(f"/v1/refunds/{row.provider_reference}/fail", failure_code="account_closed")

    async def failed() -> bool:
        return (await till.get(payment_id)).amount_refunded.minor_units == 0

    await until(failed, timeout_seconds=10)
    assert (await till.events(payment_id))[1:] == ["PaymentReversed", "PaymentReinstated"]
    await till.check_books()


async def test_a_chargeback_comes_by_webhook_is_answered_and_won(till: Till) -> None:
    payment_id = await paid(till)
    dispute = await till.bank.post(f"/v1/charges/{await charge_id(till, payment_id)}/disputes")
    stub = chargebacks_pb2_grpc.ChargebacksStub(till.channel)

    async def listed(**which: Any) -> list[chargebacks_pb2.Chargeback]:
        request = chargebacks_pb2.ListChargebacksRequest(payment_id=payment_id, **which)
        return list((await stub.ListChargebacks(request, metadata=till.as_staff())).chargebacks)

    (opened,) = await until(lambda: listed(open_only=True), timeout_seconds=10)
    assert (opened.status, opened.amount.minor_units) == (chargebacks_pb2.CHARGEBACK_STATUS_OPEN, 5_000)
    assert opened.fee.minor_units > 0
    assert (await till.get(payment_id)).status == payments_pb2.PAYMENT_STATUS_DISPUTED
    with pytest.raises(ServiceError) as caught:
        await refund(till, payment_id, 100)
    assert caught.value.reason == "PAYMENT_DISPUTED"
    answered = await stub.SubmitEvidence(
        chargebacks_pb2.SubmitEvidenceRequest(
            chargeback_id=opened.chargeback_id, evidence="They signed for it."
        ),
        metadata=till.as_staff(key="k1"),
    )
    assert answered.status == chargebacks_pb2.CHARGEBACK_STATUS_UNDER_REVIEW
    await till.bank.post(f"/v1/disputes/{dispute['id']}/close", status="won")

    async def won() -> bool:
        return (await till.get(payment_id)).status == payments_pb2.PAYMENT_STATUS_SUCCEEDED

    await until(won, timeout_seconds=10)
    assert await listed(open_only=True) == []
    assert (await till.events(payment_id))[1:] == ["PaymentReversed", "PaymentReinstated"]
    await till.check_books()


async def test_an_accepted_chargeback_is_lost_and_its_receipt_stays(till: Till) -> None:
    payment_id = await paid(till)
    await till.bank.post(
        f"/v1/charges/{await charge_id(till, payment_id)}/disputes",
        amount_minor_units=3_000,
        reason="duplicate",
    )
    stub = chargebacks_pb2_grpc.ChargebacksStub(till.channel)

    async def opened() -> str:
        rows = await till.rows("SELECT chargeback_id FROM chargebacks")
        return rows[0].chargeback_id if rows else ""

    request = chargebacks_pb2.AcceptChargebackRequest(chargeback_id=await until(opened, timeout_seconds=10))
    lost = await stub.AcceptChargeback(request, metadata=till.as_staff(key="k1"))
    assert (lost.status, lost.reason) == (chargebacks_pb2.CHARGEBACK_STATUS_LOST, "duplicate")
    assert (await refund(till, payment_id)).amount.minor_units == 2_000
    receipt = await till.payments.GetReceiptPdf(
        payments_pb2.GetReceiptPdfRequest(payment_id=payment_id), metadata=till.as_staff()
    )
    assert "R-000001" in pypdf.PdfReader(io.BytesIO(receipt.content)).pages[0].extract_text()
    assert receipt.file_name == "receipt-R-000001.pdf"
    await till.check_books()


async def test_a_debit_that_settled_and_came_back_opens_its_invoices_again(till: Till) -> None:
    till.invoices.add("inv_1", 5_000)
    request = pay_request({"inv_1": 5_000}, None)
    request.hosted_page.method = payments_pb2.PAYMENT_METHOD_TYPE_BANK_DEBIT
    waiting = await till.payments.CreatePayment(request, metadata=till.as_customer(key="k1"), timeout=5)
    await till.bank.http.post(waiting.redirect_url, data=DEBIT)
    payment_id = waiting.payment_id
    assert (await till.refresh(payment_id)).status == payments_pb2.PAYMENT_STATUS_PROCESSING
    attempt_id = await till.attempt_id(payment_id)
    found = await till.bank.http.get(
        "/v1/charges", params={"attempt_id": attempt_id}, headers={"authorization": f"Bearer {SECRET}"}
    )
    debit = found.json()["charges"][0]["id"]
    await till.bank.post(f"/v1/charges/{debit}/settle")

    async def is_now(status: "payments_pb2.PaymentStatus.ValueType") -> bool:
        return (await till.get(payment_id)).status == status

    await until(lambda: is_now(payments_pb2.PAYMENT_STATUS_SUCCEEDED), timeout_seconds=15)
    await till.bank.post(f"/v1/charges/{debit}/return", return_code="R10")
    await until(lambda: is_now(payments_pb2.PAYMENT_STATUS_RETURNED), timeout_seconds=15)
    assert (await till.get(payment_id)).return_code == "R10"
    assert await till.events(payment_id) == ["PaymentSucceeded", "PaymentReversed"]
    await till.check_books()


@pytest.mark.chaos
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("point", POINTS)
async def test_twenty_deaths_at_each_step_of_a_refund_make_twenty_refunds(
    till: Till, point: str, tmp_path: Path
) -> None:
    payment_id = await paid(till)
    for number in range(20):
        async with till.process("serve", crashpoint=point, folder=tmp_path) as process:
            with pytest.raises(ServiceError):
                await refunds_pb2_grpc.RefundsStub(process.channel).CreateRefund(
                    refund_request(payment_id, 100), metadata=till.as_staff(key=f"k{number}"), timeout=5
                )
            assert await asyncio.wait_for(process.child.wait(), 10) == EXIT_CODE
        till.clock.advance(seconds=7)
        assert (await refund(till, payment_id, 100, key=f"k{number}")).status == SUCCEEDED, f"death {number}"
    assert await refunded_at_provider(till, payment_id) == 2_000
    await till.check_books()

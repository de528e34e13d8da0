"""Money given back: never more than came, never twice, and always found again after an unclear answer."""

import asyncio
import io
from dataclasses import replace
from decimal import Decimal

import pypdf
import pytest

from chassis.caller import call_scope
from chassis.errors import ServiceError
from services.payments.domain.outcome import DisputeState
from services.payments.domain.payment import Method
from services.payments.domain.refund import Destination, RefundStatus
from services.payments.domain.refund_lines import LinePrice, LineWish
from services.payments.operations.get_receipt import get_receipt
from services.payments.providers import RefundState
from services.payments.store import policies
from tallyport.payments.v1 import events_pb2
from tests.service.payments.reversals.counter import Counter, usd


async def refused(counter: Counter, payment_id: str, *args: int, **more: object) -> str:
    with pytest.raises(ServiceError) as caught:
        await counter.refund(payment_id, *args, **more)  # type: ignore[arg-type]
    await counter.check_books()
    return caught.value.reason


async def test_a_refund_of_everything_takes_the_payment_back(counter: Counter) -> None:
    case = await counter.paid({"inv_1": 6_000, "inv_2": 4_000})
    refund = await counter.refund(case.payment.payment_id)
    assert (refund.status, refund.amount) == (RefundStatus.SUCCEEDED, usd(10_000))
    after = (await counter.case(case.payment.payment_id)).payment
    assert (after.refunded_minor_units, after.amount) == (10_000, usd(10_000))
    assert await counter.balance("provider_clearing") == 0
    assert await counter.balance("customer_funds") == 0
    assert await counter.news(case.payment.payment_id) == ["PaymentSucceeded", "PaymentReversed"]
    await counter.check_books()


async def test_several_refunds_by_invoice_stay_within_what_was_paid_there(counter: Counter) -> None:
    case = await counter.paid({"inv_1": 6_000, "inv_2": 4_000})
    payment_id = case.payment.payment_id
    await counter.refund(payment_id, parts={"inv_2": 1_500}, forgives=False)
    assert await refused(counter, payment_id, parts={"inv_2": 2_501}) == "REFUND_EXCEEDS_PAYMENT"
    await counter.refund(payment_id, parts={"inv_2": 2_500})
    assert await refused(counter, payment_id, parts={"inv_9": 1}) == "VALIDATION_FAILED"
    first = events_pb2.PaymentReversed.FromString((await counter.told(payment_id, "PaymentReversed"))[0])
    assert [(part.invoice_id, part.amount.minor_units) for part in first.parts] == [("inv_2", 1_500)]
    assert (first.forgive, first.to_credit, first.whole) == (False, False, False)
    assert (await counter.refund(payment_id)).amount == usd(6_000)
    await counter.check_books()


async def test_lines_go_back_once_even_when_several_payments_paid_the_invoice(counter: Counter) -> None:
    counter.invoicing.prices = {
        ("inv_1", 1): LinePrice(description="Lamp", quantity=Decimal(3), amount=usd(7_000)),
        ("inv_1", 2): LinePrice(description="Cable", quantity=Decimal(1), amount=usd(1_000)),
    }
    first = (await counter.paid({"inv_1": 7_000})).payment.payment_id
    other = (await counter.paid({"inv_1": 1_000})).payment.payment_id
    lamp, cable = LineWish(invoice_id="inv_1", line_no=1), LineWish(invoice_id="inv_1", line_no=2)
    refund = await counter.refund(first, lines=[replace(lamp, quantity=Decimal(2)), cable], key="once")
    assert await refused(counter, first, lines=[lamp]) == "REFUND_EXCEEDS_PAYMENT"
    assert await refused(counter, other, lines=[cable]) == "REFUND_EXCEEDS_LINE"
    again = await counter.refund(first, lines=[replace(lamp, quantity=Decimal(2)), cable], key="once")
    assert again == refund
    assert [(line.description, line.quantity, line.amount) for line in again.lines] == [
        ("Lamp", 2, usd(4_667)),
        ("Cable", None, usd(1_000)),
    ]
    assert [(part.invoice_id, part.amount) for part in again.parts] == [("inv_1", usd(5_667))]


async def test_a_surcharge_goes_back_in_proportion_and_all_of_it_in_the_end(counter: Counter) -> None:
    case = await counter.paid({"inv_1": 10_000}, surcharge=299)
    shares = [(await counter.refund(case.payment.payment_id, 3_333)).surcharge.minor_units for _ in range(2)]
    last = await counter.refund(case.payment.payment_id)
    assert shares == [100, 99]
    assert sum(shares) + last.surcharge.minor_units == 299
    assert await counter.balance("surcharge_income") == 0
    assert await counter.balance("customer_funds") == 0
    await counter.check_books()


async def test_a_discount_goes_back_in_proportion_too(counter: Counter) -> None:
    case = await counter.paid({"inv_1": 10_000}, surcharge=-200)
    assert (await counter.refund(case.payment.payment_id, 5_000)).amount == usd(4_900)
    assert (await counter.refund(case.payment.payment_id)).amount == usd(4_900)
    assert await counter.balance("discounts_given") == 0
    await counter.check_books()


async def test_more_than_was_captured_is_never_given_back(counter: Counter) -> None:
    case = await counter.paid({"inv_1": 5_000})
    assert await refused(counter, case.payment.payment_id, 5_001) == "REFUND_EXCEEDS_PAYMENT"
    await counter.refund(case.payment.payment_id, 3_000)
    assert await refused(counter, case.payment.payment_id, 2_001) == "REFUND_EXCEEDS_PAYMENT"
    assert await refused(counter, case.payment.payment_id, 100, currency="EUR") == "REFUND_CURRENCY"
    assert counter.provider.refunds_carried_out == 1


async def test_twenty_refunds_at_once_give_back_no_more_than_came(counter: Counter) -> None:
    case = await counter.paid({"inv_1": 5_000})
    done = await asyncio.gather(
        *(counter.refund(case.payment.payment_id, 1_200) for _ in range(20)), return_exceptions=True
    )
    assert sum(not isinstance(one, BaseException) for one in done) == 4
    assert (await counter.case(case.payment.payment_id)).payment.refunded_minor_units == 4_800
    assert counter.provider.refunds_carried_out == 4
    await counter.check_books()


async def test_the_same_key_refunds_once(counter: Counter) -> None:
    case = await counter.paid({"inv_1": 5_000})
    first = await counter.refund(case.payment.payment_id, 1_000, key="k1")
    again = await counter.refund(case.payment.payment_id, 1_000, key="k1")
    assert again.refund_id == first.refund_id
    assert counter.provider.refunds_carried_out == 1
    assert (await counter.case(case.payment.payment_id)).payment.refunded_minor_units == 1_000


async def test_a_refund_that_fails_puts_the_money_back(counter: Counter) -> None:
    case = await counter.paid({"inv_1": 5_000}, surcharge=50)
    counter.provider.refund_result = RefundState.FAILED
    refund = await counter.refund(case.payment.payment_id)
    assert (refund.status, refund.failure_code) == (RefundStatus.FAILED, "account_closed")
    assert (await counter.case(case.payment.payment_id)).payment.refunded_minor_units == 0
    assert await counter.balance("customer_funds") == -5_000
    assert await counter.balance("surcharge_income") == -50
    assert (await counter.news(case.payment.payment_id))[1:] == ["PaymentReversed", "PaymentReinstated"]
    await counter.check_books()


async def test_a_refund_that_the_bank_refuses_later_fails_after_it_had_succeeded(counter: Counter) -> None:
    case = await counter.paid({"inv_1": 5_000})
    refund = await counter.refund(case.payment.payment_id)
    counter.provider.finish_refund(refund.refund_id, RefundState.FAILED, "account_closed")
    await counter.later(days=1, seconds=5)
    assert (await counter.case(case.payment.payment_id)).payment.refunded_minor_units == 0
    await counter.check_books()


async def test_an_unclear_refund_is_looked_up_and_not_sent_again(counter: Counter) -> None:
    case = await counter.paid({"inv_1": 5_000})
    counter.provider.lost_answers = 1
    unclear = await counter.refund(case.payment.payment_id, 2_000)
    assert unclear.status is RefundStatus.UNKNOWN
    await counter.later(seconds=61)
    standing = await counter.standing(case.payment.payment_id)
    assert standing.refunds[0].status is RefundStatus.SUCCEEDED
    assert counter.provider.refunds_carried_out == 1
    await counter.check_books()


async def test_a_refund_that_never_left_is_sent_with_the_same_key(counter: Counter) -> None:
    case = await counter.paid({"inv_1": 5_000})
    counter.provider.unreachable = True
    assert (await counter.refund(case.payment.payment_id)).status is RefundStatus.UNKNOWN
    await counter.later(seconds=61)
    assert counter.provider.refunds_carried_out == 0
    counter.provider.unreachable = False
    await counter.later(seconds=301)
    assert (await counter.standing(case.payment.payment_id)).refunds[0].status is RefundStatus.SUCCEEDED
    assert counter.provider.refunds_carried_out == 1
    await counter.check_books()


async def test_a_refund_that_cannot_be_sent_for_a_day_fails_rather_than_be_sent_twice(
    counter: Counter,
) -> None:
    case = await counter.paid({"inv_1": 5_000})
    counter.provider.unreachable = True
    await counter.refund(case.payment.payment_id)
    counter.provider.unreachable = False
    await counter.later(hours=24)
    assert (await counter.standing(case.payment.payment_id)).refunds[0].status is RefundStatus.FAILED
    assert counter.provider.refunds_carried_out == 0
    await counter.check_books()


async def test_a_refund_to_credit_moves_no_money(counter: Counter) -> None:
    case = await counter.paid({"inv_1": 5_000}, surcharge=100)
    refund = await counter.refund(case.payment.payment_id, 2_000, destination=Destination.CREDIT)
    assert (refund.status, refund.surcharge) == (RefundStatus.SUCCEEDED, usd(0))
    assert counter.provider.refunds_carried_out == 0
    assert await counter.balance("customer_funds") == -5_000
    told = events_pb2.PaymentReversed.FromString(
        (await counter.told(case.payment.payment_id, "PaymentReversed"))[0]
    )
    assert (told.to_credit, told.amount.minor_units) == (True, 2_000)
    await counter.check_books()


async def test_a_chargeback_takes_what_a_refund_had_made_credit(counter: Counter) -> None:
    case = await counter.paid({"inv_1": 5_000})
    await counter.refund(case.payment.payment_id, destination=Destination.CREDIT)
    attempt_id = case.at_provider.attempt_id
    await counter.hear(case, counter.provider.dispute(attempt_id, "dp_1", DisputeState.LOST, usd(5_000)))
    assert await counter.balance("customer_funds") == 0
    await counter.check_books()


async def test_money_handed_over_by_staff_is_owed_to_the_till(counter: Counter) -> None:
    case = await counter.paid({"inv_1": 5_000})
    await counter.refund(case.payment.payment_id, 2_000, destination=Destination.MANUAL)
    assert await counter.balance("refunds_payable") == -2_000
    assert counter.provider.refunds_carried_out == 0
    await counter.check_books()


async def test_a_payment_that_is_disputed_or_came_back_is_not_refunded(counter: Counter) -> None:
    case = await counter.paid({"inv_1": 5_000})
    attempt_id = case.at_provider.attempt_id
    await counter.hear(case, counter.provider.dispute(attempt_id, "dp_1", DisputeState.OPEN, usd(2_000)))
    assert await refused(counter, case.payment.payment_id, 1_000) == "PAYMENT_DISPUTED"
    await counter.hear(case, counter.provider.dispute(attempt_id, "dp_1", DisputeState.LOST, usd(2_000)))
    assert await refused(counter, case.payment.payment_id, 3_001) == "REFUND_EXCEEDS_PAYMENT"
    assert (await counter.refund(case.payment.payment_id)).amount == usd(3_000)
    debit = await counter.paid({"inv_2": 5_000}, method=Method.BANK_DEBIT)
    await counter.hear(debit, counter.provider.give_back(debit.at_provider.attempt_id, "R01"))
    assert await refused(counter, debit.payment.payment_id, 1) == "PAYMENT_NOT_REFUNDABLE"


async def test_the_refund_window_of_the_policy_holds(counter: Counter) -> None:
    from dataclasses import replace

    case = await counter.paid({"inv_1": 5_000})
    async with counter.db.write(counter.organization_id) as tx:
        policy = await policies.policy(tx)
        assert await policies.replace_policy(tx, replace(policy, refund_window_days=30, version=1))
    await counter.later(days=29)
    await counter.refund(case.payment.payment_id, 1_000)
    await counter.later(days=2)
    assert await refused(counter, case.payment.payment_id, 1_000) == "PAYMENT_NOT_REFUNDABLE"


async def test_the_receipt_says_what_was_given_back_and_what_is_left(counter: Counter) -> None:
    counter.invoicing.prices = {
        ("inv_1", 1): LinePrice(description="Oak table", quantity=Decimal(2), amount=usd(8_000))
    }
    payment_id = (await counter.paid({"inv_1": 8_000}, surcharge=200, credit_used=1_000)).payment.payment_id

    async def read() -> str:
        with call_scope(counter.as_staff("k", "Payments/GetReceiptPdf")):
            receipt = await get_receipt(counter.desk, payment_id)
        return pypdf.PdfReader(io.BytesIO(receipt.content)).pages[0].extract_text()

    paid = await read()
    assert all(
        words in paid for words in ("PAID", "Surcharge", "$2.00", "Paid with credit", "-$10.00", "$72.00")
    )
    assert "Credit on your account" not in paid
    table = LineWish(invoice_id="inv_1", line_no=1, quantity=Decimal(1))
    await counter.refund(payment_id, lines=[table], destination=Destination.MANUAL)
    partly = await read()
    assert all(
        words in partly for words in ("PARTLY REFUNDED", "Oak table × 1", "by hand", "Left of the payment")
    )
    await counter.refund(payment_id)
    assert "PARTLY" not in (whole := await read())
    assert "REFUNDED" in whole

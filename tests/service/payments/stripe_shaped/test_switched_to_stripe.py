"""An organization whose policy says stripe: paying, refunding and losing a dispute, from end to end."""

import uuid

import pytest
from sqlalchemy import text

from tallyport.payments.v1 import payments_pb2, refunds_pb2, refunds_pb2_grpc
from tests.service.payments.paying.counter import BANK_DEBIT, FAILED, SUCCEEDED, create, rule, set_policy
from tests.service.payments.stripe_shaped.account import charged, help_with
from tests.service.payments.till import RETURN_URL, SECRET, Till
from tests.support.wait import until

PARTLY_REFUNDED = payments_pb2.PAYMENT_STATUS_PARTLY_REFUNDED
DISPUTED = payments_pb2.PAYMENT_STATUS_DISPUTED
RETURNED = payments_pb2.PAYMENT_STATUS_RETURNED
PROCESSING = payments_pb2.PAYMENT_STATUS_PROCESSING


@pytest.fixture(autouse=True)
async def switched(till: Till) -> None:
    till.invoices.add("inv_1", 5_000)
    await set_policy(till, rule(), rule(BANK_DEBIT), provider="stripe")


async def become(till: Till, payment_id: str, status: int) -> None:
    async def is_so() -> bool:
        return (await till.get(payment_id)).status == status

    await until(is_so)


async def heard(till: Till, event_type: str) -> bool:
    """Whether such an event of this organization has come and been looked into."""
    statement = "SELECT 1 FROM provider_events WHERE type = :type AND processed_at IS NOT NULL"
    return bool(await till.rows(statement, type=event_type))


async def reference(till: Till, payment_id: str) -> str:
    rows = await till.rows(
        "SELECT provider, provider_reference FROM payment_attempts WHERE payment_id = :p", p=payment_id
    )
    assert [row.provider for row in rows] == ["stripe"]
    return str(rows[0].provider_reference)


async def refund(till: Till, payment_id: str, units: int) -> refunds_pb2.Refund:
    request = refunds_pb2.CreateRefundRequest(payment_id=payment_id, reason="ordered twice")
    request.amount.minor_units, request.amount.currency = units, "USD"
    stub = refunds_pb2_grpc.RefundsStub(till.channel)
    return await stub.CreateRefund(request, metadata=till.as_staff(key=uuid.uuid4().hex), timeout=5)


async def paid_on_page(till: Till) -> str:
    """A payment that was made on Checkout, and told by webhook alone."""
    begun = await till.pay({"inv_1": 5_000}, token=None)
    assert "/stripe/c/pay/cs_" in begun.redirect_url
    assert (await reference(till, begun.payment_id)).startswith("cs_")
    await till.bank.type_card(begun.redirect_url)
    await become(till, begun.payment_id, SUCCEEDED)
    return begun.payment_id


async def test_a_card_is_charged_at_stripe(till: Till) -> None:
    paid = await till.pay({"inv_1": 5_000}, token="tok_visa")
    assert (paid.status, paid.method_summary) == (SUCCEEDED, "Visa 4242")
    assert (await reference(till, paid.payment_id)).startswith("pi_")
    assert await charged(till, paid.payment_id) == [5_000]
    assert await till.events(paid.payment_id) == ["PaymentSucceeded"]
    await till.check_books()


async def test_a_declined_card_fails_and_keeps_what_stripe_made_of_it(till: Till) -> None:
    failed = await till.pay({"inv_1": 5_000}, token="tok_chargeDeclinedInsufficientFunds")
    assert (failed.status, failed.failure_code) == (FAILED, "insufficient_funds")
    assert (await reference(till, failed.payment_id)).startswith("pi_")
    assert await charged(till, failed.payment_id) == []


async def test_a_page_that_was_paid_on_is_known_by_its_payment_from_then_on(till: Till) -> None:
    payment_id = await paid_on_page(till)
    assert (await reference(till, payment_id)).startswith("pi_")
    assert await charged(till, payment_id) == [5_000]
    assert (await till.refresh(payment_id)).status == SUCCEEDED
    await till.check_books()


async def test_a_page_that_is_left_can_be_cancelled_and_takes_no_money(till: Till) -> None:
    begun = await till.pay({"inv_1": 5_000}, token=None)
    canceled = await till.cancel(begun.payment_id)
    assert canceled.status == payments_pb2.PAYMENT_STATUS_CANCELED
    await till.bank.type_card(begun.redirect_url)
    assert await charged(till, begun.payment_id) == []


@pytest.mark.parametrize("hosted", [False, True])
async def test_it_is_refunded_at_stripe(till: Till, hosted: bool) -> None:
    payment_id = await paid_on_page(till) if hosted else (await till.pay({"inv_1": 5_000})).payment_id
    done = await refund(till, payment_id, 2_000)
    assert done.status == refunds_pb2.REFUND_STATUS_SUCCEEDED
    assert (await till.get(payment_id)).status == PARTLY_REFUNDED
    await till.check_books()


@pytest.mark.parametrize("hosted", [False, True])
async def test_a_dispute_that_names_only_the_payment_intent_reaches_the_books(
    till: Till, hosted: bool
) -> None:
    payment_id = await paid_on_page(till) if hosted else (await till.pay({"inv_1": 5_000})).payment_id
    await until(lambda: heard(till, "payment_intent.succeeded"))
    await help_with(till, "disputes", attempt_id=await till.attempt_id(payment_id))
    await become(till, payment_id, DISPUTED)
    rows = await till.rows("SELECT provider, state, provider_reference FROM chargebacks")
    assert [(row.provider, row.state) for row in rows] == [("stripe", "open")]
    await until(lambda: heard(till, "charge.dispute.created"))
    await help_with(till, f"disputes/{rows[0].provider_reference}/decide")

    async def lost() -> bool:
        return [row.state for row in await till.rows("SELECT state FROM chargebacks")] == ["lost"]

    await until(lost)
    assert await till.events(payment_id) == ["PaymentSucceeded", "PaymentReversed"]
    await till.check_books()


async def test_a_dispute_of_nobody_is_kept_and_changes_nothing(till: Till) -> None:
    paid = await till.pay({"inv_1": 5_000})
    await until(lambda: heard(till, "payment_intent.succeeded"))
    await till.execute("UPDATE payment_attempts SET provider_reference = 'pi_of_nobody'")
    await help_with(till, "disputes", attempt_id=await till.attempt_id(paid.payment_id))

    async def kept() -> bool:
        async with till.db.read("unknown") as tx:
            rows = await tx.execute(
                text("SELECT count(*) FROM provider_events WHERE type LIKE 'charge.dispute%'")
            )
        return bool(rows.scalar_one())

    await until(kept)
    assert await till.rows("SELECT 1 FROM chargebacks") == []


async def test_a_bank_debit_is_on_its_way_settles_and_comes_back(till: Till) -> None:
    hosted = payments_pb2.HostedPage(return_url=RETURN_URL, method=BANK_DEBIT)
    begun = await create(till, {"inv_1": 5_000}, token="", hosted_page=hosted)
    account = {"routing": "110000000", "account": "000111222206", "holder": "Ann Lee", "mandate": "accepted"}
    await till.bank.http.post(begun.redirect_url, data=account | {"scheme": "ach"})
    await become(till, begun.payment_id, PROCESSING)
    for days, status in ((7, SUCCEEDED), (7, RETURNED)):
        answer = await till.bank.http.post(
            "/v1/clock",
            json={"advance_seconds": days * 86_400},
            headers={"authorization": f"Bearer {SECRET}"},
        )
        assert answer.status_code == 200
        await become(till, begun.payment_id, status)
    await till.check_books()

"""A bank debit is on its way for days: held all that time, asked about twice a day, and true when it settles."""

from datetime import timedelta

from services.payments.domain.outcome import Outcome, Status
from services.payments.operations.settle_payment import settle
from services.payments.store import cases
from tallyport.payments.v1 import payments_pb2
from tests.service.payments.paying.counter import BANK_DEBIT, SUCCEEDED, create
from tests.service.payments.till import RETURN_URL, Till

PROCESSING = payments_pb2.PAYMENT_STATUS_PROCESSING
ACCOUNT = {"routing": "110000000", "account": "000123456789", "holder": "Ann Lee", "mandate": "accepted"}


async def debited(till: Till) -> payments_pb2.Payment:
    """A debit that the payer has agreed to on the provider's page."""
    hosted = payments_pb2.HostedPage(return_url=RETURN_URL, method=BANK_DEBIT)
    begun = await create(till, {"inv_1": 5_000}, token="", hosted_page=hosted)
    answer = await till.bank.http.post(begun.redirect_url, data=ACCOUNT | {"scheme": "ach"})
    assert answer.status_code < 400, answer.text
    return await till.refresh(begun.payment_id)


async def test_it_is_processing_until_it_settles(till: Till) -> None:
    till.invoices.add("inv_1", 5_000)
    payment = await debited(till)
    assert (payment.status, payment.method) == (PROCESSING, BANK_DEBIT)
    assert payment.expected_on
    assert payment.receipt_number == ""
    assert await till.events(payment.payment_id) == []
    assert till.invoices.holders("inv_1") == [payment.payment_id]
    await till.check_books()
    async with till.db.read(till.organization_id) as tx:
        case = await cases.load(tx, payment.payment_id)
    settled = await settle(till.desk, case, Outcome(status=Status.SUCCEEDED, amount=case.payment.amount))
    assert settled.payment.receipt_number == "R-000001"
    assert (await till.get(payment.payment_id)).status == SUCCEEDED
    assert await till.events(payment.payment_id) == ["PaymentSucceeded"]
    await till.check_books()


async def test_it_is_asked_about_twice_a_day_and_alarms_nobody(till: Till) -> None:
    till.invoices.add("inv_1", 5_000)
    payment = await debited(till)

    async def attempt() -> tuple[int, timedelta]:
        rows = await till.rows("SELECT checks, next_check_at FROM payment_attempts")
        return rows[0].checks, rows[0].next_check_at - till.clock.now()

    checks, wait = await attempt()
    assert timedelta(hours=11) < wait <= timedelta(hours=12)
    await till.reconcile(after_seconds=11 * 3600)
    assert (await attempt())[0] == checks
    await till.reconcile(after_seconds=2 * 3600)
    again, wait = await attempt()
    assert again == checks + 1
    assert timedelta(hours=11) < wait <= timedelta(hours=12)
    assert (await till.get(payment.payment_id)).status == PROCESSING
    await till.check_books()


async def test_its_parts_are_held_for_sixty_days(till: Till) -> None:
    till.invoices.add("inv_1", 5_000)
    payment = await debited(till)
    held_for = till.invoices.expires_at[payment.payment_id] - payment.created_at.ToDatetime()
    assert timedelta(days=59) < held_for <= timedelta(days=60)

"""Coins that are more or fewer than asked for: all of them count, at once and without anybody's help."""

from tallyport.payments.v1 import payments_pb2
from tests.service.payments.paying.counter import SUCCEEDED, create
from tests.service.payments.till import RETURN_URL, Till
from tests.support.wait import until

STABLECOIN = payments_pb2.PAYMENT_METHOD_TYPE_STABLECOIN


async def waiting(till: Till) -> str:
    till.invoices.add("inv_1", 3_000)
    till.invoices.add("inv_2", 2_000)
    hosted = payments_pb2.HostedPage(return_url=RETURN_URL, method=STABLECOIN)
    begun = await create(till, {"inv_1": 3_000, "inv_2": 2_000}, token="", hosted_page=hosted)
    return begun.payment_id


async def send(till: Till, payment_id: str, units: int) -> None:
    rows = await till.rows("SELECT provider_reference AS checkout FROM payment_attempts")
    await till.bank.post(f"/v1/checkouts/{rows[0].checkout}/coins", amount_minor_units=units)


async def becomes(till: Till, payment_id: str, status: int) -> payments_pb2.Payment:
    """Once it has that status; closed payments hear of money by webhook only."""

    async def there() -> bool:
        return (await till.refresh(payment_id)).status == status

    await until(there)
    await till.check_books()
    return await till.get(payment_id)


async def reasons(till: Till) -> list[str]:
    rows = await till.rows(
        "SELECT action, record FROM audit_log WHERE action LIKE 'payment.%paid' ORDER BY seq"
    )
    return [row.action for row in rows]


async def test_more_than_was_asked_for_becomes_credit(till: Till) -> None:
    payment_id = await waiting(till)
    await send(till, payment_id, 5_700)
    payment = await becomes(till, payment_id, SUCCEEDED)
    assert payment.amount.minor_units == 5_700
    assert [part.amount.minor_units for part in payment.parts] == [3_000, 2_000]
    assert payment.prepayment.minor_units == 700
    assert await reasons(till) == ["payment.overpaid"]


async def test_fewer_wait_for_the_rest_and_then_pay_what_they_can(till: Till) -> None:
    payment_id = await waiting(till)
    await send(till, payment_id, 2_500)
    await becomes(till, payment_id, payments_pb2.PAYMENT_STATUS_PROCESSING)
    await till.bank.post("/v1/clock", advance_seconds=2 * 3600)
    await till.reconcile(after_seconds=13 * 3600)
    payment = await becomes(till, payment_id, SUCCEEDED)
    assert payment.amount.minor_units == 2_500
    assert [(part.invoice_id, part.amount.minor_units) for part in payment.parts] == [("inv_1", 2_500)]
    assert await reasons(till) == ["payment.underpaid"]


async def test_coins_that_come_after_all_count_however_few(till: Till) -> None:
    payment_id = await waiting(till)
    assert (await till.cancel(payment_id)).status == payments_pb2.PAYMENT_STATUS_CANCELED
    await send(till, payment_id, 3_001)
    payment = await becomes(till, payment_id, SUCCEEDED)
    assert payment.amount.minor_units == 3_001
    assert [part.amount.minor_units for part in payment.parts] == [3_000, 1]
    assert await till.events(payment_id) == ["PaymentCanceled", "PaymentSucceeded"]

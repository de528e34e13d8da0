"""Credit: kept by the payment it came from, held while a payment is under way, used with it, never lost."""

import asyncio
from datetime import timedelta

import pytest

from chassis.errors import ServiceError
from services.invoicing.operations.expire_reservations import expire_reservations
from tallyport.invoicing.v1 import events_pb2, invoices_pb2
from tallyport.payments.v1 import events_pb2 as payments_events
from tests.service.invoicing.office import Office, usd


async def lots(office: Office, table: str = "customer_credits") -> dict[str, int]:
    """What is left by payment."""
    from sqlalchemy import text

    column = "remaining_minor_units" if table == "customer_credits" else "amount_minor_units"
    key = "payment_id" if table == "customer_credits" else "source_payment_id"
    async with office.db.read(office.organization_id) as tx:
        rows = await tx.execute(
            text(f"SELECT {key} AS key, sum({column}) AS left FROM {table}"
                 " WHERE organization_id = :id GROUP BY 1"),
            {"id": office.organization_id},
        )  # fmt: skip
        return {row.key: int(row.left) for row in rows}


async def test_held_credit_is_used_the_oldest_first_and_known_by_its_source(office: Office) -> None:
    customer = await office.customer()
    invoice = await office.invoice(customer.customer_id, 1_000)
    await office.paid("pay_a", customer.customer_id, 200, {})
    office.clock.advance(timedelta(minutes=1))
    await office.paid("pay_b", customer.customer_id, 300, {})
    await office.reserve("pay_c", customer.customer_id, {invoice.invoice_id: 1_000}, credit=350)
    assert await office.credit(customer.customer_id) == 150
    await office.paid("pay_c", customer.customer_id, 650, {invoice.invoice_id: 1_000}, credit_used=usd(350))
    assert (await office.read(invoice.invoice_id)).status == invoices_pb2.INVOICE_STATUS_PAID
    assert await lots(office) == {"pay_a": 0, "pay_b": 150}
    assert await lots(office, "credit_allocations") == {"pay_a": 200, "pay_b": 150}
    assert await office.credit(customer.customer_id) == 150
    told = (await office.events(events_pb2.PaymentApplied))[-1]
    assert (told.received.minor_units, told.credit_used.minor_units) == (650, 350)
    assert [one.amount.minor_units for one in told.applications] == [1_000]
    request = invoices_pb2.ListInvoicePaymentsRequest(invoice_id=invoice.invoice_id)
    (shown,) = (await office.call(office.invoices.ListInvoicePayments, request)).allocations
    assert (shown.payment_id, shown.amount.minor_units) == ("pay_c", 1_000)
    assert await office.wrongs() == []


async def test_a_payment_by_credit_alone_moves_no_cash(office: Office) -> None:
    customer = await office.customer()
    invoice = await office.invoice(customer.customer_id, 200)
    await office.paid("pay_a", customer.customer_id, 200, {})
    await office.reserve("pay_c", customer.customer_id, {invoice.invoice_id: 200}, credit=200)
    await office.paid("pay_c", customer.customer_id, 0, {invoice.invoice_id: 200}, credit_used=usd(200))
    assert (await office.read(invoice.invoice_id)).status == invoices_pb2.INVOICE_STATUS_PAID
    assert await office.balance("cash_clearing") == 200
    assert await office.balance("customer_credit", customer.customer_id) == 0
    assert await office.wrongs() == []


async def test_two_payments_never_hold_the_same_credit(office: Office) -> None:
    customer = await office.customer()
    invoices = [await office.invoice(customer.customer_id, 300) for _ in range(10)]
    await office.paid("pay_a", customer.customer_id, 500, {})
    results = await asyncio.gather(
        *(
            office.reserve(f"pay_{at}", customer.customer_id, {one.invoice_id: 300}, credit=200)
            for at, one in enumerate(invoices)
        ),
        return_exceptions=True,
    )
    refused = [one for one in results if isinstance(one, ServiceError)]
    assert {one.reason for one in refused} == {"CREDIT_CHANGED"}
    assert len(results) - len(refused) == 2
    assert await office.credit(customer.customer_id) == 100
    assert await office.wrongs() == []


@pytest.mark.parametrize("end", ["release", "fail", "cancel", "expire"])
async def test_a_payment_that_ends_without_money_frees_its_credit(office: Office, end: str) -> None:
    customer = await office.customer()
    invoice = await office.invoice(customer.customer_id, 300)
    await office.paid("pay_a", customer.customer_id, 200, {})
    await office.reserve("pay_c", customer.customer_id, {invoice.invoice_id: 300}, credit=200)
    if end == "release":
        await office.release("pay_c")
    elif end == "expire":
        office.clock.advance(timedelta(hours=1))
        await expire_reservations(office.db, limit=1_000)
    else:
        kind = payments_events.PaymentFailed if end == "fail" else payments_events.PaymentCanceled
        await office.deliver(kind(payment_id="pay_c"), aggregate_id="pay_c")
    assert await office.credit(customer.customer_id) == 200
    assert await office.count("credit_holds") == 0
    assert await office.wrongs() == []


async def test_money_that_comes_after_its_reservation_lapsed_is_kept_to_the_cent(office: Office) -> None:
    """The credit is used as far as nobody else took it, and less is put to the invoice if it is gone."""
    customer = await office.customer()
    invoice = await office.invoice(customer.customer_id, 1_000)
    other = await office.invoice(customer.customer_id, 150)
    await office.paid("pay_a", customer.customer_id, 400, {})
    await office.reserve("pay_c", customer.customer_id, {invoice.invoice_id: 1_000}, credit=400)
    office.clock.advance(timedelta(hours=1))
    await expire_reservations(office.db, limit=1_000)
    await office.reserve("pay_d", customer.customer_id, {other.invoice_id: 150}, credit=150)
    await office.paid("pay_c", customer.customer_id, 600, {invoice.invoice_id: 1_000}, credit_used=usd(400))
    after = await office.read(invoice.invoice_id)
    assert (after.amount_paid.minor_units, after.amount_due.minor_units) == (850, 150)
    assert await office.wrongs() == []
    await office.paid("pay_d", customer.customer_id, 0, {other.invoice_id: 150}, credit_used=usd(150))
    assert (await office.read(other.invoice_id)).status == invoices_pb2.INVOICE_STATUS_PAID
    assert await office.credit(customer.customer_id) == 0
    assert await office.wrongs() == []


async def test_money_for_an_invoice_that_was_paid_meanwhile_becomes_credit_again(office: Office) -> None:
    customer = await office.customer()
    invoice = await office.invoice(customer.customer_id, 1_000)
    await office.paid("pay_a", customer.customer_id, 400, {})
    await office.paid("pay_b", customer.customer_id, 900, {invoice.invoice_id: 900})
    await office.paid("pay_c", customer.customer_id, 600, {invoice.invoice_id: 1_000}, credit_used=usd(400))
    assert (await office.read(invoice.invoice_id)).amount_paid.minor_units == 1_000
    assert await office.credit(customer.customer_id) == 900
    assert await office.wrongs() == []


async def test_a_surcharge_pays_no_invoice_and_a_discount_does(office: Office) -> None:
    customer = await office.customer()
    dear, cheap = [await office.invoice(customer.customer_id, 1_000) for _ in range(2)]
    await office.paid("pay_1", customer.customer_id, 1_030, {dear.invoice_id: 1_000}, surcharge=usd(30))
    await office.paid("pay_2", customer.customer_id, 980, {cheap.invoice_id: 1_000}, surcharge=usd(-20))
    for one in (dear, cheap):
        assert (await office.read(one.invoice_id)).status == invoices_pb2.INVOICE_STATUS_PAID
    assert await office.credit(customer.customer_id) == 0
    assert await office.balance("cash_clearing") == 2_000
    assert await office.balance("sales_discounts") == 20
    assert await office.balance("discount_clearing") == -20
    assert await office.wrongs() == []


async def test_payments_with_credit_that_come_together_share_the_lots_rightly(office: Office) -> None:
    customer = await office.customer()
    invoices = [await office.invoice(customer.customer_id, 300) for _ in range(3)]
    await office.paid("pay_a", customer.customer_id, 500, {})
    messages = []
    for at, one in enumerate(invoices[:2]):
        await office.reserve(f"pay_{at}", customer.customer_id, {one.invoice_id: 300}, credit=250)
        messages.append(
            office.payment_succeeded(
                f"pay_{at}", customer.customer_id, 60, {one.invoice_id: 300}, credit_used=usd(250)
            )
        )
    messages.append(
        office.payment_succeeded("pay_9", customer.customer_id, 300, {invoices[2].invoice_id: 300})
    )
    await office.handle(*(office.event(one, aggregate_id=one.payment_id) for one in messages))
    for one in invoices:
        assert (await office.read(one.invoice_id)).status == invoices_pb2.INVOICE_STATUS_PAID
    assert await lots(office) == {"pay_a": 0, "pay_0": 10, "pay_1": 10}
    assert await office.wrongs() == []

"""Money that came in: put to its invoices once, and never refused."""

from datetime import timedelta

import pytest

from chassis import audit
from services.invoicing.operations.expire_reservations import expire_reservations
from tallyport.invoicing.v1 import customers_pb2, events_pb2, invoices_pb2
from tallyport.payments.v1 import events_pb2 as payments_events
from tests.service.invoicing.office import Office, usd


async def credit_of(office: Office, customer_id: str) -> int:
    request = customers_pb2.GetAccountSummaryRequest(customer_id=customer_id)
    summary = await office.call(office.customers.GetAccountSummary, request)
    return summary.balances[0].credit.minor_units


async def test_one_payment_pays_many_invoices_and_tells_whom_to_thank(office: Office) -> None:
    customer = await office.customer(email="ap@blue.example")
    first = await office.invoice(customer.customer_id, 1_000)
    second = await office.invoice(customer.customer_id, 2_000)
    parts = {first.invoice_id: 1_000, second.invoice_id: 500}
    await office.reserve("pay_1", customer.customer_id, parts)
    await office.paid("pay_1", customer.customer_id, 1_500, parts)

    assert (await office.read(first.invoice_id)).status == invoices_pb2.INVOICE_STATUS_PAID
    after = await office.read(second.invoice_id)
    assert after.status == invoices_pb2.INVOICE_STATUS_PARTLY_PAID
    assert (after.amount_due.minor_units, after.amount_processing.minor_units) == (1_500, 0)
    assert await office.invoice_events(first.invoice_id) == ["InvoiceFinalized", "InvoicePaid"]
    assert await office.invoice_events(second.invoice_id) == ["InvoiceFinalized", "InvoicePartlyPaid"]
    (applied,) = await office.events(events_pb2.PaymentApplied)
    assert (applied.contact.email, applied.notify, applied.receipt_number) == ("ap@blue.example", True, "R-1")
    assert [(part.number, part.amount.minor_units, part.amount_due.minor_units) for part in
            applied.applications] == [(first.number, 1_000, 0), (second.number, 500, 1_500)]  # fmt: skip
    assert await office.balance("receivable", customer.customer_id) == 1_500
    assert await office.balance("cash_clearing") == 1_500
    assert await office.balance("customer_credit", customer.customer_id) == 0


async def test_the_same_payment_delivered_twice_changes_nothing(office: Office) -> None:
    customer = await office.customer()
    invoice = await office.invoice(customer.customer_id, 1_000)
    for _ in range(2):
        await office.paid("pay_1", customer.customer_id, 700, {invoice.invoice_id: 700})
    assert (await office.read(invoice.invoice_id)).amount_paid.minor_units == 700
    assert len(await office.events(events_pb2.PaymentApplied)) == 1
    assert await office.balance("cash_clearing") == 700
    assert await office.count("allocations") == 1


async def test_a_late_success_after_the_reservation_lapsed_becomes_credit(office: Office) -> None:
    customer = await office.customer()
    invoice = await office.invoice(customer.customer_id, 1_000)
    await office.reserve("pay_slow", customer.customer_id, {invoice.invoice_id: 1_000})
    office.clock.advance(timedelta(hours=2))
    await expire_reservations(office.db, limit=1_000)
    await office.reserve("pay_quick", customer.customer_id, {invoice.invoice_id: 1_000})
    await office.paid("pay_quick", customer.customer_id, 1_000, {invoice.invoice_id: 1_000})
    await office.paid("pay_slow", customer.customer_id, 1_000, {invoice.invoice_id: 1_000})

    assert (await office.read(invoice.invoice_id)).amount_paid.minor_units == 1_000
    assert await credit_of(office, customer.customer_id) == 1_000
    assert await office.balance("customer_credit", customer.customer_id) == -1_000
    last = (await office.events(events_pb2.PaymentApplied))[-1]
    assert (list(last.applications), last.credited.minor_units) == ([], 1_000)


async def test_a_late_success_takes_what_nobody_else_holds(office: Office) -> None:
    customer = await office.customer()
    invoice = await office.invoice(customer.customer_id, 1_000)
    await office.reserve("pay_other", customer.customer_id, {invoice.invoice_id: 300})
    await office.paid("pay_late", customer.customer_id, 1_000, {invoice.invoice_id: 1_000})
    after = await office.read(invoice.invoice_id)
    assert (after.amount_paid.minor_units, after.amount_processing.minor_units) == (700, 300)
    assert await credit_of(office, customer.customer_id) == 300


async def test_money_for_a_voided_a_drafted_and_an_unknown_invoice_is_credit(office: Office) -> None:
    customer = await office.customer()
    voided = await office.invoice(customer.customer_id, 1_000)
    void = invoices_pb2.VoidInvoiceRequest(invoice_id=voided.invoice_id, reason="Wrong")
    await office.call(office.invoices.VoidInvoice, void)
    draft = await office.draft(customer.customer_id, 1_000)
    parts = {voided.invoice_id: 1_000, draft.invoice_id: 1_000, "inv_unknown": 1_000}
    await office.paid("pay_1", customer.customer_id, 3_000, parts)
    assert await credit_of(office, customer.customer_id) == 3_000
    assert await office.balance("receivable", customer.customer_id) == 0


async def test_an_overpayment_is_credit(office: Office) -> None:
    customer = await office.customer()
    invoice = await office.invoice(customer.customer_id, 1_000)
    await office.paid("pay_1", customer.customer_id, 1_250, {invoice.invoice_id: 1_250})
    assert await credit_of(office, customer.customer_id) == 250


async def test_money_in_another_currency_is_credit_in_that_currency(office: Office) -> None:
    customer = await office.customer()
    invoice = await office.invoice(customer.customer_id, 1_000)
    message = payments_events.PaymentSucceeded(
        payment_id="pay_1", customer_id=customer.customer_id, received_on="2026-11-21", notify=True
    )
    message.amount.CopyFrom(usd(1_000))
    message.amount.currency = "EUR"
    message.parts.add(invoice_id=invoice.invoice_id).amount.CopyFrom(message.amount)
    await office.deliver(message, aggregate_id="pay_1")
    assert (await office.read(invoice.invoice_id)).amount_paid.minor_units == 0
    request = customers_pb2.GetAccountSummaryRequest(customer_id=customer.customer_id)
    balances = (await office.call(office.customers.GetAccountSummary, request)).balances
    assert [(one.open.currency, one.credit.minor_units) for one in balances] == [("USD", 0), ("EUR", 1_000)]


@pytest.mark.parametrize("kind", [payments_events.PaymentFailed, payments_events.PaymentCanceled])
async def test_a_payment_that_ends_without_money_frees_its_invoices(
    office: Office, kind: type[payments_events.PaymentFailed | payments_events.PaymentCanceled]
) -> None:
    customer = await office.customer()
    invoice = await office.invoice(customer.customer_id, 1_000)
    await office.reserve("pay_1", customer.customer_id, {invoice.invoice_id: 1_000})
    await office.deliver(kind(payment_id="pay_1", customer_id=customer.customer_id), aggregate_id="pay_1")
    assert (await office.read(invoice.invoice_id)).amount_processing.minor_units == 0
    assert await office.invoice_events(invoice.invoice_id) == ["InvoiceFinalized"]


async def test_history_counts_on_its_own_day_and_nobody_is_told(office: Office) -> None:
    customer = await office.customer()
    invoice = await office.invoice(customer.customer_id, 1_000)
    await office.paid(
        "pay_1", customer.customer_id, 1_000, {invoice.invoice_id: 1_000},
        received_on="2026-10-05", notify=False,
    )  # fmt: skip
    paid_at = (await office.read(invoice.invoice_id)).paid_at.ToDatetime()
    assert paid_at.isoformat() == "2026-10-05T04:00:00"
    assert [event.notify for event in await office.events(events_pb2.PaymentApplied)] == [False]
    request = invoices_pb2.ListInvoicePaymentsRequest(invoice_id=invoice.invoice_id)
    (allocation,) = (await office.call(office.invoices.ListInvoicePayments, request)).allocations
    assert (allocation.payment_id, allocation.received_on) == ("pay_1", "2026-10-05")


async def test_every_change_is_in_an_unbroken_audit_log(office: Office) -> None:
    customer = await office.customer()
    invoice = await office.invoice(customer.customer_id, 1_000)
    await office.paid("pay_1", customer.customer_id, 1_000, {invoice.invoice_id: 1_000})
    async with office.db.read(office.organization_id) as tx:
        assert await audit.verify(tx) is None
    assert await office.count("audit_log") == 5


async def test_payments_that_come_together_are_applied_one_after_the_other(office: Office) -> None:
    """One was applied before, two more go to the same invoice, one names another customer's too."""
    customer, neighbour = await office.customer(), await office.customer(name="Other")
    invoice = await office.invoice(customer.customer_id, 1_000)
    theirs = await office.invoice(neighbour.customer_id, 400)
    await office.reserve("pay_2", customer.customer_id, {invoice.invoice_id: 500})
    await office.paid("pay_1", customer.customer_id, 300, {invoice.invoice_id: 300})
    messages = [
        office.payment_succeeded("pay_1", customer.customer_id, 300, {invoice.invoice_id: 300}),
        office.payment_succeeded("pay_2", customer.customer_id, 500, {invoice.invoice_id: 500}),
        office.payment_succeeded("pay_3", customer.customer_id, 300, {invoice.invoice_id: 300}),
        office.payment_succeeded(
            "pay_4", neighbour.customer_id, 400, {theirs.invoice_id: 400, invoice.invoice_id: 1}
        ),
    ]
    await office.handle(*(office.event(one, aggregate_id=one.payment_id) for one in messages))

    after = await office.read(invoice.invoice_id)
    assert (after.status, after.amount_processing.minor_units) == (invoices_pb2.INVOICE_STATUS_PAID, 0)
    assert await office.invoice_events(invoice.invoice_id) == [
        "InvoiceFinalized", "InvoicePartlyPaid", "InvoicePartlyPaid", "InvoicePaid",
    ]  # fmt: skip
    assert (await office.read(theirs.invoice_id)).status == invoices_pb2.INVOICE_STATUS_PAID
    told = await office.events(events_pb2.PaymentApplied)
    assert [(one.payment_id, one.credited.minor_units) for one in told] == [
        ("pay_1", 0), ("pay_2", 0), ("pay_3", 100), ("pay_4", 0),
    ]  # fmt: skip
    assert await credit_of(office, customer.customer_id) == 100
    assert await office.balance("cash_clearing") == 1_500

"""What may be kept by whoever pays all of an invoice in time, by the calendar of the payer."""

from datetime import UTC, datetime

import pytest

from tallyport.invoicing.v1 import invoices_pb2, reservations_pb2
from tests.service.invoicing.office import Office, usd

_PAID, _PARTLY = invoices_pb2.INVOICE_STATUS_PAID, invoices_pb2.INVOICE_STATUS_PARTLY_PAID
_UNTIL = "2026-11-24"


async def _invoice(office: Office, customer_id: str, *cents: int, **fields: object) -> invoices_pb2.Invoice:
    terms = {"early_discount_percent": "2", "early_discount_until": _UNTIL, **fields}
    return await office.invoice(customer_id, *cents, **terms)


def _set_clock(office: Office, moment: str) -> None:
    office.clock.advance(datetime.fromisoformat(moment).replace(tzinfo=UTC) - office.clock.now())


@pytest.mark.parametrize(
    ("zone", "last", "first_after"),
    [
        # Moments in UTC right before midnight of the last day there, and a while after it.
        ("Pacific/Kiritimati", "2026-11-24T09:59:59", "2026-11-24T10:16:00"),
        ("Pacific/Pago_Pago", "2026-11-25T10:59:59", "2026-11-25T11:16:00"),
        ("", "2026-11-25T04:59:59", "2026-11-25T05:16:00"),
    ],
)
async def test_the_last_day_is_the_payers(office: Office, zone: str, last: str, first_after: str) -> None:
    customer = await office.customer(time_zone=zone)
    invoice = await _invoice(office, customer.customer_id, 10_000)
    _set_clock(office, "2026-11-22T12:00:00")
    assert (await office.read(invoice.invoice_id)).early_payment.minor_units == 9_800
    (listed,) = (await office.list_invoices(customer_id=customer.customer_id)).invoices
    assert listed.early_payment.minor_units == 9_800
    found = reservations_pb2.FindOpenItemsRequest(
        organization_id=office.organization_id, invoice_ids=[invoice.invoice_id]
    )
    (item,) = (await office.as_payments(office.open_items.FindOpenItems, found)).items
    assert (item.amount_due.minor_units, item.asked_now.minor_units) == (10_000, 9_800)
    ends = item.discount_ends_at.ToDatetime()
    assert datetime.fromisoformat(last) < ends <= datetime.fromisoformat(first_after)
    _set_clock(office, last)
    plan = await office.plan(customer.customer_id)
    (part,) = plan.parts
    assert (part.amount.minor_units, part.discount.minor_units) == (9_800, 200)
    assert (part.amount_due.minor_units, plan.payable.minor_units) == (9_800, 9_800)
    late = await _invoice(office, customer.customer_id, 10_000, invoice_date=_UNTIL)
    await office.reserve("pay_1", customer.customer_id, {invoice.invoice_id: 9_800})
    _set_clock(office, first_after)
    assert not (await office.read(late.invoice_id)).HasField("early_payment")
    (again,) = (await office.plan(customer.customer_id)).parts
    assert (again.invoice_id, again.amount.minor_units) == (late.invoice_id, 10_000)
    assert not again.HasField("discount")
    await office.reserve("pay_2", customer.customer_id, {late.invoice_id: 9_800})
    # Both settle days later; what counts is when they were begun.
    for payment_id, one in (("pay_1", invoice), ("pay_2", late)):
        await office.paid(
            payment_id, customer.customer_id, 9_800, {one.invoice_id: 9_800}, received_on="2026-11-24"
        )
    paid, short = await office.read(invoice.invoice_id), await office.read(late.invoice_id)
    assert (paid.status, paid.amount_credited.minor_units) == (_PAID, 200)
    assert (short.status, short.amount_due.minor_units) == (_PARTLY, 200)
    assert await office.reductions(invoice.invoice_id) == [("early_discount", 200)]
    assert await office.wrongs() == []


async def test_revenue_and_tax_are_lessened_in_proportion(office: Office) -> None:
    customer = await office.customer()
    line = invoices_pb2.InvoiceLineInput(description="Rope", unit_price=usd(10_000), tax_rate_percent="19")
    invoice = await _invoice(office, customer.customer_id, lines=[line])
    await office.paid("pay_1", customer.customer_id, 11_662, {invoice.invoice_id: 11_662})
    assert (await office.read(invoice.invoice_id)).status == _PAID
    assert await office.balance("early_discounts") == 200
    assert await office.balance("tax_payable") == -1_862
    assert await office.balance("receivable", customer.customer_id) == 0
    assert await office.wrongs() == []


@pytest.mark.parametrize(
    ("received_on", "status"), [("2026-11-23", _PAID), ("2026-11-24", _PAID), ("2026-11-25", _PARTLY)]
)
async def test_a_transfer_counts_on_the_day_its_money_came(
    office: Office, received_on: str, status: int
) -> None:
    customer = await office.customer()
    invoice = await _invoice(office, customer.customer_id, 10_000)
    _set_clock(office, "2026-12-01T12:00:00")
    request = reservations_pb2.FindOpenItemsRequest(
        organization_id=office.organization_id, amounts=[usd(9_800)]
    )
    (item,) = (await office.as_payments(office.open_items.FindOpenItems, request)).items
    assert (item.discounted_due.minor_units, item.discount_until) == (9_800, _UNTIL)
    await office.paid(
        "pay_1", customer.customer_id, 9_800, {invoice.invoice_id: 9_800}, received_on=received_on
    )
    assert (await office.read(invoice.invoice_id)).status == status
    assert await office.wrongs() == []


async def test_parts_earn_nothing_unless_the_last_one_settles_the_rest_in_time(office: Office) -> None:
    customer = await office.customer()
    invoice = await _invoice(office, customer.customer_id, 10_000)
    (part,) = (await office.plan(customer.customer_id, amount=usd(4_000))).parts
    assert (part.amount.minor_units, part.HasField("discount")) == (4_000, False)
    await office.paid("pay_1", customer.customer_id, 4_000, {invoice.invoice_id: 4_000})
    assert (await office.read(invoice.invoice_id)).amount_due.minor_units == 6_000
    (rest,) = (await office.plan(customer.customer_id)).parts
    assert (rest.amount.minor_units, rest.discount.minor_units) == (5_800, 200)
    await office.reserve("pay_2", customer.customer_id, {invoice.invoice_id: 5_800})
    await office.paid("pay_2", customer.customer_id, 5_800, {invoice.invoice_id: 5_800})
    assert (await office.read(invoice.invoice_id)).status == _PAID
    assert await office.wrongs() == []


async def test_who_pays_in_full_keeps_nothing_and_what_is_credited_earns_nothing(office: Office) -> None:
    customer = await office.customer()
    invoice = await _invoice(office, customer.customer_id, 10_000)
    await office.paid("pay_1", customer.customer_id, 10_000, {invoice.invoice_id: 10_000})
    assert (await office.read(invoice.invoice_id)).amount_credited.minor_units == 0
    other = await _invoice(office, customer.customer_id, 10_000)
    await office.credit_note(other.invoice_id, 5_000)
    assert (await office.read(other.invoice_id)).early_payment.minor_units == 4_900
    assert await office.wrongs() == []


async def test_who_did_not_pay_after_all_has_not_paid_early(office: Office) -> None:
    customer = await office.customer()
    invoice = await _invoice(office, customer.customer_id, 10_000)
    await office.reserve("pay_1", customer.customer_id, {invoice.invoice_id: 9_800})
    await office.paid("pay_1", customer.customer_id, 9_800, {invoice.invoice_id: 9_800})
    await office.reversed("pay_1", customer.customer_id, 9_800, whole=True)
    after = await office.read(invoice.invoice_id)
    assert (after.amount_due.minor_units, after.amount_credited.minor_units) == (10_000, 0)
    assert await office.wrongs() == []
    await office.reinstated("pay_1", customer.customer_id, 9_800)
    assert (await office.read(invoice.invoice_id)).status == _PAID
    expected = [("early_discount", 200), ("early_discount", -200), ("early_discount", 200)]
    assert await office.reductions(invoice.invoice_id) == expected
    assert await office.balance("early_discounts") == 200
    assert await office.wrongs() == []


async def test_nothing_is_offered_while_a_part_is_in_dispute_or_on_its_way(office: Office) -> None:
    customer = await office.customer()
    invoice = await _invoice(office, customer.customer_id, 10_000)
    await office.reserve("pay_1", customer.customer_id, {invoice.invoice_id: 1_000})
    assert not (await office.read(invoice.invoice_id)).HasField("early_payment")
    (part,) = (await office.plan(customer.customer_id)).parts
    assert (part.amount.minor_units, part.HasField("discount")) == (9_000, False)

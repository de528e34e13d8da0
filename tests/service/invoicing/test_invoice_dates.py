"""Days of invoices stay near today, and those of discounts for paying early within the invoice's."""

from typing import Any

import pytest

from chassis.errors import ServiceError
from tallyport.invoicing.v1 import customers_pb2, invoices_pb2
from tests.service.invoicing.office import Office

EARLY: dict[str, Any] = {"early_discount_percent": "2"}


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"invoice_date": "1999-01-01"}, "invoice_date"),
        ({"invoice_date": "2025-11-19"}, "invoice_date"),
        ({"invoice_date": "2030-01-01", "due_date": "2030-02-01"}, "invoice_date"),
        ({"due_date": "2031-12-31"}, "due_date"),
        ({"due_date": "2026-11-20"}, "due_date"),
        (EARLY, "early_discount_until"),
        ({**EARLY, "early_discount_until": "2026-11-20"}, "early_discount_until"),
        (
            {**EARLY, "due_date": "2026-11-25", "early_discount_until": "2026-11-26"},
            "early_discount_until",
        ),
    ],
)
async def test_days_that_make_no_sense_are_refused(
    office: Office, fields: dict[str, Any], field: str
) -> None:
    customer = await office.customer()
    with pytest.raises(ServiceError) as created:
        await office.draft(customer.customer_id, **fields)
    assert [one.field for one in created.value.fields] == [field]
    draft = await office.draft(customer.customer_id)
    request = invoices_pb2.UpdateInvoiceRequest(invoice_id=draft.invoice_id, **fields)
    with pytest.raises(ServiceError) as updated:
        await office.call(office.invoices.UpdateInvoice, request)
    assert [one.field for one in updated.value.fields] == [field]


async def test_a_year_back_and_ahead_is_taken(office: Office) -> None:
    customer = await office.customer()
    for day in ("2025-11-20", "2027-11-22"):
        assert (await office.invoice(customer.customer_id, invoice_date=day)).invoice_date == day


async def test_a_discount_by_the_customers_terms_ends_when_it_is_due_at_the_latest(office: Office) -> None:
    terms = customers_pb2.CustomerPaymentTerms(days=30, early_discount_percent="2", early_discount_days=10)
    customer = await office.customer(payment_terms=terms)
    draft = await office.draft(customer.customer_id, due_date="2026-11-26")
    assert draft.early_discount_until == "2026-11-26"
    request = invoices_pb2.UpdateInvoiceRequest(invoice_id=draft.invoice_id, due_date="2026-11-24")
    changed = await office.call(office.invoices.UpdateInvoice, request)
    assert changed.early_discount_until == "2026-11-24"


async def test_a_discount_that_was_taken_is_told_as_it_was_booked(office: Office) -> None:
    customer = await office.customer()
    invoice = await office.invoice(customer.customer_id, 11_900, early_discount_until="2026-11-24", **EARLY)
    await office.paid("pay_1", customer.customer_id, 11_662, {invoice.invoice_id: 11_662})
    read = await office.read(invoice.invoice_id)
    (listed,) = (await office.list_invoices(customer_id=customer.customer_id)).invoices
    assert read.early_discount.minor_units == listed.early_discount.minor_units == 238
    assert await office.reductions(invoice.invoice_id) == [("early_discount", 238)]

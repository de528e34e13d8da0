"""Finalizing: numbers without gaps, the booking, the event, and nothing after that may change."""

import asyncio

import pytest

from chassis.database import Database
from chassis.errors import ServiceError
from services.invoicing.store.numbers import draw_number
from tallyport.invoicing.v1 import customers_pb2, events_pb2, invoices_pb2
from tests.service.invoicing.office import Office, usd


async def test_a_final_invoice_has_a_number_is_booked_and_announced(office: Office) -> None:
    customer = await office.customer(email="ap@blue.example")
    lines = [
        invoices_pb2.InvoiceLineInput(description="Rope", unit_price=usd(10_000), tax_rate_percent="6.25")
    ]
    invoice = await office.invoice(customer.customer_id, lines=lines)
    assert invoice.number == "INV-000001"
    assert invoice.status == invoices_pb2.INVOICE_STATUS_OPEN
    assert (invoice.total.minor_units, invoice.tax_total.minor_units) == (10_625, 625)
    assert await office.balance("receivable", customer.customer_id) == 10_625
    assert await office.balance("revenue") == -10_000
    assert await office.balance("tax_payable") == -625
    (event,) = await office.events(events_pb2.InvoiceFinalized)
    assert (event.number, event.contact.email, event.notify) == ("INV-000001", "ap@blue.example", True)
    assert (event.invoice_date, event.due_date) == ("2026-11-21", "2026-12-21")


async def test_numbers_have_no_gaps_when_finalizations_race_and_others_fail(office: Office) -> None:
    customer = await office.customer()
    drafts = [await office.draft(customer.customer_id, 100 + at) for at in range(12)]
    broken = [await office.draft(customer.customer_id, -5) for _ in range(6)]
    mixed = [draft for pair in zip(drafts, broken * 2, strict=True) for draft in pair]
    results = await asyncio.gather(
        *(office.finalize(draft.invoice_id) for draft in mixed), return_exceptions=True
    )
    numbers = sorted(result.number for result in results if not isinstance(result, BaseException))
    assert numbers == [f"INV-{at:06d}" for at in range(1, 13)]
    refusals = {result.reason for result in results if isinstance(result, ServiceError)}
    assert refusals == {"INVOICE_TOTAL_NOT_POSITIVE"}


async def test_a_rolled_back_transaction_gives_its_number_back(office: Office, db: Database) -> None:
    customer = await office.customer()

    async def fail() -> None:
        async with db.write(office.organization_id) as tx:
            assert await draw_number(tx) == ("INV-000001", False)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        await fail()
    assert (await office.invoice(customer.customer_id)).number == "INV-000001"


async def test_organizations_count_their_own_numbers(office: Office, other_office: Office) -> None:
    for each in (office, other_office):
        customer = await each.customer()
        assert (await each.invoice(customer.customer_id)).number == "INV-000001"


async def test_a_repeated_key_finalizes_once(office: Office) -> None:
    customer = await office.customer()
    draft = await office.draft(customer.customer_id)
    first = await office.finalize(draft.invoice_id, key="k1")
    assert await office.finalize(draft.invoice_id, key="k1") == first
    with pytest.raises(ServiceError, match="INVOICE_NOT_DRAFT"):
        await office.finalize(draft.invoice_id, key="k2")
    assert await office.invoice_events(draft.invoice_id) == ["InvoiceFinalized"]


async def test_a_final_invoice_cannot_be_edited(office: Office) -> None:
    customer = await office.customer()
    invoice = await office.invoice(customer.customer_id)
    change = invoices_pb2.UpdateInvoiceRequest(invoice_id=invoice.invoice_id, memo="More")
    with pytest.raises(ServiceError, match="INVOICE_NOT_DRAFT"):
        await office.call(office.invoices.UpdateInvoice, change)


async def test_the_buyer_is_printed_as_at_the_time_of_finalization(office: Office) -> None:
    customer = await office.customer(name="Old Name")
    invoice = await office.invoice(customer.customer_id)
    rename = customers_pb2.UpdateCustomerRequest(customer_id=customer.customer_id, name="New Name")
    assert (await office.call(office.customers.UpdateCustomer, rename)).version == 2
    assert (await office.read(invoice.invoice_id)).customer_name == "Old Name"


async def test_the_invoice_of_another_organization_does_not_exist(
    office: Office, other_office: Office
) -> None:
    customer = await other_office.customer()
    draft = await other_office.draft(customer.customer_id)
    with pytest.raises(ServiceError, match="INVOICE_NOT_FOUND"):
        await office.finalize(draft.invoice_id)


async def test_no_invoice_takes_a_number_of_the_credit_notes(office: Office) -> None:
    customer = await office.customer()
    with pytest.raises(ServiceError) as refused:
        await office.draft(customer.customer_id, series="credit-note")
    assert [one.field for one in refused.value.fields] == ["series"]
    draft = await office.draft(customer.customer_id, series="export")
    change = invoices_pb2.UpdateInvoiceRequest(invoice_id=draft.invoice_id, series="credit-note")
    with pytest.raises(ServiceError, match="VALIDATION_FAILED"):
        await office.call(office.invoices.UpdateInvoice, change)

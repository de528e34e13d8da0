"""Who sees what: customers their own final invoices, a pay link one, other organizations nothing."""

import pytest

from chassis.errors import ServiceError
from tallyport.invoicing.v1 import customers_pb2, invoices_pb2
from tests.service.invoicing.office import Office


async def test_customers_see_their_own_final_invoices_only(office: Office) -> None:
    mine, theirs = await office.customer(), await office.customer(name="Other")
    person = office.person_of(mine.customer_id)
    seen = await office.invoice(mine.customer_id)
    draft = await office.draft(mine.customer_id)
    foreign = await office.invoice(theirs.customer_id)
    assert (await office.read(seen.invoice_id, as_=person)).number == seen.number
    for hidden in (draft, foreign):
        with pytest.raises(ServiceError, match="INVOICE_NOT_FOUND"):
            await office.read(hidden.invoice_id, as_=person)
    for customer_id in ("", mine.customer_id):
        listed = await office.list_invoices(as_=person, customer_id=customer_id)
        assert [invoice.invoice_id for invoice in listed.invoices] == [seen.invoice_id]
    with pytest.raises(ServiceError, match="CUSTOMER_NOT_FOUND"):
        await office.list_invoices(as_=person, customer_id=theirs.customer_id)
    drafts = await office.list_invoices(as_=person, filter=invoices_pb2.INVOICE_FILTER_DRAFT)
    assert not drafts.invoices


async def test_a_pay_link_opens_its_invoice_only(office: Office) -> None:
    customer = await office.customer()
    first, second = [await office.invoice(customer.customer_id) for _ in range(2)]
    holder = office.link_holder(customer.customer_id, first.invoice_id)
    pdf = invoices_pb2.GetInvoicePdfRequest(invoice_id=first.invoice_id)
    document = await office.call(office.invoices.GetInvoicePdf, pdf, as_=holder)
    assert (document.media_type, document.content[:5]) == ("application/pdf", b"%PDF-")
    assert (await office.read(first.invoice_id, as_=holder)).number == first.number
    with pytest.raises(ServiceError, match="INVOICE_NOT_FOUND"):
        await office.read(second.invoice_id, as_=holder)
    payments = invoices_pb2.ListInvoicePaymentsRequest(invoice_id=second.invoice_id)
    with pytest.raises(ServiceError, match="INVOICE_NOT_FOUND"):
        await office.call(office.invoices.ListInvoicePayments, payments, as_=holder)


async def test_customers_see_their_own_account_only(office: Office) -> None:
    mine, theirs = await office.customer(), await office.customer()
    person = office.person_of(mine.customer_id)
    own = customers_pb2.GetAccountSummaryRequest(customer_id=mine.customer_id)
    await office.call(office.customers.GetAccountSummary, own, as_=person)
    foreign = customers_pb2.GetAccountSummaryRequest(customer_id=theirs.customer_id)
    with pytest.raises(ServiceError, match="CUSTOMER_NOT_FOUND"):
        await office.call(office.customers.GetAccountSummary, foreign, as_=person)
    other = customers_pb2.GetCustomerRequest(customer_id=theirs.customer_id)
    with pytest.raises(ServiceError, match="CUSTOMER_NOT_FOUND"):
        await office.call(office.customers.GetCustomer, other, as_=person)


async def test_other_organizations_see_nothing(office: Office, other_office: Office) -> None:
    customer = await office.customer(external_id="C-1")
    invoice = await office.invoice(customer.customer_id, external_id="I-1")
    with pytest.raises(ServiceError, match="INVOICE_NOT_FOUND"):
        await other_office.read(invoice.invoice_id)
    with pytest.raises(ServiceError, match="CUSTOMER_NOT_FOUND"):
        await other_office.draft(customer.customer_id)
    assert not (await other_office.list_invoices()).invoices
    twin = await other_office.customer(external_id="C-1")
    await other_office.invoice(twin.customer_id, external_id="I-1")

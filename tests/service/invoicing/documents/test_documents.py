"""Documents as those get them who may: PDFs with the e-invoice inside, and the e-invoice beside them."""

import io

import pytest
from lxml import etree
from pypdf import PdfReader

from chassis.caller import call_scope, service_call
from chassis.errors import ServiceError
from tallyport.identity.v1 import organizations_pb2
from tallyport.invoicing.v1 import documents_pb2 as pb
from tallyport.invoicing.v1 import invoices_pb2
from tests.service.invoicing.office import Office, usd


def text_of(content: bytes) -> str:
    return " ".join(" ".join(page.extract_text().split()) for page in PdfReader(io.BytesIO(content)).pages)


async def at_home(office: Office) -> None:
    """The organization has an address and a tax id, as EN 16931 wants it."""
    address = organizations_pb2.PostalAddress(
        lines=["88 Wharf"], city="Boston", postal_code="02110", country="US"
    )
    await office.organization_changed(2, address=address, tax_id="04-1234567")


async def xml_of(office: Office, invoice_id: str, **options: object) -> invoices_pb2.Document:
    as_ = options.pop("as_", None)
    request = pb.GetInvoiceXmlRequest(invoice_id=invoice_id, **options)  # type: ignore[arg-type]
    return await office.call(office.documents.GetInvoiceXml, request, as_=as_)  # type: ignore[arg-type]


async def test_an_einvoice_is_given_in_both_syntaxes_to_those_who_see_the_invoice(office: Office) -> None:
    await at_home(office)
    customer = await office.customer(country="DE", tax_id="DE136695976")
    stranger = await office.customer()
    invoice = await office.invoice(customer.customer_id, 12_300)
    ubl = await xml_of(office, invoice.invoice_id)
    assert (ubl.file_name, ubl.media_type) == (f"invoice-{invoice.number}.xml", "application/xml")
    assert etree.fromstring(ubl.content).tag.endswith("}Invoice")
    for caller in (
        office.person_of(customer.customer_id), office.link_holder(customer.customer_id, invoice.invoice_id),
    ):  # fmt: skip
        cii = await xml_of(office, invoice.invoice_id, syntax=pb.E_INVOICE_SYNTAX_CII, as_=caller)
        assert etree.fromstring(cii.content).tag.endswith("}CrossIndustryInvoice")
        assert invoice.number in cii.content.decode()
    with pytest.raises(ServiceError, match="INVOICE_NOT_FOUND"):
        await xml_of(office, invoice.invoice_id, as_=office.person_of(stranger.customer_id))


async def test_what_an_einvoice_lacks_is_named(office: Office) -> None:
    customer = await office.customer()
    invoice = await office.invoice(customer.customer_id)
    with pytest.raises(ServiceError, match="E_INVOICE_NOT_POSSIBLE") as refused:
        await xml_of(office, invoice.invoice_id)
    for lack in ("the country of your own address", "the customer's country", "your tax id"):
        assert lack in refused.value.message, lack
    draft = await office.draft(customer.customer_id)
    with pytest.raises(ServiceError, match="E_INVOICE_NOT_POSSIBLE"):
        await xml_of(office, draft.invoice_id)


async def test_a_credit_note_has_documents_of_its_own_and_stands_on_its_invoice(office: Office) -> None:
    await at_home(office)
    customer = await office.customer(country="DE", locale="de-DE")
    stranger = await office.customer()
    lines = [
        invoices_pb2.InvoiceLineInput(description="Rope", unit_price=usd(10_000), tax_rate_percent="19"),
        invoices_pb2.InvoiceLineInput(description="Book", unit_price=usd(2_000), tax_rate_percent="7"),
    ]
    invoice = await office.invoice(customer.customer_id, lines=lines)
    note = await office.credit_note(invoice.invoice_id, 5_000)
    payer = office.person_of(customer.customer_id)
    pdf_wanted = pb.GetCreditNotePdfRequest(credit_note_id=note.credit_note_id)
    pdf = await office.call(office.documents.GetCreditNotePdf, pdf_wanted, as_=payer)
    assert pdf.file_name == f"credit-note-{note.number}.pdf"
    for wanted in ("Rechnungskorrektur", note.number, invoice.number, "Came back", "50,00"):
        assert wanted in text_of(pdf.content), wanted
    xml_wanted = pb.GetCreditNoteXmlRequest(credit_note_id=note.credit_note_id)
    xml = await office.call(office.documents.GetCreditNoteXml, xml_wanted, as_=payer)
    assert etree.fromstring(xml.content).tag.endswith("}CreditNote")
    (payable,) = etree.fromstring(xml.content).iter("{*}PayableAmount")
    assert payable.text == "50.00"
    for method, request in (
        (office.documents.GetCreditNotePdf, pdf_wanted), (office.documents.GetCreditNoteXml, xml_wanted),
    ):  # fmt: skip
        with pytest.raises(ServiceError, match="CREDIT_NOTE_NOT_FOUND"):
            await office.call(method, request, as_=office.person_of(stranger.customer_id))
    shown = await office.call(
        office.invoices.GetInvoicePdf, invoices_pb2.GetInvoicePdfRequest(invoice_id=invoice.invoice_id)
    )
    assert f"Rechnungskorrektur {note.number}" in text_of(shown.content)


async def test_the_mail_with_a_credit_note_is_told_what_is_due_now(office: Office) -> None:
    customer = await office.customer()
    invoice = await office.invoice(customer.customer_id, 10_000)
    note = await office.credit_note(invoice.invoice_id, 4_000)
    await office.credit_note(invoice.invoice_id, 1_000)
    request = pb.GetCreditNoteDeliveryRequest(
        organization_id=office.organization_id, credit_note_id=note.credit_note_id
    )
    with call_scope(service_call("notifications", None)):
        told = await office.documents.GetCreditNoteDelivery(request, None)
    assert told.amount_due.minor_units == 5_000
    assert told.file_name == f"credit-note-{note.number}.pdf"
    assert note.number in text_of(told.pdf)

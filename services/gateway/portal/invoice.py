"""One invoice as on paper, with what was paid on it."""

import asyncio
from collections.abc import Sequence
from typing import Any

from litestar import Response, get
from litestar.params import FromPath

from services.gateway.portal import owing, planned, transferring
from services.gateway.web import documents, einvoices
from services.gateway.web.page import Page
from services.gateway.web.plans import plan_status
from tallyport.invoicing.v1.credit_notes_pb2 import CreditNote, ListCreditNotesRequest
from tallyport.invoicing.v1.invoices_pb2 import (
    GetInvoicePdfRequest,
    GetInvoiceRequest,
    ListInvoicePaymentsRequest,
)


@get("/invoices/{invoice_id:str}", name="portal.invoice")
async def show(page: Page, invoice_id: FromPath[str]) -> Response[str]:
    """Lines, totals, payments made, and the way to pay."""
    invoice, paid, begun, claims, organization, plans = await asyncio.gather(
        page.call(page.to.invoices.GetInvoice, GetInvoiceRequest(invoice_id=invoice_id)),
        page.call(page.to.invoices.ListInvoicePayments, ListInvoicePaymentsRequest(invoice_id=invoice_id)),
        owing.begun(page),
        transferring.claims_of(page, [invoice_id]),
        page.organization(),
        planned.live_plans(page),
    )
    invoice = begun.set_aside(invoice)
    over = next((one for one in plans if any(part.invoice_id == invoice_id for part in one.invoices)), None)
    notes: Sequence[CreditNote] = ()
    if invoice.amount_credited.minor_units:
        request = ListCreditNotesRequest(invoice_id=invoice_id, page_size=100)
        notes = (await page.call(page.to.credit_notes.ListCreditNotes, request)).credit_notes
    return page.render(
        "invoice.html",
        invoice=invoice,
        credit_notes=notes,
        allocations=paid.allocations,
        organization=organization,
        payable=owing.payable(invoice),
        asked=owing.asked(invoice),
        begun=begun.for_invoice(invoice_id),
        plan=over,
        plan_status=plan_status,
        claims=claims,
        claim_status=transferring.claim_status,
        einvoice=await einvoices.get_einvoice(page, invoice_id),
        **einvoices.WORDS,
    )


@get("/invoices/{invoice_id:str}/pdf", name="portal.invoice.pdf")
async def document(page: Page, invoice_id: FromPath[str]) -> Response[bytes]:
    """The document to save."""
    return await invoice_pdf(page, invoice_id)


@get("/invoices/{invoice_id:str}/xml", name="portal.invoice.xml")
async def einvoice(page: Page, invoice_id: FromPath[str]) -> Response[Any]:
    """The e-invoice to save."""
    return await documents.einvoice(page, invoice_id, back=f"/invoices/{invoice_id}")


@get("/credit-notes/{credit_note_id:str}/pdf", name="portal.credit_note.pdf")
async def credit_note(page: Page, credit_note_id: FromPath[str]) -> Response[Any]:
    """The credit note to save."""
    return await documents.credit_note(page, credit_note_id)


async def invoice_pdf(page: Page, invoice_id: str) -> Response[bytes]:
    """For everybody who may see the invoice."""
    file = await page.call(page.to.invoices.GetInvoicePdf, GetInvoicePdfRequest(invoice_id=invoice_id))
    return page.document(file.content, media_type=file.media_type, file_name=file.file_name)

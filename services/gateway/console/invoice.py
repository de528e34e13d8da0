"""One invoice: the document, what happened to it, and what can be done with it."""

import asyncio
from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath

from chassis.errors import ServiceError
from services.gateway.console.asking import REFUSALS, if_found, if_there
from services.gateway.console.history import invoice_history
from services.gateway.console.reductions import reductions_of
from services.gateway.console.words import WORDS, void_hindrance
from services.gateway.web import documents, einvoices, problems
from services.gateway.web.forms import FieldErrors
from services.gateway.web.languages import gettext as _
from services.gateway.web.page import Page
from tallyport.invoicing.v1.customers_pb2 import GetCustomerRequest
from tallyport.invoicing.v1.invoices_pb2 import (
    GetInvoicePdfRequest,
    GetInvoiceRequest,
    Invoice,
    InvoiceStatus,
    ListInvoicePaymentsRequest,
    VoidInvoiceRequest,
)
from tallyport.invoicing.v1.pay_links_pb2 import CreatePayLinkRequest, PayLink, RevokePayLinkRequest
from tallyport.notifications.v1.messages_pb2 import ListMessagesRequest

_PAYABLE = (InvoiceStatus.INVOICE_STATUS_OPEN, InvoiceStatus.INVOICE_STATUS_PARTLY_PAID)


def is_draft(invoice: Invoice) -> bool:
    return invoice.status == InvoiceStatus.INVOICE_STATUS_DRAFT


async def get_invoice(page: Page, invoice_id: str) -> Invoice:
    """With its lines. NOT_FOUND for a foreign one."""
    return await page.call(page.to.invoices.GetInvoice, GetInvoiceRequest(invoice_id=invoice_id))


async def _page(
    page: Page,
    invoice_id: str,
    *,
    status: int = 200,
    errors: FieldErrors | None = None,
    pay_link: PayLink | None = None,
) -> Response[str]:
    invoice, allocations, mails, organization, einvoice = await asyncio.gather(
        get_invoice(page, invoice_id),
        page.call(page.to.invoices.ListInvoicePayments, ListInvoicePaymentsRequest(invoice_id=invoice_id)),
        if_there(page.call(page.to.messages.ListMessages, ListMessagesRequest(about_id=invoice_id))),
        page.organization(),
        if_found(einvoices.get_einvoice(page, invoice_id)),
    )
    customer = await if_found(
        page.call(page.to.customers.GetCustomer, GetCustomerRequest(customer_id=invoice.customer_id))
    )
    zone = organization.time_zone or "UTC"
    messages = list(mails.messages) if mails else []
    return page.render(
        "console_invoice.html",
        status=status,
        invoice=invoice,
        customer=customer,
        organization=organization,
        zone=zone,
        allocations=allocations.allocations,
        messages=messages,
        mails_known=mails is not None,
        reductions=await reductions_of(page, invoice),
        einvoice=einvoice,
        history=invoice_history(invoice, allocations.allocations, messages, zone),
        draft=is_draft(invoice),
        payable=invoice.status in _PAYABLE,
        void_hindrance=void_hindrance(invoice),
        pay_link=pay_link,
        pay_link_address=f"{page.site.settings.public_url}/l/{pay_link.token}" if pay_link else "",
        reason=page.form.text("reason"),
        key=page.new_key(),
        errors=errors or FieldErrors(),
        **einvoices.WORDS,
        **WORDS,
    )


@get("/invoices/{invoice_id:str}", name="console.invoice")
async def show(page: Page, invoice_id: FromPath[str]) -> Response[str]:
    """The document as the customer has it, beside its history."""
    return await _page(page, invoice_id)


@get("/invoices/{invoice_id:str}/pdf", name="console.invoice.pdf")
async def document(page: Page, invoice_id: FromPath[str]) -> Response[Any]:
    """The document to save."""
    pdf = await page.call(page.to.invoices.GetInvoicePdf, GetInvoicePdfRequest(invoice_id=invoice_id))
    return page.document(pdf.content, media_type=pdf.media_type, file_name=pdf.file_name)


@get("/invoices/{invoice_id:str}/xml", name="console.invoice.xml")
async def einvoice(page: Page, invoice_id: FromPath[str]) -> Response[Any]:
    """The e-invoice to save."""
    return await documents.einvoice(page, invoice_id, back=f"/console/invoices/{invoice_id}")


@get("/credit-notes/{credit_note_id:str}/pdf", name="console.credit_note.pdf")
async def credit_note(page: Page, credit_note_id: FromPath[str]) -> Response[Any]:
    """The credit note to save."""
    return await documents.credit_note(page, credit_note_id)


@post("/invoices/{invoice_id:str}/void", name="console.invoice.void")
async def void(page: Page, invoice_id: FromPath[str]) -> Response[str]:
    """Asks for the reason, since the audit log keeps it."""
    reason = page.form.text("reason")
    if not reason:
        errors = FieldErrors(reason=_("Please say why; the audit log keeps it."))
        return await _page(page, invoice_id, status=422, errors=errors)
    try:
        invoice = await page.call(
            page.to.invoices.VoidInvoice,
            VoidInvoiceRequest(invoice_id=invoice_id, reason=reason[:500]),
            idempotency_key=page.form.text("key"),
        )
    except ServiceError as error:
        if error.kind not in REFUSALS:
            raise
        errors = FieldErrors.of(error) or FieldErrors(reason=problems.sentence(error))
        return await _page(page, invoice_id, status=422, errors=errors)
    page.flash("good", _("%(number)s is void. Nobody can pay it any more.") % {"number": invoice.number})
    return page.redirect(f"/console/invoices/{invoice_id}")


@post("/invoices/{invoice_id:str}/pay-link", name="console.invoice.pay_link")
async def make_pay_link(page: Page, invoice_id: FromPath[str]) -> Response[str]:
    """Shows the link; makes one when there is none. The address is a secret, so it is on no page that is only read."""
    request = CreatePayLinkRequest(invoice_id=invoice_id)
    link = await page.call(page.to.pay_links.CreatePayLink, request)
    return await _page(page, invoice_id, pay_link=link)


@post("/invoices/{invoice_id:str}/pay-link/revoke", name="console.invoice.revoke_pay_link")
async def revoke_pay_link(page: Page, invoice_id: FromPath[str]) -> Response[str]:
    """Makes every copy of the link useless."""
    await page.call(page.to.pay_links.RevokePayLink, RevokePayLinkRequest(invoice_id=invoice_id))
    page.flash("good", _("The pay link does not work any more. You can make a new one."))
    return page.redirect(f"/console/invoices/{invoice_id}")

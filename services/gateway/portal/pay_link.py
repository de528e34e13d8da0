"""Paying one invoice by a link, without signing in. Following the link uses nothing up, however often.

The secret is in the address only until it is exchanged for a cookie; every further address is harmless.
"""

import asyncio
from dataclasses import replace
from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath

from chassis.errors import Kind, ServiceError
from services.gateway.portal import paying, ways
from services.gateway.portal.invoice import invoice_pdf
from services.gateway.portal.payment import ask_provider, give_up, receipt_pdf, result_page, state_of
from services.gateway.web import documents
from services.gateway.web.languages import gettext as _
from services.gateway.web.page import Page
from services.gateway.web.renewal import link_session
from services.gateway.web.session import Area
from tallyport.invoicing.v1.invoices_pb2 import GetInvoiceRequest, Invoice, ListInvoicePaymentsRequest

_DEAD = (Kind.NOT_FOUND, Kind.INVALID_ARGUMENT, Kind.PERMISSION_DENIED, Kind.UNAUTHENTICATED)


@get("/l/{token:str}", name="pay_link.follow")
async def follow(page: Page, token: FromPath[str]) -> Response[str]:
    """Recognizes the link, keeps it in a cookie of its own and goes on to the invoice."""
    sender = page.exchange.sender()
    try:
        session = await link_session(page.to, token[:200], sender)
        organization = await page.site.organizations.of(
            session.organization_id, page.exchange.sender(session.access_token)
        )
    except ServiceError as error:
        if error.kind not in _DEAD:
            raise
        answer = page.render("link_over.html", status=404)
    else:
        session.slug = organization.slug
        session.locale = ""
        page.exchange.jar.replace(Area.PAY_LINK, session)
        answer = page.redirect("/l/invoice")
    answer.headers["Referrer-Policy"] = "no-referrer"
    return answer


async def _invoice_page(
    page: Page, *, entries: paying.Entries | None = None, refused: str = "", note: str = "", status: int = 200
) -> Response[str]:
    invoice_id = page.session.invoice_id
    invoice, paid, organization = await asyncio.gather(
        page.call(page.to.invoices.GetInvoice, GetInvoiceRequest(invoice_id=invoice_id)),
        page.call(page.to.invoices.ListInvoicePayments, ListInvoicePaymentsRequest(invoice_id=invoice_id)),
        page.organization(),
    )
    sheet = await paying.sheet_of(page, [invoice], entries or paying.Entries())
    sheet = _begun_set_aside(sheet, invoice)
    return page.render(
        "pay_link.html",
        status=422 if sheet.entries.has_errors else status,
        invoice=invoice,
        allocations=paid.allocations,
        organization=organization,
        sheet=sheet,
        refused=refused or sheet.refused,
        note=note,
        key=page.new_key(),
        today=await page.today(),
    )


def _begun_set_aside(sheet: paying.Sheet, invoice: Invoice) -> paying.Sheet:
    """As for who is signed in: what waits for the payer is not on its way. The preview tells what really is."""
    if not sheet.lines or invoice.disputed or invoice.HasField("instalment"):
        return sheet
    line, held = sheet.lines[0], invoice.amount_processing.minor_units
    settling = min(held, max(0, invoice.amount_due.minor_units - line.payable.minor_units))
    invoice.amount_processing.minor_units = settling
    return replace(sheet, lines=[replace(line, invoice=invoice, begun=held > settling)])


@get("/invoice", name="pay_link.invoice")
async def show(page: Page) -> Response[str]:
    """The invoice and the form to pay it, in one."""
    return await _invoice_page(page)


def _submitted(page: Page) -> paying.Entries:
    """What a link may ask for: this invoice, none of the things that need an account."""
    entries = paying.submitted(page.form, paying.currency_of(page.form))
    lines = {one: entry for one, entry in entries.lines.items() if one == page.session.invoice_id}
    way = "" if entries.way.startswith(ways.SAVED) else entries.way
    return replace(entries, lines=lines, prepayment=None, keep_credit=False, save=False, day="", way=way)


@post("/pay", name="pay_link.pay")
async def submit(page: Page) -> Response[str]:
    """As on the portal's pay page, for this one invoice."""
    if page.form.all("invoice") != [page.session.invoice_id]:
        return page.redirect("/l/invoice")
    entries = _submitted(page)
    if entries.has_errors or page.form.text("do") == "update":
        return await _invoice_page(page, entries=entries)
    currency = paying.currency_of(page.form)
    charge = paying.shown_as_entered(entries, currency)
    if charge is None:
        note = _("Here is what your changes come to. Please check it, then pay.")
        return await _invoice_page(page, entries=entries, note=note)
    try:
        payment = await paying.create(
            page, entries, currency=currency, charge=charge, return_path="/l/return"
        )
    except ServiceError as error:
        if error.kind is Kind.DEADLINE_EXCEEDED:
            page.flash("warn", _("This takes longer than usual. Please look here before you pay again."))
            return page.redirect("/l/invoice")
        status = 429 if error.kind is Kind.RESOURCE_EXHAUSTED else 409
        return await _invoice_page(page, refused=paying.refusal(error), status=status)
    return page.redirect(payment.redirect_url or f"/l/payments/{payment.payment_id}")


@post("/pay/figures", name="pay_link.figures")
async def figures(page: Page) -> Response[str]:
    """The part of the form that follows the amount, for the script."""
    entries = _submitted(page)
    if entries.has_errors or not entries.lines:
        return Response("", status_code=422, media_type="text/html")
    sheet = await paying.sheet_of(page, await paying.find(page, entries.lines), entries)
    return page.render("pay_figures.html", sheet=sheet, refused=sheet.refused, today="", link=True)


@get("/invoice/pdf", name="pay_link.pdf")
async def document(page: Page) -> Response[bytes]:
    """The document to save."""
    return await invoice_pdf(page, page.session.invoice_id)


@get("/invoice/xml", name="pay_link.xml")
async def einvoice(page: Page) -> Response[Any]:
    """The e-invoice to save."""
    return await documents.einvoice(page, page.session.invoice_id, back="/l/invoice")


@get("/return/{payment_id:str}", name="pay_link.return")
async def come_back(page: Page, payment_id: FromPath[str]) -> Response[str]:
    """From the provider's page."""
    await ask_provider(page, payment_id)
    return page.redirect(f"/l/payments/{payment_id}")


@get("/payments/{payment_id:str}", name="pay_link.payment")
async def result(page: Page, payment_id: FromPath[str]) -> Response[str]:
    """What became of it."""
    return await result_page(page, payment_id, base="/l/payments", invoice_base="")


@get("/payments/{payment_id:str}/state", name="pay_link.payment.state")
async def state(page: Page, payment_id: FromPath[str]) -> Response[Any]:
    """Watched by the script."""
    return await state_of(page, payment_id)


@post("/payments/{payment_id:str}/cancel", name="pay_link.payment.cancel")
async def cancel(page: Page, payment_id: FromPath[str]) -> Response[str]:
    """Given up by the payer."""
    await give_up(page, payment_id)
    return page.redirect(f"/l/payments/{payment_id}")


@get("/payments/{payment_id:str}/receipt.pdf", name="pay_link.receipt")
async def receipt(page: Page, payment_id: FromPath[str]) -> Response[bytes]:
    """The receipt to save."""
    return await receipt_pdf(page, payment_id)

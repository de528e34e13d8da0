"""What became of an e-invoice, and deciding about one that its receiver rejected."""

import asyncio
from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath

from chassis.errors import ServiceError
from services.gateway.console.allowed import require
from services.gateway.console.asking import REFUSALS
from services.gateway.web import einvoices, problems
from services.gateway.web.languages import gettext as _
from services.gateway.web.page import Page
from tallyport.invoicing.v1.einvoices_pb2 import EInvoice, UpholdEInvoiceRequest


def address_of(einvoice: EInvoice) -> str:
    """Where it is shown: an invoice's on the invoice, a credit note's on a page of its own."""
    if einvoice.document_id == einvoice.invoice_id:
        return f"/console/invoices/{einvoice.invoice_id}#einvoice"
    return f"/console/einvoices/{einvoice.document_id}"


@get("/einvoices/{document_id:str}", name="console.einvoice")
async def show(page: Page, document_id: FromPath[str]) -> Response[str]:
    """All that was reported of it."""
    einvoice, organization = await asyncio.gather(
        einvoices.get_einvoice(page, document_id), page.organization()
    )
    return page.render(
        "console_einvoice_page.html",
        einvoice=einvoice,
        zone=organization.time_zone or "UTC",
        **einvoices.WORDS,
    )


@post("/einvoices/{document_id:str}/uphold", name="console.einvoice.uphold")
async def uphold(page: Page, document_id: FromPath[str]) -> Response[str]:
    """It stands as it is; reminders go on."""
    require(page, "invoices.write")
    back = address_of(await einvoices.get_einvoice(page, document_id))
    reason = page.form.text("reason")[:500]
    if not reason:
        page.flash("bad", _("Please say why; the audit log keeps it."))
        return page.redirect(back)
    try:
        request = UpholdEInvoiceRequest(document_id=document_id, reason=reason)
        await page.call(page.to.einvoices.UpholdEInvoice, request)
    except ServiceError as error:
        if error.kind not in REFUSALS:
            raise
        page.flash("bad", problems.sentence(error))
    else:
        page.flash("good", _("It stands. Reminders go on."))
    return page.redirect(back)


STAFF: list[Any] = [show, uphold]

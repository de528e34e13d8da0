"""Deciding about e-invoices that their receivers rejected."""

from litestar import Response, post
from litestar.params import FromPath

from chassis.errors import ServiceError
from services.gateway.console.allowed import require
from services.gateway.console.asking import REFUSALS
from services.gateway.web import problems
from services.gateway.web.languages import gettext as _
from services.gateway.web.page import Page
from tallyport.invoicing.v1.einvoices_pb2 import UpholdEInvoiceRequest


@post("/invoices/{invoice_id:str}/uphold", name="console.einvoice.uphold")
async def uphold(page: Page, invoice_id: FromPath[str]) -> Response[str]:
    """The invoice stands as it is; reminders go on."""
    require(page, "invoices.write")
    back = page.redirect(f"/console/invoices/{invoice_id}#einvoice")
    reason = page.form.text("reason")[:500]
    if not reason:
        page.flash("bad", _("Please say why; the audit log keeps it."))
        return back
    try:
        request = UpholdEInvoiceRequest(document_id=invoice_id, reason=reason)
        await page.call(page.to.einvoices.UpholdEInvoice, request)
    except ServiceError as error:
        if error.kind not in REFUSALS:
            raise
        page.flash("bad", problems.sentence(error))
    else:
        page.flash("good", _("The invoice stands. Reminders go on."))
    return back

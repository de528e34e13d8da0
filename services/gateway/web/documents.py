"""Files that the portal and the console hand out alike."""

from typing import Any

from litestar import Response

from chassis.errors import ServiceError
from services.gateway.web.languages import gettext as _
from services.gateway.web.page import Page
from tallyport.invoicing.v1.documents_pb2 import GetCreditNotePdfRequest, GetInvoiceXmlRequest

_NOT_POSSIBLE = "E_INVOICE_NOT_POSSIBLE"


async def einvoice(page: Page, invoice_id: str, *, back: str) -> Response[Any]:
    """The invoice for machines; where there is none, back to where it was asked for, with the reason."""
    try:
        file = await page.call(page.to.documents.GetInvoiceXml, GetInvoiceXmlRequest(invoice_id=invoice_id))
    except ServiceError as error:
        if error.reason != _NOT_POSSIBLE:
            raise
        page.flash("warn", _("There is no e-invoice of this invoice: an address or a tax id is missing."))
        return page.redirect(back)
    return page.document(file.content, media_type=file.media_type, file_name=file.file_name)


async def credit_note(page: Page, credit_note_id: str) -> Response[Any]:
    """The credit note to save."""
    request = GetCreditNotePdfRequest(credit_note_id=credit_note_id)
    file = await page.call(page.to.documents.GetCreditNotePdf, request)
    return page.document(file.content, media_type=file.media_type, file_name=file.file_name)

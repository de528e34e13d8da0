"""Documents as the gateway's stand-ins of invoicing hand them out."""

from typing import Any

from chassis.errors import Kind, ServiceError
from tallyport.invoicing.v1 import documents_pb2_grpc
from tallyport.invoicing.v1.invoices_pb2 import Document

WITHOUT_EINVOICE = "inv_without_einvoice"


class StandInDocuments(documents_pb2_grpc.DocumentsServicer):
    """A file for every id; of WITHOUT_EINVOICE no e-invoice can be made."""

    async def GetInvoiceXml(self, request: Any, context: Any) -> Document:
        if request.invoice_id == WITHOUT_EINVOICE:
            raise ServiceError(Kind.FAILED_PRECONDITION, "E_INVOICE_NOT_POSSIBLE", "It needs your tax id.")
        return Document(
            file_name=f"{request.invoice_id}.xml", media_type="application/xml", content=b"<Invoice/>"
        )

    async def GetCreditNotePdf(self, request: Any, context: Any) -> Document:
        name = f"{request.credit_note_id}.pdf"
        return Document(file_name=name, media_type="application/pdf", content=b"%PDF-1.7 stand-in")

    async def GetCreditNoteXml(self, request: Any, context: Any) -> Document:
        name = f"{request.credit_note_id}.xml"
        return Document(file_name=name, media_type="application/xml", content=b"<CreditNote/>")

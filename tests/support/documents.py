"""Documents as the gateway's stand-ins of invoicing hand them out."""

from typing import Any

from chassis.errors import Kind, ServiceError, not_found
from tallyport.invoicing.v1 import documents_pb2_grpc, einvoices_pb2_grpc
from tallyport.invoicing.v1 import einvoices_pb2 as einvoices
from tallyport.invoicing.v1.documents_pb2 import CreditNoteDelivery
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

    async def GetCreditNoteDelivery(self, request: Any, context: Any) -> CreditNoteDelivery:
        raise not_found("credit note")


class StandInEInvoices(einvoices_pb2_grpc.EInvoicesServicer):
    """One was rejected; of all others nothing is known."""

    def __init__(self, rejected: str) -> None:
        self._rejected = rejected
        self._upheld = False

    async def GetEInvoice(self, request: Any, context: Any) -> einvoices.EInvoice:
        if request.document_id != self._rejected:
            return einvoices.EInvoice(document_id=request.document_id)
        reason = einvoices.EInvoiceClarification(code="REF", text="The order number is unknown")
        status = einvoices.EInvoiceStatus(
            code=einvoices.E_INVOICE_CODE_REJECTED, reasons=[reason], network="peppol"
        )
        found = einvoices.EInvoice(
            document_id=self._rejected, invoice_id=self._rejected, number="INV-1", code=status.code,
            waiting=not self._upheld, statuses=[status],
        )  # fmt: skip
        if self._upheld:
            found.upheld_at.FromSeconds(1_800_000_000)
        return found

    async def ReportEInvoiceStatus(
        self, request: Any, context: Any
    ) -> einvoices.ReportEInvoiceStatusResponse:
        raise not_found("document")

    async def ListEInvoices(self, request: Any, context: Any) -> einvoices.ListEInvoicesResponse:
        found = await self.GetEInvoice(einvoices.GetEInvoiceRequest(document_id=self._rejected), context)
        waiting = [found] if found.waiting else []
        return einvoices.ListEInvoicesResponse(einvoices=waiting, waiting=len(waiting))

    async def UpholdEInvoice(self, request: Any, context: Any) -> einvoices.EInvoice:
        self._upheld = True
        return await self.GetEInvoice(request, context)

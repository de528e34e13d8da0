"""Invoices over gRPC."""

from collections.abc import AsyncIterator
from typing import Any

from chassis.database import Database
from services.invoicing.formats.paper import MEDIA_TYPE
from services.invoicing.operations.create_invoice import create_invoice
from services.invoicing.operations.export_invoices import export_invoices
from services.invoicing.operations.finalize_invoice import finalize_invoice
from services.invoicing.operations.get_invoice import get_invoice
from services.invoicing.operations.get_invoice_pdf import get_invoice_pdf
from services.invoicing.operations.get_receivables_overview import get_receivables_overview
from services.invoicing.operations.list_invoice_payments import list_invoice_payments
from services.invoicing.operations.list_invoices import list_invoices
from services.invoicing.operations.update_invoice import update_invoice
from services.invoicing.operations.void_invoice import void_invoice
from services.invoicing.payments import FindTransferSlip, no_transfer_slip
from services.invoicing.translate import invoices as translate
from services.invoicing.translate.receivables import to_proto_receivables
from services.invoicing.translate.values import from_proto_text
from tallyport.invoicing.v1 import invoices_pb2 as pb
from tallyport.invoicing.v1 import invoices_pb2_grpc


class Invoices(invoices_pb2_grpc.InvoicesServicer):
    """Invoices from draft to paid, and the totals over them."""

    def __init__(self, db: Database, find_slip: FindTransferSlip = no_transfer_slip) -> None:
        self._db = db
        self._find_slip = find_slip

    async def CreateInvoice(self, request: pb.CreateInvoiceRequest, context: Any) -> pb.Invoice:
        return await create_invoice(self._db, translate.from_proto_invoice(request))

    async def UpdateInvoice(self, request: pb.UpdateInvoiceRequest, context: Any) -> pb.Invoice:
        changes = translate.from_proto_invoice_changes(request)
        return await update_invoice(self._db, request.invoice_id, changes)

    async def FinalizeInvoice(self, request: pb.FinalizeInvoiceRequest, context: Any) -> pb.Invoice:
        reason = from_proto_text("credit_limit_override_reason", request.credit_limit_override_reason)
        return await finalize_invoice(self._db, request.invoice_id, override_reason=reason)

    async def VoidInvoice(self, request: pb.VoidInvoiceRequest, context: Any) -> pb.Invoice:
        return await void_invoice(self._db, request.invoice_id, from_proto_text("reason", request.reason))

    async def GetInvoice(self, request: pb.GetInvoiceRequest, context: Any) -> pb.Invoice:
        asked, today = await get_invoice(self._db, request.invoice_id)
        return translate.to_proto_asked_invoice(asked, today)

    async def ListInvoices(self, request: pb.ListInvoicesRequest, context: Any) -> pb.ListInvoicesResponse:
        page, token, today = await list_invoices(
            self._db,
            page_size=request.page_size,
            page_token=request.page_token,
            filter_=translate.from_proto_filter(request.filter),
            customer_id=request.customer_id,
            query=request.query,
            external_id=request.external_id,
        )
        return translate.to_proto_invoice_page(page, token, today)

    async def ExportInvoices(
        self, request: pb.ExportInvoicesRequest, context: Any
    ) -> AsyncIterator[pb.Invoice]:
        filter_ = translate.from_proto_filter(request.filter)
        async for asked, today in export_invoices(self._db, filter_=filter_, customer_id=request.customer_id):
            yield translate.to_proto_asked_invoice(asked, today)

    async def GetInvoicePdf(self, request: pb.GetInvoicePdfRequest, context: Any) -> pb.Document:
        file_name, content = await get_invoice_pdf(self._db, self._find_slip, request.invoice_id)
        return pb.Document(file_name=file_name, media_type=MEDIA_TYPE, content=content)

    async def ListInvoicePayments(
        self, request: pb.ListInvoicePaymentsRequest, context: Any
    ) -> pb.ListInvoicePaymentsResponse:
        return translate.to_proto_invoice_payments(await list_invoice_payments(self._db, request.invoice_id))

    async def GetReceivablesOverview(
        self, request: pb.GetReceivablesOverviewRequest, context: Any
    ) -> pb.ReceivablesOverview:
        return to_proto_receivables(await get_receivables_overview(self._db))

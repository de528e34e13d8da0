"""What becomes of e-invoices, over gRPC."""

from typing import Any

from chassis.database import Database
from services.invoicing.operations import follow_einvoice as follow
from services.invoicing.translate.values import from_proto_text
from tallyport.invoicing.v1 import einvoices_pb2 as pb
from tallyport.invoicing.v1 import einvoices_pb2_grpc


class EInvoices(einvoices_pb2_grpc.EInvoicesServicer):
    """Reports of what receivers say, and decisions about them."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def ReportEInvoiceStatus(
        self, request: pb.ReportEInvoiceStatusRequest, context: Any
    ) -> pb.ReportEInvoiceStatusResponse:
        return await follow.report_einvoice_status(self._db, request)

    async def GetEInvoice(self, request: pb.GetEInvoiceRequest, context: Any) -> pb.EInvoice:
        return await follow.get_einvoice(self._db, request.document_id)

    async def ListEInvoices(self, request: pb.ListEInvoicesRequest, context: Any) -> pb.ListEInvoicesResponse:
        return await follow.list_einvoices(
            self._db, waiting=request.waiting, page_size=request.page_size, page_token=request.page_token
        )

    async def UpholdEInvoice(self, request: pb.UpholdEInvoiceRequest, context: Any) -> pb.EInvoice:
        reason = from_proto_text("reason", request.reason)
        return await follow.uphold_einvoice(self._db, request.document_id, reason)

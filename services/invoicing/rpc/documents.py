"""Documents over gRPC."""

from typing import Any

from chassis.database import Database
from services.invoicing.formats.einvoice import Syntax
from services.invoicing.formats.paper import MEDIA_TYPE
from services.invoicing.operations.get_einvoice import (
    get_credit_note_delivery,
    get_credit_note_pdf,
    get_credit_note_xml,
    get_invoice_xml,
)
from services.invoicing.payments import FindTransferSlip, no_transfer_slip
from services.invoicing.translate.values import to_proto_money
from tallyport.invoicing.v1 import documents_pb2 as pb
from tallyport.invoicing.v1 import documents_pb2_grpc, invoices_pb2

_XML = "application/xml"


class Documents(documents_pb2_grpc.DocumentsServicer):
    """E-invoices, and what credit notes look like."""

    def __init__(self, db: Database, find_slip: FindTransferSlip = no_transfer_slip) -> None:
        self._db = db
        self._find_slip = find_slip

    async def GetInvoiceXml(self, request: pb.GetInvoiceXmlRequest, context: Any) -> invoices_pb2.Document:
        return _document(
            _XML,
            await get_invoice_xml(self._db, self._find_slip, request.invoice_id, _syntax(request.syntax)),
        )

    async def GetCreditNotePdf(
        self, request: pb.GetCreditNotePdfRequest, context: Any
    ) -> invoices_pb2.Document:
        return _document(MEDIA_TYPE, await get_credit_note_pdf(self._db, request.credit_note_id))

    async def GetCreditNoteXml(
        self, request: pb.GetCreditNoteXmlRequest, context: Any
    ) -> invoices_pb2.Document:
        syntax = _syntax(request.syntax)
        return _document(_XML, await get_credit_note_xml(self._db, request.credit_note_id, syntax))

    async def GetCreditNoteDelivery(
        self, request: pb.GetCreditNoteDeliveryRequest, context: Any
    ) -> pb.CreditNoteDelivery:
        file_name, pdf, due = await get_credit_note_delivery(
            self._db, request.organization_id, request.credit_note_id
        )
        return pb.CreditNoteDelivery(file_name=file_name, pdf=pdf, amount_due=to_proto_money(due))


def _syntax(syntax: pb.EInvoiceSyntax.ValueType) -> Syntax:
    return Syntax.CII if syntax == pb.E_INVOICE_SYNTAX_CII else Syntax.UBL


def _document(media_type: str, file: tuple[str, bytes]) -> invoices_pb2.Document:
    return invoices_pb2.Document(file_name=file[0], media_type=media_type, content=file[1])

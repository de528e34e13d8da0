"""Credit notes and write-offs over gRPC."""

from typing import Any

from chassis.caller import Audience, current_call
from chassis.database import Database
from services.invoicing.operations import read_credit_notes as read
from services.invoicing.operations.issue_credit_note import Why, create_credit_note, preview_credit_note
from services.invoicing.operations.write_off import mark_uncollectible, revert_write_off
from services.invoicing.translate import credit_notes as translate
from services.invoicing.translate.values import from_proto_text
from tallyport.invoicing.v1 import (
    adjustments_pb2,
    adjustments_pb2_grpc,
    credit_notes_pb2_grpc,
    invoices_pb2,
)
from tallyport.invoicing.v1 import credit_notes_pb2 as pb


class CreditNotes(credit_notes_pb2_grpc.CreditNotesServicer):
    """Corrections of invoices."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def CreateCreditNote(self, request: pb.CreateCreditNoteRequest, context: Any) -> pb.CreditNote:
        why = Why(translate.from_proto_reason(request.reason_code), from_proto_text("reason", request.reason))
        return await create_credit_note(self._db, translate.from_proto_wish(request), why)

    async def PreviewCreditNote(self, request: pb.PreviewCreditNoteRequest, context: Any) -> pb.CreditNote:
        wish = translate.from_proto_wish(request)
        return translate.to_proto_credit_note(await preview_credit_note(self._db, wish))

    async def GetCreditNote(self, request: pb.GetCreditNoteRequest, context: Any) -> pb.CreditNote:
        return translate.to_proto_credit_note(await read.get_credit_note(self._db, request.credit_note_id))

    async def ListCreditNotes(
        self, request: pb.ListCreditNotesRequest, context: Any
    ) -> pb.ListCreditNotesResponse:
        notes, token = await read.list_credit_notes(
            self._db, page_size=request.page_size, page_token=request.page_token,
            customer_id=request.customer_id, invoice_id=request.invoice_id,
        )  # fmt: skip
        return translate.to_proto_credit_note_page(notes, token)

    async def ListCreditableLines(
        self, request: pb.ListCreditableLinesRequest, context: Any
    ) -> pb.ListCreditableLinesResponse:
        return translate.to_proto_creditable(await read.list_creditable_lines(self._db, request.invoice_id))


class InvoiceAdjustments(adjustments_pb2_grpc.InvoiceAdjustmentsServicer):
    """Write-offs, and the list of all reductions."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def MarkUncollectible(
        self, request: adjustments_pb2.MarkUncollectibleRequest, context: Any
    ) -> invoices_pb2.Invoice:
        return await mark_uncollectible(
            self._db, request.invoice_id, from_proto_text("reason", request.reason)
        )

    async def RevertWriteOff(
        self, request: adjustments_pb2.RevertWriteOffRequest, context: Any
    ) -> invoices_pb2.Invoice:
        return await revert_write_off(self._db, request.invoice_id, from_proto_text("reason", request.reason))

    async def ListInvoiceAdjustments(
        self, request: adjustments_pb2.ListInvoiceAdjustmentsRequest, context: Any
    ) -> adjustments_pb2.ListInvoiceAdjustmentsResponse:
        found = await read.list_invoice_adjustments(self._db, request.invoice_id)
        is_staff = current_call().caller.audience is Audience.STAFF
        return translate.to_proto_adjustments(found, for_staff=is_staff)

"""Fetches what goes into mails from the services that own it."""

from typing import Final

from chassis.errors import Kind, ServiceError
from chassis.rpc.client import Channel, as_service
from services.notifications.domain.facts import Attachment, CreditNoteDocument, InvoiceDocument
from services.notifications.domain.message import Refused, TryLater
from services.notifications.translate import (
    from_proto_credit_note_delivery,
    from_proto_invoice_delivery,
    from_proto_letter,
    from_proto_receipt,
)
from tallyport.invoicing.v1 import (
    documents_pb2,
    documents_pb2_grpc,
    dunning_pb2,
    dunning_pb2_grpc,
    reservations_pb2,
    reservations_pb2_grpc,
)
from tallyport.payments.v1 import payments_pb2, payments_pb2_grpc

TIMEOUT_SECONDS: Final = 10.0
"""Typesetting a long invoice takes its time."""
_FOR_GOOD: Final = frozenset({Kind.NOT_FOUND, Kind.FAILED_PRECONDITION, Kind.INVALID_ARGUMENT})
_PASSING: Final = frozenset({Kind.UNAVAILABLE, Kind.ABORTED, Kind.RESOURCE_EXHAUSTED})


class GrpcDocuments:
    """Invoices from invoicing, receipts from payments."""

    def __init__(self, invoicing: Channel, payments: Channel) -> None:
        deliveries = reservations_pb2_grpc.DeliveriesStub(invoicing)
        receipts = payments_pb2_grpc.ReceiptsStub(payments)
        letters = dunning_pb2_grpc.DunningStub(invoicing)
        notes = documents_pb2_grpc.DocumentsStub(invoicing)
        self._credit_note = as_service(notes.GetCreditNoteDelivery, timeout_seconds=TIMEOUT_SECONDS)
        self._letter = as_service(letters.GetDunningLetter, timeout_seconds=TIMEOUT_SECONDS)
        self._invoice = as_service(deliveries.GetInvoiceDelivery, timeout_seconds=TIMEOUT_SECONDS)
        self._receipt = as_service(receipts.GetReceiptDelivery, timeout_seconds=TIMEOUT_SECONDS)

    async def invoice(self, organization_id: str, invoice_id: str) -> InvoiceDocument:
        request = reservations_pb2.GetInvoiceDeliveryRequest(
            organization_id=organization_id, invoice_id=invoice_id
        )
        try:
            return from_proto_invoice_delivery(await self._invoice(request))
        except ServiceError as error:
            raise _outcome(error) from error

    async def receipt(self, organization_id: str, payment_id: str) -> Attachment:
        request = payments_pb2.GetReceiptDeliveryRequest(
            organization_id=organization_id, payment_id=payment_id
        )
        try:
            return from_proto_receipt(await self._receipt(request))
        except ServiceError as error:
            raise _outcome(error) from error

    async def letter(self, organization_id: str, notice_id: str) -> Attachment:
        request = dunning_pb2.GetDunningLetterRequest(organization_id=organization_id, notice_id=notice_id)
        try:
            return from_proto_letter(await self._letter(request))
        except ServiceError as error:
            raise _outcome(error) from error

    async def credit_note(self, organization_id: str, credit_note_id: str) -> CreditNoteDocument:
        request = documents_pb2.GetCreditNoteDeliveryRequest(
            organization_id=organization_id, credit_note_id=credit_note_id
        )
        try:
            return from_proto_credit_note_delivery(await self._credit_note(request))
        except ServiceError as error:
            raise _outcome(error) from error


def _outcome(error: ServiceError) -> Exception:
    reason = f"{error.reason}: {error.message}"
    if error.kind in _FOR_GOOD:
        return Refused(reason)
    return TryLater(reason, inside=True, is_broken=error.kind not in _PASSING)

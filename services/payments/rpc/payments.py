"""Servicers of the payments service: translate, call one operation, translate back."""

from collections.abc import Sequence
from typing import Any

from services.payments.desk import Desk
from services.payments.operations.cancel_payment import cancel_payment
from services.payments.operations.create_payment import create_payment
from services.payments.operations.get_overview import get_overview
from services.payments.operations.get_payment import get_payment
from services.payments.operations.get_receipt import Document, get_receipt, get_receipt_delivery
from services.payments.operations.list_payments import list_payments
from services.payments.operations.preview_payment import Question, preview_payment
from services.payments.operations.receive_webhook import receive_webhook
from services.payments.operations.record_payment import Received, record_payment
from services.payments.operations.refresh_payment import refresh_payment
from services.payments.translate.payments import (
    from_proto_day,
    from_proto_method,
    from_proto_money,
    from_proto_parts,
    statuses_shown_as,
    to_proto_overview,
    to_proto_payment,
)
from services.payments.translate.previews import from_proto_wish, to_proto_preview
from tallyport.payments.v1 import payments_pb2, payments_pb2_grpc

Context = Any
"""Servicers leave gRPC's context to the boundary."""


class Payments(payments_pb2_grpc.PaymentsServicer):
    """Payments."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def PreviewPayment(
        self, request: payments_pb2.PreviewPaymentRequest, context: Context
    ) -> payments_pb2.PaymentPreview:
        question = Question(
            customer_id=request.customer_id,
            invoice_ids=tuple(request.invoice_ids),
            amount=from_proto_money(request.amount, "amount") if request.HasField("amount") else None,
            method=from_proto_method(request.method) if request.method else None,
            keep_credit=request.keep_credit,
            currency=request.currency,
        )
        return to_proto_preview(await preview_payment(self._desk, question))

    async def CreatePayment(
        self, request: payments_pb2.CreatePaymentRequest, context: Context
    ) -> payments_pb2.Payment:
        return to_proto_payment(await create_payment(self._desk, from_proto_wish(request)))

    async def RecordPayment(
        self, request: payments_pb2.RecordPaymentRequest, context: Context
    ) -> payments_pb2.Payment:
        received = Received(
            customer_id=request.customer_id,
            amount=from_proto_money(request.amount, "amount"),
            parts=from_proto_parts(request.parts),
            method=from_proto_method(request.method),
            received_on=from_proto_day(request.received_on, "received_on"),
            note=request.note,
        )
        return await record_payment(self._desk, received)

    async def GetPayment(
        self, request: payments_pb2.GetPaymentRequest, context: Context
    ) -> payments_pb2.Payment:
        return to_proto_payment(await get_payment(self._desk, request.payment_id))

    async def RefreshPayment(
        self, request: payments_pb2.RefreshPaymentRequest, context: Context
    ) -> payments_pb2.Payment:
        return to_proto_payment(await refresh_payment(self._desk, request.payment_id))

    async def CancelPayment(
        self, request: payments_pb2.CancelPaymentRequest, context: Context
    ) -> payments_pb2.Payment:
        return to_proto_payment(await cancel_payment(self._desk, request.payment_id))

    async def ListPayments(
        self, request: payments_pb2.ListPaymentsRequest, context: Context
    ) -> payments_pb2.ListPaymentsResponse:
        page = await list_payments(
            self._desk,
            customer_id=request.customer_id,
            statuses=statuses_shown_as(request.status),
            page_size=request.page_size,
            page_token=request.page_token,
        )
        return payments_pb2.ListPaymentsResponse(
            payments=[to_proto_payment(payment) for payment in page.payments],
            next_page_token=page.next_page_token,
        )

    async def GetReceiptPdf(
        self, request: payments_pb2.GetReceiptPdfRequest, context: Context
    ) -> payments_pb2.ReceiptDocument:
        return _document(await get_receipt(self._desk, request.payment_id))

    async def GetPaymentsOverview(
        self, request: payments_pb2.GetPaymentsOverviewRequest, context: Context
    ) -> payments_pb2.PaymentsOverview:
        return to_proto_overview(await get_overview(self._desk))


class ProviderEvents(payments_pb2_grpc.ProviderEventsServicer):
    """What providers tell us."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def ReceiveWebhook(
        self, request: payments_pb2.ReceiveWebhookRequest, context: Context
    ) -> payments_pb2.ReceiveWebhookResponse:
        duplicate = await receive_webhook(self._desk, request.provider, dict(request.headers), request.body)
        return payments_pb2.ReceiveWebhookResponse(duplicate=duplicate)


class Receipts(payments_pb2_grpc.ReceiptsServicer):
    """What notifications ask of payments."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def GetReceiptDelivery(
        self, request: payments_pb2.GetReceiptDeliveryRequest, context: Context
    ) -> payments_pb2.ReceiptDocument:
        return _document(await get_receipt_delivery(self._desk, request.organization_id, request.payment_id))


def servicers(desk: Desk) -> Sequence[tuple[Any, object]]:
    """The pairs that Server takes."""
    return (
        (payments_pb2_grpc.add_PaymentsServicer_to_server, Payments(desk)),
        (payments_pb2_grpc.add_ProviderEventsServicer_to_server, ProviderEvents(desk)),
        (payments_pb2_grpc.add_ReceiptsServicer_to_server, Receipts(desk)),
    )


def _document(document: Document) -> payments_pb2.ReceiptDocument:
    return payments_pb2.ReceiptDocument(
        file_name=document.file_name, media_type="application/pdf", content=document.content
    )

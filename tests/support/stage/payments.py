"""Stand-in for payments: the provider's page is the return address itself, the outcome is the stage's."""

from typing import Any, cast

from chassis.caller import current_call
from chassis.errors import Kind, ServiceError, not_found
from tallyport.invoicing.v1.invoices_pb2 import InvoiceStatus
from tallyport.payments.v1 import autopay_pb2 as autopay
from tallyport.payments.v1 import payment_methods_pb2 as payment_methods
from tallyport.payments.v1 import payments_pb2 as payments
from tallyport.payments.v1 import transfers_pb2 as transfers
from tallyport.payments.v1.autopay_pb2_grpc import AutopayServicer, add_AutopayServicer_to_server
from tallyport.payments.v1.payment_methods_pb2_grpc import (
    PaymentMethodsServicer,
    add_PaymentMethodsServicer_to_server,
)
from tallyport.payments.v1.payments_pb2_grpc import (
    PaymentsServicer,
    ProviderEventsServicer,
    add_PaymentsServicer_to_server,
    add_ProviderEventsServicer_to_server,
)
from tallyport.payments.v1.transfers_pb2_grpc import TransfersServicer, add_TransfersServicer_to_server
from tests.support.stage.data import CUSTOMER_ID, Stage, usd

_S = payments.PaymentStatus


class Methods(PaymentMethodsServicer, AutopayServicer, TransfersServicer):
    """Nothing is saved, autopay is off, and nobody says that they have paid by transfer."""

    async def ListTransferClaims(self, request: Any, context: Any) -> transfers.ListTransferClaimsResponse:
        return transfers.ListTransferClaimsResponse()

    async def ListPaymentMethods(
        self, request: Any, context: Any
    ) -> payment_methods.ListPaymentMethodsResponse:
        return payment_methods.ListPaymentMethodsResponse()

    async def GetAutopay(self, request: Any, context: Any) -> autopay.AutopaySettings:
        return autopay.AutopaySettings(customer_id=CUSTOMER_ID)

    async def ListAutopayRuns(self, request: Any, context: Any) -> autopay.ListAutopayRunsResponse:
        return autopay.ListAutopayRunsResponse()


class Payments(PaymentsServicer, ProviderEventsServicer):
    """One payment a key; asking about it decides it."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage

    async def PreviewPayment(self, request: Any, context: Any) -> payments.PaymentPreview:
        """The oldest due first; one way to pay, for nothing on top."""
        found = [self._stage.invoices[one] for one in request.invoice_ids] or [
            one for one in self._stage.invoices.values() if one.amount_due.minor_units
        ]
        waiting = [
            one for one in self._stage.payments.values() if one.status == _S.PAYMENT_STATUS_REQUIRES_ACTION
        ]
        begun = {part.invoice_id for payment in waiting for part in payment.parts}
        answer = payments.PaymentPreview()
        left = request.amount.minor_units if request.HasField("amount") else 10**12
        for invoice in sorted(found, key=lambda one: one.due_date):
            held = 0 if invoice.invoice_id in begun else invoice.amount_processing.minor_units
            room = invoice.amount_due.minor_units - held
            reason = "disputed" if invoice.disputed else "paid" if not invoice.amount_due.minor_units else ""
            if reason or room <= 0:
                answer.skipped.add(
                    invoice_id=invoice.invoice_id,
                    invoice_number=invoice.number,
                    reason=reason or "being_paid",
                )
            elif left > 0:
                answer.parts.add(
                    invoice_id=invoice.invoice_id,
                    amount=usd(min(room, left)),
                    invoice_number=invoice.number,
                    invoice_version=invoice.version,
                )
                left -= min(room, left)
        rest = left if request.HasField("amount") else 0
        total = usd(sum(part.amount.minor_units for part in answer.parts) + rest)
        for field in (answer.credit_used, answer.surcharge, answer.credit_available):
            field.CopyFrom(usd(0))
        answer.prepayment.CopyFrom(usd(rest))
        answer.amount.CopyFrom(total)
        answer.methods.add(
            method=payments.PaymentMethodType.PAYMENT_METHOD_TYPE_CARD, surcharge=usd(0), amount=total
        )
        return answer

    async def CreatePayment(self, request: Any, context: Any) -> payments.Payment:
        self._stage.calls.append("CreatePayment")
        key = current_call().idempotency_key or ""
        if key in self._stage.payment_keys:
            return self._stage.payments[self._stage.payment_keys[key]]
        for part in request.parts:
            invoice = self._stage.invoices[part.invoice_id]
            if not invoice.amount_due.minor_units:
                raise ServiceError(
                    Kind.FAILED_PRECONDITION, "INVOICE_ALREADY_PAID", "Paid.", invoice_id=part.invoice_id
                )
            if part.invoice_version != invoice.version:
                raise ServiceError(Kind.ABORTED, "PREVIEW_CHANGED", "Changed.")
            if invoice.amount_due.minor_units < part.amount.minor_units:
                raise ServiceError(
                    Kind.FAILED_PRECONDITION, "INVOICE_ALREADY_PAID", "Paid.", invoice_id=part.invoice_id
                )
        payment_id = f"pay_{len(self._stage.payments) + 1}"
        payment = payments.Payment(
            payment_id=payment_id,
            customer_id=CUSTOMER_ID,
            status=_S.PAYMENT_STATUS_REQUIRES_ACTION,
            amount=usd(sum(part.amount.minor_units for part in request.parts)),
            parts=request.parts,
            method=payments.PaymentMethodType.PAYMENT_METHOD_TYPE_CARD,
            redirect_url=request.hosted_page.return_url.replace("%7Bpayment_id%7D", payment_id),
        )
        for paid in payment.parts:
            invoice = self._stage.invoices[paid.invoice_id]
            paid.invoice_number = invoice.number
            invoice.amount_processing.minor_units = paid.amount.minor_units
            invoice.version += 1
        payment.created_at.GetCurrentTime()
        self._stage.payments[payment_id] = payment
        self._stage.payment_keys[key] = payment_id
        return payment

    async def GetPayment(self, request: Any, context: Any) -> payments.Payment:
        if request.payment_id not in self._stage.payments:
            raise not_found("payment")
        return self._stage.payments[request.payment_id]

    async def RefreshPayment(self, request: Any, context: Any) -> payments.Payment:
        self._stage.calls.append("RefreshPayment")
        if "RefreshPayment" in self._stage.away:
            raise ServiceError(Kind.UNAVAILABLE, "SERVICE_UNAVAILABLE", "Away.")
        payment = await self.GetPayment(request, context)
        if payment.status == _S.PAYMENT_STATUS_REQUIRES_ACTION:
            self._settle(payment, self._stage.outcome)
        return payment

    async def CancelPayment(self, request: Any, context: Any) -> payments.Payment:
        payment = await self.GetPayment(request, context)
        self._settle(payment, _S.PAYMENT_STATUS_CANCELED)
        return payment

    async def ListPayments(self, request: Any, context: Any) -> payments.ListPaymentsResponse:
        newest = sorted(self._stage.payments.values(), key=lambda one: one.created_at.seconds, reverse=True)
        if request.status:
            newest = [one for one in newest if one.status == request.status]
        return payments.ListPaymentsResponse(payments=newest[: request.page_size or 25])

    async def GetReceiptPdf(self, request: Any, context: Any) -> payments.ReceiptDocument:
        payment = await self.GetPayment(request, context)
        return payments.ReceiptDocument(
            file_name=f"{payment.receipt_number}.pdf",
            media_type="application/pdf",
            content=b"%PDF-1.7 stand-in",
        )

    async def ReceiveWebhook(self, request: Any, context: Any) -> payments.ReceiveWebhookResponse:
        if request.headers.get("webhook-signature") != "v1,good":
            raise ServiceError(Kind.UNAUTHENTICATED, "WEBHOOK_NOT_GENUINE", "The signature is not right.")
        duplicate = request.body in self._stage.webhooks
        self._stage.webhooks.append(request.body)
        return payments.ReceiveWebhookResponse(duplicate=duplicate)

    def _settle(self, payment: payments.Payment, outcome: Any) -> None:
        payment.status = outcome
        payment.method_summary = "Visa 4242"
        if outcome == _S.PAYMENT_STATUS_FAILED:
            payment.failure_code = self._stage.failure_code
        if outcome == _S.PAYMENT_STATUS_SUCCEEDED:
            payment.receipt_number = f"R-{600 + len(self._stage.payments)}"
            payment.received_on = self._stage.today.isoformat()
        if outcome in (
            _S.PAYMENT_STATUS_REQUIRES_ACTION,
            _S.PAYMENT_STATUS_UNKNOWN,
            _S.PAYMENT_STATUS_PROCESSING,
        ):
            return
        for part in payment.parts:
            invoice = self._stage.invoices[part.invoice_id]
            invoice.amount_processing.minor_units = 0
            if outcome == _S.PAYMENT_STATUS_SUCCEEDED:
                invoice.amount_paid.minor_units += part.amount.minor_units
                invoice.amount_due.minor_units -= part.amount.minor_units
                left = invoice.amount_due.minor_units
                invoice.overdue = invoice.overdue and left > 0
                invoice.status = (
                    InvoiceStatus.INVOICE_STATUS_PARTLY_PAID if left else InvoiceStatus.INVOICE_STATUS_PAID
                )


def servicers(service: Payments) -> list[tuple[Any, object]]:
    """As a server takes them."""
    return [
        (add_PaymentsServicer_to_server, service),
        (add_ProviderEventsServicer_to_server, service),
        *methods(),
    ]


def methods() -> list[tuple[Any, object]]:
    """Saved methods and autopay, as a server takes them."""
    stand_in: Any = cast(Any, Methods)()
    return [
        (add_PaymentMethodsServicer_to_server, stand_in),
        (add_AutopayServicer_to_server, stand_in),
        (add_TransfersServicer_to_server, stand_in),
    ]

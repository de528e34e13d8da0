"""Stand-ins for payments and notifications."""

from datetime import date, timedelta
from typing import Any

from chassis.errors import Kind, ServiceError, not_found
from tallyport.notifications.v1 import messages_pb2 as messages
from tallyport.notifications.v1.messages_pb2_grpc import MessagesServicer
from tallyport.payments.v1 import payments_pb2 as payments
from tallyport.payments.v1.payments_pb2_grpc import PaymentsServicer
from tests.support.back_office.books import Books, usd
from tests.support.back_office.keys import once

_S = payments.PaymentStatus


class Payments(PaymentsServicer):
    """What came in and how."""

    def __init__(self, books: Books) -> None:
        self._books = books

    async def RecordPayment(self, request: Any, context: Any) -> payments.Payment:
        def make() -> payments.Payment:
            for part in request.parts:
                if part.amount.minor_units > self._books.invoices[part.invoice_id].amount_due.minor_units:
                    raise ServiceError(Kind.FAILED_PRECONDITION, "AMOUNT_EXCEEDS_DUE", "Too much.")
            payment = payments.Payment(
                payment_id=f"pay_n{len(self._books.payments) + 1}",
                customer_id=request.customer_id,
                status=_S.PAYMENT_STATUS_SUCCEEDED,
                amount=request.amount,
                parts=request.parts,
                method=request.method,
                receipt_number=f"R-{2000 + len(self._books.payments)}",
                received_on=request.received_on or self._books.today.isoformat(),
                note=request.note,
                initiated_by="person:per_1",
            )
            for part in payment.parts:
                invoice = self._books.invoices[part.invoice_id]
                part.invoice_number = invoice.number
                self._books.settle(invoice, part.amount.minor_units)
            payment.created_at.GetCurrentTime()
            payment.finished_at.GetCurrentTime()
            self._books.payments[payment.payment_id] = payment
            return payment

        return once(self._books, self._books.payments, make, "payment_id")

    async def GetPayment(self, request: Any, context: Any) -> payments.Payment:
        if request.payment_id not in self._books.payments:
            raise not_found("payment")
        return self._books.payments[request.payment_id]

    async def RefreshPayment(self, request: Any, context: Any) -> payments.Payment:
        self._books.calls.append("RefreshPayment")
        payment = await self.GetPayment(request, context)
        payment.status = _S.PAYMENT_STATUS_SUCCEEDED
        payment.receipt_number = "R-9001"
        payment.received_on = self._books.today.isoformat()
        return payment

    async def CancelPayment(self, request: Any, context: Any) -> payments.Payment:
        payment = await self.GetPayment(request, context)
        payment.status = _S.PAYMENT_STATUS_CANCELED
        return payment

    async def ListPayments(self, request: Any, context: Any) -> payments.ListPaymentsResponse:
        found = [
            one
            for one in self._books.payments.values()
            if request.status in (0, one.status) and request.customer_id in ("", one.customer_id)
        ]
        found.sort(key=lambda one: (one.created_at.seconds, one.payment_id), reverse=True)
        start, size = int(request.page_token or 0), request.page_size or 25
        more = str(start + size) if start + size < len(found) else ""
        return payments.ListPaymentsResponse(payments=found[start : start + size], next_page_token=more)

    async def GetReceiptPdf(self, request: Any, context: Any) -> payments.ReceiptDocument:
        payment = await self.GetPayment(request, context)
        return payments.ReceiptDocument(
            file_name=f"{payment.receipt_number}.pdf",
            media_type="application/pdf",
            content=b"%PDF-1.7 stand-in",
        )

    async def GetPaymentsOverview(self, request: Any, context: Any) -> payments.PaymentsOverview:
        if "payments" in self._books.away:
            raise ServiceError(Kind.UNAVAILABLE, "SERVICE_UNAVAILABLE", "Away.")
        first = self._books.today - timedelta(days=29)
        days = {(first + timedelta(days=index)).isoformat(): 0 for index in range(30)}
        today = 0
        for payment in self._books.payments.values():
            if payment.received_on and date.fromisoformat(payment.received_on) >= first:
                days[payment.received_on] += payment.amount.minor_units
                today += payment.received_on == self._books.today.isoformat()
        entry = payments.CurrencyPayments(
            received_today=usd(days[self._books.today.isoformat()]),
            payments_today=today,
            received_30_days=usd(sum(days.values())),
            days=[payments.DayReceived(day=day, amount=usd(units)) for day, units in days.items()],
            failed_today=1,
        )
        unfinished = (_S.PAYMENT_STATUS_UNKNOWN, _S.PAYMENT_STATUS_PROCESSING)
        count = sum(one.status in unfinished for one in self._books.payments.values())
        return payments.PaymentsOverview(
            currencies=[entry], unfinished_payments=count, today=self._books.today.isoformat()
        )


class Messages(MessagesServicer):
    """What was mailed."""

    def __init__(self, books: Books) -> None:
        self._books = books

    async def ListMessages(self, request: Any, context: Any) -> messages.ListMessagesResponse:
        found = [
            one
            for one in reversed(self._books.messages.values())
            if request.about_id in ("", one.about_id) and request.state in (0, one.state)
        ]
        start, size = int(request.page_token or 0), request.page_size or 25
        more = str(start + size) if start + size < len(found) else ""
        return messages.ListMessagesResponse(messages=found[start : start + size], next_page_token=more)

    async def RetryMessage(self, request: Any, context: Any) -> messages.Message:
        def retry() -> messages.Message:
            message = self._books.messages[request.message_id]
            message.state = messages.MESSAGE_STATE_QUEUED
            message.last_error = ""
            return message

        return once(self._books, self._books.messages, retry, "message_id")

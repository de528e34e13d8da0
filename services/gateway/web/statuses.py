"""States as people read them: a word, an icon and a tone, so that colour is never the only sign."""

from dataclasses import dataclass

from services.gateway.web.languages import gettext
from services.gateway.web.languages import marked as _
from tallyport.invoicing.v1.invoices_pb2 import Invoice, InvoiceStatus
from tallyport.payments.v1.payments_pb2 import PaymentStatus


@dataclass(frozen=True, slots=True)
class Status:
    """`tone` is one of neutral, info, good, warn, bad."""

    word: str
    icon: str
    tone: str


_INVOICE = {
    InvoiceStatus.INVOICE_STATUS_DRAFT: (_("Draft"), "pencil", "neutral"),
    InvoiceStatus.INVOICE_STATUS_OPEN: (_("Open"), "dot", "info"),
    InvoiceStatus.INVOICE_STATUS_PARTLY_PAID: (_("Partly paid"), "half", "info"),
    InvoiceStatus.INVOICE_STATUS_PAID: (_("Paid"), "check-circle", "good"),
    InvoiceStatus.INVOICE_STATUS_VOID: (_("Void"), "ban", "neutral"),
}
_PAYMENT = {
    PaymentStatus.PAYMENT_STATUS_REQUIRES_ACTION: (_("Waiting for you"), "clock", "warn"),
    PaymentStatus.PAYMENT_STATUS_PROCESSING: (_("On its way"), "clock", "info"),
    PaymentStatus.PAYMENT_STATUS_SUCCEEDED: (_("Paid"), "check-circle", "good"),
    PaymentStatus.PAYMENT_STATUS_FAILED: (_("Failed"), "cross-circle", "bad"),
    PaymentStatus.PAYMENT_STATUS_CANCELED: (_("Canceled"), "ban", "neutral"),
    PaymentStatus.PAYMENT_STATUS_UNKNOWN: (_("Being checked"), "clock", "warn"),
}
_UNKNOWN = (_("Unknown"), "info", "neutral")


def invoice_status(invoice: Invoice) -> Status:
    """What matters most about an invoice: overdue and disputed come before open, processing before both."""
    if invoice.amount_processing.minor_units > 0 and invoice.amount_due.minor_units > 0:
        return Status(gettext("Payment on its way"), "clock", "info")
    if invoice.overdue:
        return Status(gettext("Overdue"), "alert", "bad")
    if invoice.disputed and invoice.status != InvoiceStatus.INVOICE_STATUS_PAID:
        return Status(gettext("Disputed"), "flag", "warn")
    word, icon, tone = _INVOICE.get(invoice.status, _UNKNOWN)
    return Status(gettext(word), icon, tone)


def payment_status(status: PaymentStatus.ValueType) -> Status:
    """The state of a payment."""
    word, icon, tone = _PAYMENT.get(status, _UNKNOWN)
    return Status(gettext(word), icon, tone)

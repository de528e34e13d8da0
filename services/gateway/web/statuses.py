"""States as people read them: a word, an icon and a tone, so that colour is never the only sign."""

from dataclasses import dataclass

from services.gateway.web.languages import gettext
from services.gateway.web.languages import marked as _
from tallyport.invoicing.v1.invoices_pb2 import Invoice, InvoiceStatus
from tallyport.payments.v1.autopay_pb2 import AutopayRunStatus
from tallyport.payments.v1.payment_methods_pb2 import PaymentMethodState
from tallyport.payments.v1.payments_pb2 import PaymentStatus


@dataclass(frozen=True, slots=True)
class Status:
    """`tone` is one of neutral, info, good, warn, bad."""

    word: str
    icon: str
    tone: str


_SETTLED = (InvoiceStatus.INVOICE_STATUS_PAID, InvoiceStatus.INVOICE_STATUS_UNCOLLECTIBLE)
_INVOICE = {
    InvoiceStatus.INVOICE_STATUS_DRAFT: (_("Draft"), "pencil", "neutral"),
    InvoiceStatus.INVOICE_STATUS_OPEN: (_("Open"), "dot", "info"),
    InvoiceStatus.INVOICE_STATUS_PARTLY_PAID: (_("Partly paid"), "half", "info"),
    InvoiceStatus.INVOICE_STATUS_PAID: (_("Paid"), "check-circle", "good"),
    InvoiceStatus.INVOICE_STATUS_VOID: (_("Void"), "ban", "neutral"),
    InvoiceStatus.INVOICE_STATUS_UNCOLLECTIBLE: (_("Closed"), "ban", "neutral"),
}
_PAYMENT = {
    PaymentStatus.PAYMENT_STATUS_REQUIRES_ACTION: (_("Waiting for you"), "clock", "warn"),
    PaymentStatus.PAYMENT_STATUS_PROCESSING: (_("On its way"), "clock", "info"),
    PaymentStatus.PAYMENT_STATUS_SUCCEEDED: (_("Paid"), "check-circle", "good"),
    PaymentStatus.PAYMENT_STATUS_FAILED: (_("Failed"), "cross-circle", "bad"),
    PaymentStatus.PAYMENT_STATUS_CANCELED: (_("Canceled"), "ban", "neutral"),
    PaymentStatus.PAYMENT_STATUS_UNKNOWN: (_("Being checked"), "clock", "warn"),
    PaymentStatus.PAYMENT_STATUS_RETURNED: (_("Came back"), "back", "bad"),
    PaymentStatus.PAYMENT_STATUS_REFUNDED: (_("Refunded"), "back", "neutral"),
    PaymentStatus.PAYMENT_STATUS_PARTLY_REFUNDED: (_("Partly refunded"), "half", "neutral"),
    PaymentStatus.PAYMENT_STATUS_DISPUTED: (_("Disputed"), "flag", "bad"),
    PaymentStatus.PAYMENT_STATUS_CHARGED_BACK: (_("Charged back"), "back", "bad"),
    PaymentStatus.PAYMENT_STATUS_SCHEDULED: (_("Scheduled"), "calendar", "info"),
    PaymentStatus.PAYMENT_STATUS_AWAITING_APPROVAL: (_("Needs approval"), "people", "warn"),
}
_METHOD_STATE = {
    PaymentMethodState.PAYMENT_METHOD_STATE_ACTIVE: (_("Ready"), "check-circle", "good"),
    PaymentMethodState.PAYMENT_METHOD_STATE_EXPIRED: (_("Expired"), "cross-circle", "bad"),
    PaymentMethodState.PAYMENT_METHOD_STATE_COOLING_OFF: (_("Just added"), "clock", "info"),
    PaymentMethodState.PAYMENT_METHOD_STATE_REVOKED: (_("Withdrawn"), "ban", "bad"),
    PaymentMethodState.PAYMENT_METHOD_STATE_REMOVED: (_("Removed"), "ban", "neutral"),
}
_RUN = {
    AutopayRunStatus.AUTOPAY_RUN_STATUS_PLANNED: (_("Planned"), "calendar", "info"),
    AutopayRunStatus.AUTOPAY_RUN_STATUS_NEEDS_CONFIRMATION: (_("Asks for your consent"), "alert", "warn"),
    AutopayRunStatus.AUTOPAY_RUN_STATUS_SKIPPED: (_("Skipped"), "ban", "neutral"),
    AutopayRunStatus.AUTOPAY_RUN_STATUS_STARTED: (_("Paid or on its way"), "clock", "info"),
    AutopayRunStatus.AUTOPAY_RUN_STATUS_PAID: (_("Paid"), "check-circle", "good"),
    AutopayRunStatus.AUTOPAY_RUN_STATUS_RETRYING: (_("Is tried again"), "repeat", "warn"),
    AutopayRunStatus.AUTOPAY_RUN_STATUS_FAILED: (_("Did not go through"), "cross-circle", "bad"),
    AutopayRunStatus.AUTOPAY_RUN_STATUS_CANCELED: (_("Not needed any more"), "ban", "neutral"),
}
_SKIPPED = {
    "disputed": _("Left out: you object to this invoice, and that is being looked into"),
    "being_paid": _("Left out: a payment for it is on its way"),
    "paid": _("Left out: it is paid already"),
    "not_payable": _("Left out: it cannot be paid"),
    "other_currency": _("Left out: it is in another currency"),
    "on_plan": _("Left out: nothing of it is due yet by your instalment plan"),
}
_UNKNOWN = (_("Unknown"), "info", "neutral")


def invoice_status(invoice: Invoice) -> Status:
    """What matters most about an invoice: overdue and disputed come before open, processing before both.

    What is under an agreed instalment plan is not late: the plan tells when what is due.
    """
    if invoice.amount_processing.minor_units > 0 and invoice.amount_due.minor_units > 0:
        return Status(gettext("Payment on its way"), "clock", "info")
    if invoice.HasField("instalment"):
        if invoice.instalment.asked_now.minor_units:
            return Status(gettext("Instalment due"), "calendar", "warn")
        return Status(gettext("In instalments"), "calendar", "info")
    if invoice.overdue:
        return Status(gettext("Overdue"), "alert", "bad")
    if invoice.disputed and invoice.status not in _SETTLED:
        return Status(gettext("Disputed"), "flag", "warn")
    status = invoice.status
    if status == InvoiceStatus.INVOICE_STATUS_PARTLY_PAID and not invoice.amount_paid.minor_units:
        status = InvoiceStatus.INVOICE_STATUS_OPEN  # a part was credited, nothing paid
    word, icon, tone = _INVOICE.get(status, _UNKNOWN)
    return Status(gettext(word), icon, tone)


def payment_status(status: PaymentStatus.ValueType) -> Status:
    """The state of a payment."""
    word, icon, tone = _PAYMENT.get(status, _UNKNOWN)
    return Status(gettext(word), icon, tone)


def method_state(state: PaymentMethodState.ValueType) -> Status:
    """The state of a saved method."""
    word, icon, tone = _METHOD_STATE.get(state, _UNKNOWN)
    return Status(gettext(word), icon, tone)


def run_status(status: AutopayRunStatus.ValueType) -> Status:
    """The state of an automatic payment."""
    word, icon, tone = _RUN.get(status, _UNKNOWN)
    return Status(gettext(word), icon, tone)


def skip_reason(reason: str) -> str:
    """Why a payment leaves an invoice out."""
    return gettext(_SKIPPED.get(reason, _SKIPPED["not_payable"]))

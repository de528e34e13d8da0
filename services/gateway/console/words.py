"""Ways of paying, states of payments and of mails, as staff name them."""

from typing import Any

from chassis.money import Money
from services.gateway.web.languages import gettext as _
from services.gateway.web.languages import marked
from services.gateway.web.statuses import Status, payment_status
from tallyport.invoicing.v1.invoices_pb2 import Invoice
from tallyport.notifications.v1.messages_pb2 import Message, MessageKind, MessageState
from tallyport.payments.v1.payments_pb2 import Payment, PaymentMethodType, PaymentStatus

_MAIL_STATES = {
    MessageState.MESSAGE_STATE_QUEUED: (marked("Waiting"), "clock", "info"),
    MessageState.MESSAGE_STATE_SENT: (marked("Sent"), "check-circle", "good"),
    MessageState.MESSAGE_STATE_FAILED: (marked("Not delivered"), "alert", "bad"),
}


def method_words(payment: Payment) -> str:
    """Visa 4242, Cash, Bank transfer."""
    words = {
        PaymentMethodType.PAYMENT_METHOD_TYPE_CARD: _("Card"),
        PaymentMethodType.PAYMENT_METHOD_TYPE_CASH: _("Cash"),
        PaymentMethodType.PAYMENT_METHOD_TYPE_CHEQUE: _("Cheque"),
        PaymentMethodType.PAYMENT_METHOD_TYPE_BANK_TRANSFER: _("Bank transfer"),
        PaymentMethodType.PAYMENT_METHOD_TYPE_EXTERNAL: _("Recorded elsewhere"),
        PaymentMethodType.PAYMENT_METHOD_TYPE_BANK_DEBIT: _("Bank debit"),
        PaymentMethodType.PAYMENT_METHOD_TYPE_WALLET: _("Wallet"),
        PaymentMethodType.PAYMENT_METHOD_TYPE_REDIRECT: _("Payment service"),
        PaymentMethodType.PAYMENT_METHOD_TYPE_STABLECOIN: _("Stablecoin"),
        PaymentMethodType.PAYMENT_METHOD_TYPE_CREDIT: _("Credit"),
        PaymentMethodType.PAYMENT_METHOD_TYPE_CARD_TERMINAL: _("Card terminal"),
    }
    return payment.method_summary or words.get(payment.method, "–")


def staff_status(payment: Payment) -> Status:
    """The state seen from the counter: what waits, waits for the payer and not for "you"."""
    if payment.status == PaymentStatus.PAYMENT_STATUS_REQUIRES_ACTION:
        return Status(_("At the payer"), "clock", "neutral")
    if payment.status == PaymentStatus.PAYMENT_STATUS_SUCCEEDED:
        return Status(_("Received"), "check-circle", "good")
    return payment_status(payment.status)


def void_hindrance(invoice: Invoice) -> str:
    """Why an open invoice cannot be voided any more; empty where it can."""
    if invoice.amount_processing.minor_units:
        return _("A payment for it is on its way, so it cannot be voided.")
    if invoice.amount_paid.minor_units:
        return _("Something was paid on it, so it cannot be voided. A credit note takes back what is wrong.")
    if invoice.amount_credited.minor_units:
        return _("A part of it was credited, so it cannot be voided. Credit the rest as well.")
    return ""


def truth(payment: Payment) -> str:
    """What is certain about a payment, in a sentence."""
    return {
        PaymentStatus.PAYMENT_STATUS_REQUIRES_ACTION: _(
            "The payer has been sent to the card page and has not finished. Nothing was charged yet."
        ),
        PaymentStatus.PAYMENT_STATUS_PROCESSING: _(
            "The payer has finished; the money is on its way and settles by itself."
        ),
        PaymentStatus.PAYMENT_STATUS_SUCCEEDED: _("The money is there and booked on the invoices below."),
        PaymentStatus.PAYMENT_STATUS_FAILED: _(
            "It was refused. Nothing was charged; the invoices stay open."
        ),
        PaymentStatus.PAYMENT_STATUS_CANCELED: _(
            "It was given up. Nothing was charged; the invoices stay open."
        ),
        PaymentStatus.PAYMENT_STATUS_UNKNOWN: _(
            "The provider did not answer in time, so nobody knows yet whether the card was charged. It is asked "
            "again and again until it is certain. Please do not take the money another way meanwhile."
        ),
        PaymentStatus.PAYMENT_STATUS_RETURNED: _(
            "The money was there and the bank has sent it back. The invoices are open again."
        ),
        PaymentStatus.PAYMENT_STATUS_REFUNDED: _("All of it was given back."),
        PaymentStatus.PAYMENT_STATUS_PARTLY_REFUNDED: _("The money came, and a part of it was given back."),
        PaymentStatus.PAYMENT_STATUS_DISPUTED: _(
            "The payer’s bank has taken the money back. The invoices are open again unless the chargeback is won."
        ),
        PaymentStatus.PAYMENT_STATUS_CHARGED_BACK: _(
            "The chargeback was lost: the payer’s bank keeps the money. What it had paid is open again."
        ),
        PaymentStatus.PAYMENT_STATUS_SCHEDULED: _(
            "It starts by itself on its day, and can be canceled until then. Nothing was charged yet."
        ),
        PaymentStatus.PAYMENT_STATUS_AWAITING_APPROVAL: _(
            "It waits until somebody of the paying company approves it. Nothing was charged yet."
        ),
    }.get(payment.status, "")


def message_status(message: Message) -> Status:
    """The state of a mail."""
    word, icon, tone = _MAIL_STATES.get(message.state, (marked("Waiting"), "clock", "info"))
    return Status(_(word), icon, tone)


def message_subject(message: Message) -> str:
    """Its subject, or its kind while it is not put together."""
    kinds = {
        MessageKind.MESSAGE_KIND_INVOICE: _("Invoice mail"),
        MessageKind.MESSAGE_KIND_RECEIPT: _("Receipt mail"),
        MessageKind.MESSAGE_KIND_AUTOPAY_ANNOUNCED: _("Notice of an automatic payment"),
        MessageKind.MESSAGE_KIND_AUTOPAY_FAILED: _("Failed automatic payment"),
        MessageKind.MESSAGE_KIND_CARD_EXPIRING: _("Expiring card"),
        MessageKind.MESSAGE_KIND_APPROVAL_REQUESTED: _("Request for approval"),
        MessageKind.MESSAGE_KIND_REVERSAL: _("Money given back"),
        MessageKind.MESSAGE_KIND_INVOICE_UPCOMING: _("Notice of the next invoice"),
        MessageKind.MESSAGE_KIND_PRICE_CHANGE: _("Notice of a new price"),
        MessageKind.MESSAGE_KIND_PLAN_OFFERED: _("Offer of an instalment plan"),
        MessageKind.MESSAGE_KIND_PLAN_ACTIVE: _("Instalment plan begun"),
        MessageKind.MESSAGE_KIND_INSTALMENT_DUE: _("Notice of an instalment"),
        MessageKind.MESSAGE_KIND_PLAN_BROKEN: _("Instalment plan ended"),
        MessageKind.MESSAGE_KIND_DISPUTE_OPENED: _("Objection received"),
        MessageKind.MESSAGE_KIND_DISPUTE_ANSWERED: _("Answer to an objection"),
        MessageKind.MESSAGE_KIND_DISPUTE_RESOLVED: _("Objection settled"),
        MessageKind.MESSAGE_KIND_DUNNING: _("Payment reminder"),
        MessageKind.MESSAGE_KIND_CREDIT_NOTE: _("Credit note mail"),
    }
    return message.subject or kinds.get(message.kind, _("Mail"))


def about_address(message: Message) -> str:
    """Where the invoice or payment is that it is about."""
    folders = {"inv": "invoices", "ipl": "plans", "dsp": "disputes"}
    return f"/console/{folders.get(message.about_id.partition('_')[0], 'payments')}/{message.about_id}"


WORDS: dict[str, Any] = {
    "staff_status": staff_status,
    "method_words": method_words,
    "message_status": message_status,
    "message_subject": message_subject,
    "about_address": about_address,
    "money_in": Money,
}
"""For templates with lists of payments or mails."""

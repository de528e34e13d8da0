"""Refusals in words that say what happened and what to do, in the reader's language.

A reason that is not listed here shows the service's own sentence, which is always safe to show.
"""

from chassis.errors import Kind, ServiceError
from services.gateway.web.languages import gettext
from services.gateway.web.languages import marked as _

_UNKNOWN = _("There is nothing here, or it is not yours to see.")
_DECLINED = _("The bank declined the card. Try another card, or ask the bank why.")
_SENTENCES = {
    "CLOSE_BLOCKED": _("Something has to be put right first, or say why it is closed all the same."),
    "PERIOD_NOT_LAST": _("Only the last closed period can be opened again."),
    "PAYMENTS_AWAY": _(
        "The cash ledger cannot be reached just now, so nothing was opened. Please try again in a moment."
    ),
    "CASH_LOCKED_FURTHER": _(
        "The cash ledger is locked further than this period, so nothing was opened. "
        "Close up to the end of that lock and open it again first."
    ),
    "INVOICE_DATE_CLOSED": _("The books are closed for this invoice date. Choose a later date."),
    "STATEMENT_TOO_LONG": _("Too much happened in this period for one page. Choose a shorter one."),
    "INVOICE_ALREADY_PAID": _("This invoice is paid already. Nothing was charged now."),
    "INVOICE_BEING_PAID": _("A payment for this invoice is on its way already. Nothing was charged now."),
    "INVOICE_NOT_PAYABLE": _("This invoice cannot be paid. Nothing was charged."),
    "AMOUNT_EXCEEDS_DUE": _("The amount is more than what is still to pay. Nothing was charged."),
    "PREVIEW_CHANGED": _("Something changed meanwhile. Please check the amounts again. Nothing was charged."),
    "INVOICE_CHANGED": _("Something changed meanwhile. Please check the amounts again. Nothing was charged."),
    "CREDIT_CHANGED": _(
        "Your credit has changed meanwhile. Please check the amounts again. Nothing was charged."
    ),
    "AMOUNT_NOT_ALLOWED": _("This amount cannot be paid this way. Nothing was charged."),
    "PART_PAYMENT_NOT_ALLOWED": _("Invoices can only be paid in full here. Please pay all that is due."),
    "PAYMENT_METHOD_NOT_ALLOWED": _("This way to pay is not offered. Please choose another one."),
    "PAYMENT_METHOD_NOT_USABLE": _("This payment method cannot be used just now. Please choose another one."),
    "PAYMENT_METHOD_NOT_FOUND": _("This payment method is gone. Please choose another one."),
    "PAYMENT_METHOD_IN_USE": _("Automatic payments use this method. Choose another one to take its place."),
    "TOO_MANY_TRIES": _(
        "There were too many tries. Nothing was charged. Please wait a while, or contact us to pay another way."
    ),
    "SPENDING_LIMIT_EXCEEDED": _("This is more than your company allows you to pay. Nothing was charged."),
    "AUTOPAY_RUN_CLOSED": _("This automatic payment was started already or is over."),
    "CANCELLATION_NOT_OFFERED": _("This cannot be canceled here. Please write to us."),
    "SCHEDULE_CANCELED": _("This is canceled already."),
    "SCHEDULE_OVER": _("This is over. Nothing can be changed any more."),
    "PERMISSION_MISSING": _("Your role does not allow this."),
    "BANK_TRANSFER_NOT_OFFERED": _(
        "Bank transfers in this currency are not offered. Please pay another way."
    ),
    "NOT_WAITING_FOR_APPROVAL": _("This payment does not wait for approval any more."),
    "OWN_PAYMENT": _("Somebody else has to agree to what you started yourself."),
    "BOOKS_FROZEN": _("No payments can be made just now. Nothing was charged. Please try again later."),
    "CUSTOMER_CHANGED": _("Somebody else has changed these data meanwhile. Please look at them again."),
    "PROPOSAL_NOT_OPEN": _("This proposal was decided or taken back already."),
    "LOGIN_FAILED": _("The e-mail address or the password is not right."),
    "LOGIN_THROTTLED": _("Too many attempts. Please wait a moment and try again."),
    "PASSWORD_WRONG": _("The current password is not right."),
    "PASSWORD_TOO_COMMON": _("This password is known from stolen lists. Please choose another one."),
    "SESSION_ENDED": _("Please sign in first."),
    "PAYMENT_IN_PROGRESS": _("A payment for this invoice is on its way already. Nothing was charged now."),
    "PROVIDER_UNAVAILABLE": _(
        "The card page cannot be reached just now. Nothing was charged. Please try again in a moment."
    ),
    "CURRENCY_MISMATCH": _("Invoices in different currencies cannot be paid together."),
    "IDEMPOTENCY_KEY_IN_PROGRESS": _("This is being done already. Please wait a moment."),
    "IDEMPOTENCY_KEY_REUSED": _(
        "This form was sent before with other entries. Please check and send it again."
    ),
    "SERVICE_UNAVAILABLE": _(
        "A part of the system cannot be reached just now. Please try again in a moment."
    ),
    "DATABASE_UNAVAILABLE": _(
        "A part of the system cannot be reached just now. Please try again in a moment."
    ),
    "DEADLINE_EXCEEDED": _("This took longer than it should. Please try again in a moment."),
    "FORM_OUT_OF_DATE": _("This page had been open too long. Please go back, reload it and try again."),
    "FORM_FROM_ELSEWHERE": _("This request did not come from our own pages, so nothing was done."),
    "PERMISSION_DENIED": _("Your role does not allow this."),
    "NOT_FOUND": _UNKNOWN,
    "SIGN_IN_REQUIRED": _("Please sign in first."),
}
_FAILURES = {
    "card_declined": _DECLINED,
    "insufficient_funds": _("There is not enough money on the card. Try another card or a smaller amount."),
    "expired_card": _("The card has expired. Please use another one."),
    "incorrect_cvc": _("The security code was not right. Please check it and try again."),
    "lost_card": _DECLINED,
    "stolen_card": _DECLINED,
    "authentication_failed": _("The bank could not confirm that it was you. Please try again."),
    "processing_error": _("The bank could not process the payment. Please try again in a moment."),
    "account_closed": _("This bank account is closed. Please use another account or a card."),
    "mandate_revoked": _(
        "The permission to debit this account was withdrawn. Save it again, or pay another way."
    ),
    "authentication_required": _(
        "The bank wants you to confirm this payment. Please pay on the card page instead."
    ),
    "redirect_declined": _("The payment was declined there. Please try again or pay another way."),
    "payment_method_not_usable": _(
        "The saved payment method could not be used any more. Please use another one."
    ),
    "payment_method_gone": _("The saved payment method is gone. Please pay another way."),
    "provider_unavailable": _("The payment provider could not be reached. Please try again in a moment."),
    "preview_changed": _(
        "What was shown had changed by the time the payment began. Please look at it again."
    ),
    "nothing_due": _("Everything that this payment was for had been paid by then."),
    "declined_by_approver": _("Your company did not approve this payment."),
    "expired": _("The payment page was open too long and closed. Please start again."),
}

_RETURNS = {
    **dict.fromkeys(("R01", "R09", "AM04"), _("There was not enough money on the account.")),
    **dict.fromkeys(("R02", "AC04"), _("The account is closed.")),
    **dict.fromkeys(("R03", "R04", "AC01"), _("The account could not be found.")),
    **dict.fromkeys(
        ("R07", "R08", "R10", "R29", "MD01", "MD06", "MS02"), _("The account's holder objected to it.")
    ),
}

_TITLES = {
    400: _("That did not work"),
    401: _("Please sign in"),
    403: _("Not allowed"),
    404: _("Not found"),
    405: _("Not found"),
    409: _("Something changed meanwhile"),
    413: _("Too large"),
    422: _("That did not work"),
    429: _("A moment, please"),
    500: _("Something went wrong on our side"),
    503: _("Just a moment"),
    504: _("This takes longer than usual"),
}
_DEFECT = _(
    "It is not your fault, and we have been told. Please try again; if it stays, write to us with the number below."
)


def sentence(error: ServiceError) -> str:
    """What to show for a refusal."""
    text = _SENTENCES.get(error.reason)
    if text is not None:
        return gettext(text)
    if error.kind is Kind.NOT_FOUND:
        return gettext(_UNKNOWN)
    return defect() if error.kind is Kind.INTERNAL else error.message


def failure(code: str, message: str) -> str:
    """Why a payment failed, for who paid."""
    text = _FAILURES.get(code)
    return gettext(text) if text is not None else message or gettext(_DECLINED)


def return_reason(code: str) -> str:
    """Why the bank sent a debit back."""
    return gettext(_RETURNS.get(code, _("The bank gave no reason that we could tell you.")))


def title(status: int) -> str:
    """Heading of the page for an HTTP status."""
    return gettext(_TITLES.get(status, _TITLES[500 if status >= 500 else 400]))


def defect() -> str:
    """What to show when we are at fault."""
    return gettext(_DEFECT)

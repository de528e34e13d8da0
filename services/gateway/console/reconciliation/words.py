"""Bank lines, matches and payouts in the words of staff."""

from typing import Any

from chassis.errors import ServiceError
from services.gateway.web import problems
from services.gateway.web.languages import gettext as _
from services.gateway.web.languages import marked
from services.gateway.web.languages import ngettext as plural
from services.gateway.web.statuses import Status
from tallyport.payments.v1.bank_statements_pb2 import BankFileFormat
from tallyport.payments.v1.reconciliation_pb2 import BankLine, BankLineStatus

_CERTAIN, _LIKELY, _POSSIBLE = 950, 750, 450
"""Confidence per mille from which a proposal is called certain, likely, possible."""
_STATES = {
    BankLineStatus.BANK_LINE_STATUS_UNMATCHED: (marked("Waits"), "clock", "warn"),
    BankLineStatus.BANK_LINE_STATUS_MATCHED: (marked("Matched"), "check-circle", "good"),
    BankLineStatus.BANK_LINE_STATUS_IGNORED: (marked("Ignored"), "ban", "neutral"),
    BankLineStatus.BANK_LINE_STATUS_OUTGOING: (marked("Money that left"), "arrow", "neutral"),
    BankLineStatus.BANK_LINE_STATUS_SUPERSEDED: (marked("Split"), "half", "neutral"),
}
_REASONS = {
    "creditor_reference": marked("Reference"),
    "invoice_number": marked("Invoice number"),
    "exact_amount": marked("Exact amount"),
    "sum_of_invoices": marked("Sum of invoices"),
    "name": marked("Name of the payer"),
    "account_history": marked("Account seen before"),
    "rule": marked("Rule"),
    "claim": marked("Announced transfer"),
    "sum_of_lines": marked("Sum of lines"),
}
_REFUSALS = {
    "BANK_LINE_MATCHED": marked("Somebody has matched this line meanwhile."),
    "BANK_LINE_NOT_MATCHED": marked("This line is not matched, so there is nothing to undo."),
    "BANK_LINE_OUTGOING": marked("This money left the account; it pays no invoice."),
    "BANK_LINE_SPLIT": marked(
        "Other lines stand for this one: it was split, or its parts were joined again."
    ),
    "PAYOUT_ARRIVED": marked("Another bank line is this payout already."),
    "PAYOUT_AMOUNT_DIFFERS": marked("The bank line is not of the payout’s sum."),
    "AMOUNT_EXCEEDS_DUE": marked("The amount is more than what is still to pay. Nothing was booked."),
    "INVOICE_ALREADY_PAID": marked("An invoice is paid already meanwhile. Nothing was booked."),
    "INVOICE_BEING_PAID": marked("A payment for an invoice is on its way already. Nothing was booked."),
    "INVOICE_NOT_PAYABLE": marked("An invoice cannot be paid. Nothing was booked."),
    "PAYMENT_REVERSED": marked("Money of this payment has gone back already, so its match stays."),
    "BANK_ACCOUNT_UNKNOWN": marked(
        "The file’s account is none of yours. Add the account first, or choose one."
    ),
    "TOO_MANY_RULES": marked("There are too many rules. Delete one first."),
}
_FORMATS = {
    BankFileFormat.BANK_FILE_FORMAT_CAMT: "ISO 20022 camt.053 / camt.054",
    BankFileFormat.BANK_FILE_FORMAT_MT940: "SWIFT MT940",
    BankFileFormat.BANK_FILE_FORMAT_BAI2: "BAI2",
    BankFileFormat.BANK_FILE_FORMAT_OFX: "OFX",
    BankFileFormat.BANK_FILE_FORMAT_CSV: "CSV",
}
_CLEARING = {
    "provider_clearing": marked("At the payment provider"),
    "bank_clearing": marked("On the way to the bank"),
    "unmatched_receipts": marked("Received, belonging to nobody yet"),
}
_KINDS = {
    "charge": marked("Payment"),
    "refund": marked("Refund"),
    "chargeback": marked("Chargeback"),
    "chargeback_reversal": marked("Chargeback won"),
    "fee": marked("Fee"),
    "adjustment": marked("Adjustment"),
    "return": marked("Returned debit"),
}


def line_status(line: BankLine) -> Status:
    """The state of a bank line."""
    word, icon, tone = _STATES.get(line.status, (marked("Unknown"), "info", "neutral"))
    return Status(_(word), icon, tone)


def matched_by(line: BankLine) -> str:
    """Who matched it: `automatic`, `rule` or a person's name."""
    words = {"automatic": _("By itself"), "rule": _("By a rule")}
    return words.get(line.matched_by, line.matched_by)


def confidence(per_mille: int) -> Status:
    """How certain a proposal is, in a word."""
    if per_mille >= _CERTAIN:
        return Status(_("Certain"), "check-circle", "good")
    if per_mille >= _LIKELY:
        return Status(_("Very likely"), "check", "info")
    if per_mille >= _POSSIBLE:
        return Status(_("Possible"), "half", "neutral")
    return Status(_("Only a guess"), "info", "warn")


def reason_word(code: str) -> str:
    """What kind of evidence it is."""
    return _(_REASONS.get(code, "")) if code in _REASONS else code


def age(days: int) -> str:
    """Since when it waits."""
    return plural("%(count)s day", "%(count)s days", days) % {"count": days} if days else _("Today")


def format_word(file_format: int) -> str:
    """The kind of a bank's file."""
    return _FORMATS.get(file_format, "–")  # type: ignore[call-overload,no-any-return]


def account_word(account: str) -> str:
    """A clearing account as staff understand it; `kind:owner` names whose it is."""
    kind, _sign, owner = account.partition(":")
    word = _(_CLEARING[kind]) if kind in _CLEARING else kind
    return f"{word} ({owner})" if owner else word


def kind_word(kind: str) -> str:
    """What a line of a payout is."""
    return _(_KINDS[kind]) if kind in _KINDS else kind


def refusal(error: ServiceError) -> str:
    """Why something was not done, in a sentence."""
    return _(_REFUSALS[error.reason]) if error.reason in _REFUSALS else problems.sentence(error)


LINE_WORDS: dict[str, Any] = {
    "line_status": line_status,
    "matched_by": matched_by,
    "confidence": confidence,
    "reason_word": reason_word,
    "age": age,
}
"""For templates with bank lines."""

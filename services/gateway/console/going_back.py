"""Words for money that goes back, and for the accounts of the books, as staff understand them."""

from typing import Any

from services.gateway.web.languages import gettext as _
from services.gateway.web.languages import marked
from services.gateway.web.statuses import Status
from tallyport.payments.v1.chargebacks_pb2 import Chargeback, ChargebackStatus
from tallyport.payments.v1.refunds_pb2 import InvoiceEffect, Refund, RefundDestination, RefundStatus

_REFUNDS = {
    RefundStatus.REFUND_STATUS_PROCESSING: (marked("On its way"), "clock", "info"),
    RefundStatus.REFUND_STATUS_SUCCEEDED: (marked("Done"), "check-circle", "good"),
    RefundStatus.REFUND_STATUS_FAILED: (marked("Failed"), "cross-circle", "bad"),
    RefundStatus.REFUND_STATUS_UNKNOWN: (marked("Being checked"), "clock", "warn"),
}
_CHARGEBACKS = {
    ChargebackStatus.CHARGEBACK_STATUS_OPEN: (marked("Needs an answer"), "alert", "bad"),
    ChargebackStatus.CHARGEBACK_STATUS_UNDER_REVIEW: (marked("The bank decides"), "clock", "info"),
    ChargebackStatus.CHARGEBACK_STATUS_WON: (marked("Won"), "check-circle", "good"),
    ChargebackStatus.CHARGEBACK_STATUS_LOST: (marked("Lost"), "cross-circle", "neutral"),
}
_DESTINATIONS = {
    RefundDestination.REFUND_DESTINATION_METHOD: marked("back to the card or account"),
    RefundDestination.REFUND_DESTINATION_CREDIT: marked("to the customer’s credit"),
    RefundDestination.REFUND_DESTINATION_MANUAL: marked("handed over by hand"),
}
_EFFECTS = {
    InvoiceEffect.INVOICE_EFFECT_FORGIVE: marked("the invoices stay settled"),
    InvoiceEffect.INVOICE_EFFECT_REOPEN: marked("the invoices are to be paid again"),
}
_REASONS = {
    "fraudulent": marked("The payer says that they did not pay this"),
    "product_not_received": marked("The payer says that nothing arrived"),
    "product_unacceptable": marked("The payer says that it was not as agreed"),
    "duplicate": marked("The payer says that they paid twice"),
    "credit_not_processed": marked("The payer says that a refund never came"),
    "subscription_canceled": marked("The payer says that they had cancelled"),
    "unrecognized": marked("The payer does not recognize the payment"),
}
_NO_REASON = marked("The payer’s bank gives no reason")
_ACCOUNTS = {
    "provider_clearing": marked("At the payment provider"),
    "customer_funds": marked("Received from customers"),
    "surcharge_income": marked("Surcharges"),
    "discounts_given": marked("Discounts given"),
    "cash_on_hand": marked("Cash and cheques"),
    "bank": marked("Bank accounts"),
    "bank_clearing": marked("On its way to or from the bank"),
    "received_directly": marked("Received by another system"),
    "provider_fees": marked("Fees of the provider"),
    "unmatched_receipts": marked("Payouts not explained yet"),
    "refunds_payable": marked("Refunds to hand over"),
    "chargeback_fees": marked("Fees of chargebacks"),
    "chargebacks_pending": marked("Chargebacks not decided"),
    "gone_twice": marked("Gone back twice"),
    "receivable": marked("Owed by customers"),
    "revenue": marked("Revenue"),
    "tax_payable": marked("Tax to pay"),
    "cash_clearing": marked("Money from payments"),
    "customer_credit": marked("Credit of customers"),
    "sales_discounts": marked("Discounts for the way of paying"),
    "discount_clearing": marked("Discounts that payments gave"),
    "sales_returns": marked("Refunds not asked for again"),
    "suspense": marked("Unknown money"),
    "early_discounts": marked("Discounts for paying early"),
    "hardship_discounts": marked("Discounts in hardship"),
    "bad_debt": marked("Written off as lost"),
}
_KINDS = {
    "received": marked("Received"),
    "refunded": marked("Refunded"),
    "returned": marked("Came back"),
    "charged_back": marked("Taken back by the bank"),
    "reinstated": marked("Booked back"),
    "fee_open": marked("Fee of the chargeback"),
    "fee_won": marked("Fee of the chargeback, won"),
    "fee_lost": marked("Fee of the chargeback, lost"),
    "matched": marked("Seen at the bank"),
}


def refund_status(refund: Refund) -> Status:
    """The state of a refund."""
    return _status(_REFUNDS.get(refund.status))


def chargeback_status(chargeback: Chargeback) -> Status:
    """The state of a chargeback."""
    return _status(_CHARGEBACKS.get(chargeback.status))


def _status(found: tuple[str, str, str] | None) -> Status:
    word, icon, tone = found or (marked("Unknown"), "info", "neutral")
    return Status(_(word), icon, tone)


def refund_words(refund: Refund) -> str:
    """Where it went and what became of the invoices."""
    where = _(_DESTINATIONS.get(refund.destination, "–"))
    what = _EFFECTS.get(refund.invoice_effect)
    return f"{where}; {_(what)}" if what else where


def chargeback_reason(reason: str) -> str:
    """The provider's word in a sentence."""
    if reason in ("", "general"):
        return _(_NO_REASON)
    return _(_REASONS[reason]) if reason in _REASONS else reason.replace("_", " ")


def ledger_account(account: str) -> str:
    """An account of the books of payments or of receivables."""
    return _(_ACCOUNTS[account]) if account in _ACCOUNTS else account.replace("_", " ")


def entry_kind(kind: str) -> str:
    """What an entry of the books is about."""
    return _(_KINDS[kind]) if kind in _KINDS else kind.replace("_", " ")


BACK_WORDS: dict[str, Any] = {
    "refund_status": refund_status,
    "refund_words": refund_words,
    "chargeback_status": chargeback_status,
    "chargeback_reason": chargeback_reason,
    "ledger_account": ledger_account,
    "entry_kind": entry_kind,
}
"""For templates about money that goes back."""

"""Why a payment failed, in words for the payer that say what to do."""

from collections.abc import Mapping

from chassis.errors import Kind, ServiceError
from chassis.money import Money

REFUSALS: Mapping[str, str] = {
    "INVOICE_ALREADY_PAID": "This invoice is already paid. There is nothing left to pay.",
    "INVOICE_BEING_PAID": "Another payment of this invoice is under way. Please wait for it to finish.",
    "INVOICE_NOT_PAYABLE": "This invoice cannot be paid just now. Please contact us.",
    "AMOUNT_EXCEEDS_DUE": "The amount is more than what is still due. Please look at the invoice again.",
    "INVOICE_NOT_FOUND": "There is no such invoice.",
}
"""Reasons for which invoicing holds nothing for a payment: it ends before the provider hears of it."""

MESSAGES: Mapping[str, str] = {
    "preview_changed": "What was shown had changed meanwhile. Nothing was charged; please look at it again.",
    "declined_by_approver": "A colleague at your company declined this payment. Nothing was charged.",
    "nothing_due": "Everything that this payment was for had been paid or taken back before its day.",
    "payment_method_not_usable": "The saved payment method could not be used any more. Nothing was charged.",
    "card_declined": "Your bank declined the card. Please use another card, or ask your bank why.",
    "insufficient_funds": "There was not enough money. Please use another card or account.",
    "account_closed": "This bank account is closed. Please use another account or a card.",
    "mandate_revoked": "The permission to debit this account was withdrawn. Please save it again, or pay another way.",
    "debit_not_authorized": "The account's holder objected to the debit. Please use another account or a card.",
    "currency_not_supported": "This account cannot be used for this currency. Please pay another way.",
    "payment_method_gone": "The saved payment method is gone. Nothing was charged; please pay another way.",
    "redirect_declined": "The payment was declined there. Nothing was charged; please try again or pay another way.",
    "expired_card": "This card has expired. Please use another card.",
    "incorrect_cvc": "The security code was not right. Please try again and check the code on the card.",
    "incorrect_number": "The card number was not right. Please try again and check the number.",
    "processing_error": "The card could not be processed. Nothing was charged; please try again.",
    "authentication_failed": "Your bank could not confirm that it was you. Please try again, or use another card.",
    "authentication_required": "Your bank wants you to confirm this payment. Please pay on the card page instead.",
    "invalid_card_token": "The card details could not be used. Please enter them again.",
    "provider_unavailable": "The card provider cannot be reached. Nothing was charged; please try again later.",
    "provider_rejected": "The card provider did not accept the payment. Nothing was charged; please contact us.",
    "service_unavailable": "A part of the system was away. Nothing was charged; please try again.",
    **{reason.lower(): message for reason, message in REFUSALS.items()},
}
UNKNOWN_REASON = "The payment did not go through. Nothing was charged; please try again or use another card."


def message_for(failure_code: str) -> str:
    """The sentence for a code; an unknown code gets one that is true of every failure."""
    return MESSAGES.get(failure_code, UNKNOWN_REASON) if failure_code else ""


def refusal(reason: str, metadata: Mapping[str, str]) -> ServiceError:
    """The error for a payment that invoicing refused."""
    kind = Kind.NOT_FOUND if reason == "INVOICE_NOT_FOUND" else Kind.FAILED_PRECONDITION
    message = REFUSALS[reason]
    if reason == "AMOUNT_EXCEEDS_DUE" and metadata.get("left_minor_units"):
        message += f" {Money(int(metadata['left_minor_units']), metadata['currency'])} can still be paid."
    error = ServiceError(kind, reason, message)
    error.metadata.update(metadata)
    return error

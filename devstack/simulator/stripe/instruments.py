"""Stripe's test cards and accounts by name, each with the fate that the simulator gives the same number."""

import hashlib
from dataclasses import dataclass

from devstack.simulator import accounts, cards, wallets
from devstack.simulator.accounts import TestAccount
from devstack.simulator.cards import TestCard
from devstack.simulator.stripe.errors import Document

_CARDS = {
    "visa": "tok_visa",
    "mastercard": "tok_mastercard",
    "amex": "tok_amex",
    "chargeDeclined": "tok_declined",
    "visa_chargeDeclined": "tok_declined",
    "chargeDeclinedInsufficientFunds": "tok_insufficient_funds",
    "visa_chargeDeclinedInsufficientFunds": "tok_insufficient_funds",
    "chargeDeclinedExpiredCard": "tok_expired",
    "chargeDeclinedIncorrectCvc": "tok_bad_cvc",
    "chargeDeclinedProcessingError": "tok_processing_error",
    "chargeCustomerFail": "tok_charge_fails",
    "authenticationRequired": "tok_3ds_always",
    "authenticationRequiredOnSetup": "tok_3ds_unless_set_up",
    "authenticationRequiredChargeDeclinedInsufficientFunds": "tok_3ds_insufficient_funds",
    "threeDSecure2Required": "tok_3ds",
    "threeDSecureRequiredChargeDeclined": "tok_3ds_declined",
    "createDispute": "tok_disputed",
    "createDisputeProductNotReceived": "tok_disputed_not_received",
    "pendingRefund": "tok_refund_pending",
    "refundFail": "tok_refund_fails",
}
_ACCOUNTS = {
    "pm_usBankAccount": "ach_settles",
    "pm_usBankAccount_success": "ach_settles",
    "pm_usBankAccount_insufficientFunds": "ach_early_r01",
    "pm_usBankAccount_noAccount": "ach_early_r02",
    "pm_usBankAccount_dispute": "ach_late_2",
}
_DECLINES = {
    "card_declined": ("card_declined", "generic_decline", "Your card was declined."),
    "insufficient_funds": ("card_declined", "insufficient_funds", "Your card has insufficient funds."),
    "expired_card": ("expired_card", "expired_card", "Your card has expired."),
    "incorrect_cvc": ("incorrect_cvc", "incorrect_cvc", "Your card's security code is incorrect."),
    "processing_error": (
        "processing_error",
        "processing_error",
        "An error occurred while processing your card. Try again in a little bit.",
    ),
    "authentication_required": (
        "authentication_required",
        "authentication_required",
        "Your card was declined. This transaction requires authentication.",
    ),
}


@dataclass(frozen=True)
class Instrument:
    """What a payment method was made from. `card` or `account`; neither for PayPal and crypto."""

    type: str
    key: str
    card: TestCard | None = None
    account: TestAccount | None = None
    wallet: str = ""


def of_key(type_: str, key: str, wallet: str = "") -> Instrument:
    """The instrument that a stored method names."""
    return Instrument(type_, key, cards.by_token(key), accounts.by_key(key), wallet)


def of_card(card: TestCard, wallet: str = "") -> Instrument:
    return Instrument("card", card.token, card=card, wallet=wallet)


def of_account(account: TestAccount) -> Instrument:
    type_ = "us_bank_account" if account.scheme == "ach" else "sepa_debit"
    return Instrument(type_, account.key, account=account)


def by_name(name: str) -> Instrument | None:
    """A test method (`pm_card_visa`, `pm_usBankAccount`) or token (`tok_visa`) of Stripe's documentation.

    `tok_apple_pay` and `tok_google_pay` stand for what a wallet's button would hand over.
    """
    if name in _ACCOUNTS:
        account = accounts.by_key(_ACCOUNTS[name])
        return of_account(account) if account is not None else None
    if (word := wallets.STANDING_TOKENS.get(name)) is not None and name.startswith("tok_"):
        wallet, token = word
        card = cards.by_token(token)
        return of_card(card, wallet) if card is not None else None
    for prefix in ("pm_card_", "tok_"):
        if name.startswith(prefix) and (token := _CARDS.get(name.removeprefix(prefix), "")):
            card = cards.by_token(token)
            return of_card(card) if card is not None else None
    return None


def details(instrument: Instrument, exp: str = "12/2034") -> Document:
    """What Stripe shows of it, under the name of its type."""
    if (card := instrument.card) is not None:
        month, _, year = exp.partition("/")
        wallet = {"type": instrument.wallet} if instrument.wallet else None
        return {
            "brand": card.brand, "country": "US", "exp_month": int(month), "exp_year": int(year),
            "fingerprint": hashlib.sha256(card.number.encode()).hexdigest()[:16], "funding": "credit",
            "last4": card.last4, "wallet": wallet,
        }  # fmt: skip
    if (account := instrument.account) is not None and account.scheme == "ach":
        return {
            "account_holder_type": "company", "account_type": "checking", "bank_name": "STRIPE TEST BANK",
            "fingerprint": f"fp_{account.key}", "last4": account.last4, "routing_number": accounts.ROUTING_NUMBER,
        }  # fmt: skip
    if account is not None:
        return {
            "bank_code": account.number[4:12], "branch_code": "", "country": account.number[:2],
            "fingerprint": f"fp_{account.key}", "last4": account.last4,
        }  # fmt: skip
    return {}


def decline(code: str) -> Document:
    """The error of a declined card."""
    error_code, decline_code, message = _DECLINES.get(code, _DECLINES["card_declined"])
    return {"type": "card_error", "code": error_code, "decline_code": decline_code, "message": message}

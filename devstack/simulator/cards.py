"""The test cards: what each number and token does. Any future expiry date and any security code will do."""

from dataclasses import dataclass
from typing import Literal

Challenge = Literal["never", "unless_set_up", "always"]
Later = Literal["", "disputed_fraudulent", "disputed_not_received", "refund_pending", "refund_fails"]

DECLINES = {
    "card_declined": "The card was declined. Please use another card or ask your bank.",
    "insufficient_funds": "The card was declined: there is not enough money on the account.",
    "expired_card": "The card was declined: it has expired.",
    "incorrect_cvc": "The card was declined: the security code is not right.",
    "processing_error": "The card could not be processed. Nothing was charged; please try again.",
    "authentication_failed": "Your bank could not confirm that it is you. Nothing was charged.",
    "authentication_required": "The bank wants the card holder to confirm this payment on its page.",
    "account_closed": "The debit came back: the account is closed.",
    "currency_not_supported": "This account cannot be debited in that currency.",
    "mandate_revoked": "The account holder has revoked the mandate for debits.",
    "redirect_declined": "The payment was declined. Nothing was charged.",
}


@dataclass(frozen=True)
class TestCard:
    """One card number with its fate."""

    __test__ = False

    number: str
    token: str
    brand: str
    meaning: str
    decline_code: str | None = None
    challenge: Challenge = "never"
    later: Later = ""
    charges_only: bool = False
    """Whether the card is declined when charged but not when saved."""

    @property
    def last4(self) -> str:
        return self.number[-4:]

    @property
    def spaced(self) -> str:
        """The number as printed on a card."""
        if self.brand == "amex":
            return f"{self.number[:4]} {self.number[4:10]} {self.number[10:]}"
        return " ".join(self.number[at : at + 4] for at in range(0, len(self.number), 4))


CARDS = (
    TestCard("4242424242424242", "tok_visa", "visa", "succeeds"),
    TestCard("5555555555554444", "tok_mastercard", "mastercard", "succeeds"),
    TestCard("378282246310005", "tok_amex", "amex", "succeeds"),
    TestCard("4000000000000002", "tok_declined", "visa", "is declined", "card_declined"),
    TestCard(
        "4000000000009995", "tok_insufficient_funds", "visa", "has insufficient funds", "insufficient_funds"
    ),
    TestCard("4000000000000069", "tok_expired", "visa", "is declined as expired", "expired_card"),
    TestCard("4000000000000127", "tok_bad_cvc", "visa", "is declined for its security code", "incorrect_cvc"),
    TestCard(
        "4000000000000119", "tok_processing_error", "visa", "meets a processing error", "processing_error"
    ),
    TestCard(
        "4000000000000341",
        "tok_charge_fails",
        "visa",
        "can be saved, but every charge fails",
        "card_declined",
        charges_only=True,
    ),
    TestCard("4000002760003184", "tok_3ds_always", "visa", "asks to confirm, every time", challenge="always"),
    TestCard(
        "4000002500003155",
        "tok_3ds_unless_set_up",
        "visa",
        "asks to confirm, unless it was saved before",
        challenge="unless_set_up",
    ),
    TestCard("4000000000003220", "tok_3ds", "visa", "asks to confirm, then succeeds", challenge="always"),
    TestCard(
        "4000008400001629",
        "tok_3ds_declined",
        "visa",
        "asks to confirm, then is declined",
        "card_declined",
        "always",
    ),
    TestCard(
        "4000008260003178",
        "tok_3ds_insufficient_funds",
        "visa",
        "asks to confirm, then has insufficient funds",
        "insufficient_funds",
        "always",
    ),
    TestCard(
        "4000000000000259",
        "tok_disputed",
        "visa",
        "succeeds, then is disputed as fraudulent",
        later="disputed_fraudulent",
    ),
    TestCard(
        "4000000000002685",
        "tok_disputed_not_received",
        "visa",
        "succeeds, then is disputed as not received",
        later="disputed_not_received",
    ),
    TestCard(
        "4000000000007726",
        "tok_refund_pending",
        "visa",
        "succeeds; its refunds take a day",
        later="refund_pending",
    ),
    TestCard(
        "4000000000005126",
        "tok_refund_fails",
        "visa",
        "succeeds; its refunds succeed and fail a day later",
        later="refund_fails",
    ),
)
_BY_NUMBER = {card.number: card for card in CARDS}
_BY_TOKEN = {card.token: card for card in CARDS}


def by_number(number: str) -> TestCard | None:
    """The test card with that number (digits only)."""
    return _BY_NUMBER.get(number)


def by_token(token: str) -> TestCard | None:
    """The test card with that token."""
    return _BY_TOKEN.get(token)


def digits_of(typed: str) -> str:
    """A card number without the spaces and dashes people type."""
    return typed.replace(" ", "").replace("-", "").replace("\u00a0", "")


def passes_luhn(number: str) -> bool:
    """Whether the check digit is right."""
    total = 0
    for position, digit in enumerate(reversed(number)):
        value = int(digit) * (2 if position % 2 else 1)
        total += value - 9 if value > 9 else value
    return total % 10 == 0


def fee_minor_units(amount_minor_units: int) -> int:
    """What the provider keeps of a successful charge: 2.9 % rounded half up, and 30."""
    return (amount_minor_units * 29 + 500) // 1000 + 30

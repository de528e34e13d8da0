"""What a merchant asks for, checked."""

from dataclasses import dataclass, replace
from typing import Any

from devstack.simulator.accounts import BANKS, TestAccount
from devstack.simulator.cards import TestCard
from devstack.simulator.faults import Subject

KINDS = ("card", "bank_debit", "redirect", "wallet", "stablecoin")
TOKEN_EXPIRY = "12/2034"  # noqa: S105


@dataclass(frozen=True)
class Terms:
    """How much is charged and for what."""

    amount_minor_units: int
    currency: str
    reference: str
    metadata: dict[str, str]

    def subject(self, operation: str) -> Subject:
        """What faults are matched with."""
        return Subject(operation, self.reference, self.metadata)


@dataclass(frozen=True)
class CheckoutOrder:
    """What a merchant asks a customer to pay on the hosted page."""

    terms: Terms
    kind: str
    description: str
    return_url: str
    merchant_name: str
    customer_name: str
    customer_id: str
    save_method: bool
    line_items: list[dict[str, Any]]
    expires_in_seconds: int


@dataclass(frozen=True)
class ChargeOrder:
    """What a merchant charges to a token or to a saved method. Without `return_url` nobody can be asked."""

    terms: Terms
    card_token: str
    method_id: str
    customer_id: str
    save_method: bool
    off_session: bool
    return_url: str
    merchant_name: str


@dataclass(frozen=True)
class RefundOrder:
    """Money to give back, of a charge or of the charge of an attempt."""

    charge_id: str
    attempt_id: str
    amount_minor_units: int
    currency: str
    reason: str
    metadata: dict[str, str]


@dataclass(frozen=True)
class SetupOrder:
    """A method to save on a hosted page."""

    kind: str
    customer_id: str
    merchant_name: str
    return_url: str
    metadata: dict[str, str]
    expires_in_seconds: int


@dataclass(frozen=True)
class PaidWith:
    """What is charged, as far as it is ever stored, and whether it will be declined."""

    kind: str
    instrument: str
    brand: str = ""
    last4: str = ""
    exp: str = ""
    decline_code: str | None = None
    wallet: str = ""
    label: str = ""
    customer_id: str = ""
    method_id: str = ""
    saved: bool = False

    @classmethod
    def card(cls, card: TestCard, exp: str = TOKEN_EXPIRY, *, wallet: str = "") -> "PaidWith":
        """A card, or one inside a wallet."""
        return cls(
            kind="wallet" if wallet else "card",
            instrument=card.token,
            brand=card.brand,
            last4=card.last4,
            exp=exp,
            decline_code=card.decline_code,
            wallet=wallet,
        )

    @classmethod
    def account(cls, account: TestAccount) -> "PaidWith":
        """A bank account."""
        bank = BANKS[account.scheme]
        return cls(
            kind="bank_debit",
            instrument=account.key,
            brand=bank,
            last4=account.last4,
            label=f"{bank} {account.last4}",
        )

    def declined(self, code: str | None) -> "PaidWith":
        """The same, with another answer of the bank."""
        return replace(self, decline_code=code)

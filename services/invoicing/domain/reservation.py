"""Reservations: parts of invoices held for a payment, so that two payments never pay the same part."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from chassis.money import Money
from services.invoicing.domain.invoice import Invoice, Status


class ReservationState(StrEnum):
    """What became of a held part. Released and expired ones hold nothing."""

    HELD = "held"
    RELEASED = "released"
    EXPIRED = "expired"
    SETTLED = "settled"


@dataclass(frozen=True, slots=True)
class Part:
    """How much of one invoice. `expected_version` is what the payer was shown; 0 when it does not matter."""

    invoice_id: str
    amount: Money
    expected_version: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What a payment wants to hold: parts of a customer's invoices, and credit to go with them."""

    payment_id: str
    customer_id: str
    parts: Sequence[Part]
    expires_at: datetime
    credit: Money | None = None


@dataclass(frozen=True, slots=True)
class Reservation:
    """One held part of one payment; `number` is the invoice's.

    `discount` is kept besides, because the payment was begun early enough and settles the invoice; it is held too.
    """

    payment_id: str
    invoice_id: str
    amount: Money
    state: ReservationState
    expires_at: datetime
    number: str
    discount: Money | None = None

    @property
    def held(self) -> Money:
        """What nobody else can pay meanwhile."""
        return self.amount if self.discount is None else self.amount + self.discount


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a part cannot be held: a stable word, and a text that a payer may read."""

    reason: str
    message: str


def refusal(invoice: Invoice, amount: Money, *, expected_version: int = 0) -> Refusal | None:
    """Why `amount` of this invoice cannot be held now; None when it can. What was shown is looked at first."""
    number = invoice.number or "This invoice"
    if expected_version and expected_version != invoice.version:
        return Refusal(reason="INVOICE_CHANGED", message=f"{number} has changed. Please look at it again.")
    if invoice.status is Status.PAID:
        return Refusal(reason="INVOICE_ALREADY_PAID", message=f"{number} is already paid.")
    if not invoice.is_payable:
        return Refusal(reason="INVOICE_NOT_PAYABLE", message=f"{number} cannot be paid.")
    if amount.currency != invoice.currency:
        return Refusal(reason="CURRENCY_MISMATCH", message=f"{number} is to be paid in {invoice.currency}.")
    if amount > invoice.due:
        return Refusal(reason="AMOUNT_EXCEEDS_DUE", message=f"That is more than is due on {number}.")
    if amount > invoice.unreserved:
        return Refusal(reason="INVOICE_BEING_PAID", message=f"Another payment for {number} is on its way.")
    return None

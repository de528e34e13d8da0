"""Reservations: parts of invoices held for a payment, so that two payments never pay the same part."""

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
    """How much of one invoice."""

    invoice_id: str
    amount: Money


@dataclass(frozen=True, slots=True)
class Reservation:
    """One held part of one payment."""

    payment_id: str
    invoice_id: str
    amount: Money
    state: ReservationState
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a part cannot be held: a stable word, and a text that a payer may read."""

    reason: str
    message: str


def refusal(invoice: Invoice, amount: Money) -> Refusal | None:
    """Why `amount` of this invoice cannot be held now; None when it can."""
    number = invoice.number or "This invoice"
    if invoice.status is Status.PAID:
        return Refusal("INVOICE_ALREADY_PAID", f"{number} is already paid.")
    if not invoice.is_payable:
        return Refusal("INVOICE_NOT_PAYABLE", f"{number} cannot be paid.")
    if amount.currency != invoice.currency:
        return Refusal("CURRENCY_MISMATCH", f"{number} is to be paid in {invoice.currency}.")
    if amount > invoice.due:
        return Refusal("AMOUNT_EXCEEDS_DUE", f"That is more than is due on {number}.")
    if amount > invoice.unreserved:
        return Refusal("INVOICE_BEING_PAID", f"Another payment for {number} is on its way.")
    return None

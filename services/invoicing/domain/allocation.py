"""Putting received money to invoices. Money is never refused: what no invoice takes is the customer's credit."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from chassis.money import Money
from services.invoicing.domain.invoice import Invoice
from services.invoicing.domain.reservation import Part


@dataclass(frozen=True, slots=True)
class Applied:
    """An invoice after the payment; `amount` is what it took and may be zero when only a hold was lifted."""

    invoice: Invoice
    amount: Money
    reserved: Money


@dataclass(frozen=True, slots=True)
class Allocation:
    """Where a payment went. `credited` is what no invoice took."""

    applied: tuple[Applied, ...]
    credited: Money


def allocate(
    received: Money,
    parts: Sequence[Part],
    *,
    invoices: Mapping[str, Invoice],
    reserved: Mapping[str, Money],
    at: datetime,
) -> Allocation:
    """Use the money as the payer meant it, as far as each invoice can still take it.

    `reserved` is what this payment holds by invoice id: that much surely fits, and all of it is lifted.
    Invoices of `parts` that are missing from `invoices` take nothing. Parts are served in their order.
    """
    left = received
    applied = []
    zero = Money.zero(received.currency)
    for invoice_id, wanted in _wanted(parts, reserved).items():
        invoice = invoices.get(invoice_id)
        if invoice is None:
            continue
        own = reserved.get(invoice_id)
        takes = zero
        if invoice.is_payable and wanted is not None and invoice.currency == received.currency:
            room = invoice.unreserved if own is None else invoice.unreserved + own
            takes = min(wanted, room, left)
        lifted = own or Money.zero(invoice.currency)
        if takes.is_zero and lifted.is_zero:
            continue
        left -= takes
        after = invoice.release(lifted) if takes.is_zero else invoice.settle(takes, reserved=lifted, at=at)
        applied.append(Applied(after, takes, lifted))
    return Allocation(tuple(applied), left)


def _wanted(parts: Sequence[Part], reserved: Mapping[str, Money]) -> dict[str, Money | None]:
    """Sum by invoice in the order of first mention; what is only reserved comes last and takes nothing."""
    wanted: dict[str, Money | None] = {}
    for part in parts:
        if part.amount.minor_units > 0:
            before = wanted.get(part.invoice_id)
            wanted[part.invoice_id] = part.amount if before is None else before + part.amount
    for invoice_id in reserved:
        wanted.setdefault(invoice_id, None)
    return wanted

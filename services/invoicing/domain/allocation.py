"""Putting received money to invoices. Money is never refused: what no invoice takes is the customer's credit."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from chassis.money import Money
from services.invoicing.domain.credit import CreditPart
from services.invoicing.domain.invoice import Invoice
from services.invoicing.domain.reservation import Part


@dataclass(frozen=True, slots=True)
class Applied:
    """An invoice after the payment; `amount` is what it took and may be zero when only a hold was lifted.

    `from_credit` is the part of it that is credit. `discount` is not asked for any more because it was paid early,
    `recovered` had been written off.
    """

    invoice: Invoice
    amount: Money
    reserved: Money
    from_credit: Money
    discount: Money
    recovered: Money

    @property
    def own(self) -> Money:
        """The part of it that is the payment's own money."""
        return self.amount - self.from_credit


@dataclass(frozen=True, slots=True)
class Allocation:
    """Where a payment went. `credited` is what no invoice took, `credit_used` what credit paid besides."""

    applied: tuple[Applied, ...]
    credited: Money
    credit_used: Money


@dataclass(frozen=True, slots=True)
class CreditUse:
    """So much of an invoice was paid by a payment with credit that another payment had left."""

    payment_id: str
    source_payment_id: str
    invoice_id: str
    amount: Money


def allocate(
    received: Money,
    parts: Sequence[Part],
    *,
    invoices: Mapping[str, Invoice],
    reserved: Mapping[str, Money],
    at: datetime,
    credit: Money | None = None,
    discounts: Mapping[str, Money] | None = None,
) -> Allocation:
    """Use `credit`, and then the money, as the payer meant it, as far as each invoice can still take it.

    `reserved` is what this payment holds by invoice id: that much surely fits, and all of it is lifted.
    Invoices of `parts` that are missing from `invoices` take nothing. Parts are served in their order. Up to so much of
    `discounts` is not asked for of an invoice that this payment leaves with no more than that.
    """
    zero = Money.zero(received.currency)
    left, credit_left = received, credit or zero
    applied = []
    for invoice_id, wanted in _wanted(parts, reserved).items():
        invoice = invoices.get(invoice_id)
        if invoice is None:
            continue
        own = reserved.get(invoice_id)
        takes = zero
        if wanted is not None and invoice.currency == received.currency:
            room = invoice.takes if own is None else invoice.takes + own
            takes = min(wanted, room, left + credit_left)
        lifted = own or Money.zero(invoice.currency)
        if takes.is_zero and lifted.is_zero:
            continue
        from_credit = min(takes, credit_left)
        left -= takes - from_credit
        credit_left -= from_credit
        after = invoice.release(lifted) if takes.is_zero else invoice.settle(takes, reserved=lifted, at=at)
        recovered = invoice.written_off - after.written_off
        kept = _kept(after, (discounts or {}).get(invoice_id)) if takes.minor_units > 0 else zero
        if not kept.is_zero:
            after = after.discounted(kept, at=at)
        applied.append(Applied(after, takes, lifted, from_credit, kept, recovered))
    return Allocation(tuple(applied), left, (credit or zero) - credit_left)


def credit_uses(payment_id: str, applied: Sequence[Applied], drawn: Sequence[CreditPart]) -> list[CreditUse]:
    """Which lot paid for which invoice: lots in their order, invoices in theirs. Both come to the same sum."""
    uses = []
    lots = [(part.source_payment_id, part.amount) for part in reversed(drawn)]
    for one in applied:
        left = one.from_credit
        while not left.is_zero:
            source, amount = lots.pop()
            takes = min(left, amount)
            uses.append(CreditUse(payment_id, source, one.invoice.invoice_id, takes))
            left -= takes
            if takes < amount:
                lots.append((source, amount - takes))
    return uses


def _kept(invoice: Invoice, most: Money | None) -> Money:
    """The discount for paying early: all that is left to pay, if that is no more and nobody else is paying it."""
    if most is None or not invoice.is_payable or invoice.due > most or not invoice.reserved.is_zero:
        return Money.zero(invoice.currency)
    return invoice.due


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

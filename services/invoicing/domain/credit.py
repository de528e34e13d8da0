"""Credit of customers, kept in lots: each is the rest of one payment, so that money can go back whence it came."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from chassis.money import Money


@dataclass(frozen=True, slots=True, kw_only=True)
class Lot:
    """What is left of a payment. `amount` is all that ever was, `held` is kept for payments that have not finished."""

    payment_id: str
    customer_id: str
    amount: Money
    remaining: Money
    held: Money
    created_at: datetime

    @property
    def free(self) -> Money:
        """What can still be spent."""
        return self.remaining - self.held

    def hold(self, amount: Money) -> "Lot":
        """Keep a part for a payment; a negative amount gives it back."""
        return replace(self, held=self.held + amount)

    def spend(self, amount: Money) -> "Lot":
        """Use a part, or, negative, put back what was used."""
        return replace(self, remaining=self.remaining - amount)

    def add(self, amount: Money) -> "Lot":
        """More of the payment's money has become credit."""
        return replace(self, amount=self.amount + amount, remaining=self.remaining + amount)


@dataclass(frozen=True, slots=True)
class CreditPart:
    """How much of the lot of one payment."""

    source_payment_id: str
    amount: Money


def oldest_first(lots: Iterable[Lot]) -> list[Lot]:
    """In the order in which lots are spent."""
    return sorted(lots, key=lambda lot: (lot.created_at, lot.payment_id))


def free_credit(lots: Iterable[Lot], currency: str) -> Money:
    """What can be spent in a currency."""
    return sum((lot.free for lot in lots if lot.amount.currency == currency), Money.zero(currency))


def draw(lots: Iterable[Lot], wanted: Money, *, first: Collection[str] = ()) -> list[CreditPart]:
    """Up to `wanted` of what is free, the oldest lot first, but before all those in `first`; less if there is less."""
    parts = []
    left = wanted
    for lot in sorted(oldest_first(lots), key=lambda lot: lot.payment_id not in first):
        if lot.amount.currency != wanted.currency:
            continue
        takes = min(lot.free, left)
        if takes.minor_units > 0:
            parts.append(CreditPart(lot.payment_id, takes))
            left -= takes
    return parts


def sum_of(parts: Sequence[CreditPart], currency: str) -> Money:
    return sum((part.amount for part in parts), Money.zero(currency))

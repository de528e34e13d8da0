"""Statements of account: opening and rows make closing, in each currency."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum

from chassis.money import Money
from services.invoicing.domain.adjustment import AdjustmentKind
from services.invoicing.domain.ageing import Aged, bucket_of
from services.invoicing.domain.receivables import AGING_BUCKETS, AgingBucket

MOST_ROWS = 5_000
"""Rows of one statement; more is what exports are for."""
DISPUTED = "disputed"
"""Name of the age of what customers object to: it has none."""
UNASSIGNED = "unassigned"
"""Name of the age of what was owed but not on any one invoice that day: payments that were booked for days gone by."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StatementWish:
    """What to make; days that are None follow from the other one and today."""

    customer_id: str
    first_day: date | None
    last_day: date | None
    include_children: bool


class RowKind(StrEnum):
    """What happened."""

    INVOICE = "invoice"
    FEE = "fee"
    VOIDED = "voided"
    PAYMENT = "payment"
    PAID_BACK = "paid_back"
    REINSTATED = "reinstated"
    CREDIT_NOTE = "credit_note"
    DISCOUNT = "discount"
    WRITE_OFF = "write_off"
    RECOVERY = "recovery"


_OF_ADJUSTMENT = {
    AdjustmentKind.CREDIT_NOTE.value: RowKind.CREDIT_NOTE,
    AdjustmentKind.EARLY_DISCOUNT.value: RowKind.DISCOUNT,
    AdjustmentKind.HARDSHIP_DISCOUNT.value: RowKind.DISCOUNT,
    AdjustmentKind.WRITE_OFF.value: RowKind.WRITE_OFF,
    AdjustmentKind.RECOVERY.value: RowKind.RECOVERY,
}
_OF_PAYMENT = {
    "applied": RowKind.PAYMENT,
    "reversed": RowKind.PAID_BACK,
    "reinstated": RowKind.REINSTATED,
}


def row_kind(source: str, kind: str, invoice_kind: str, amount: Money) -> RowKind:
    """What a ledger entry is called on a statement; `invoice_kind` only matters for invoices."""
    if source == "payment":
        return _OF_PAYMENT[kind.partition(":")[0]]
    if source == "adjustment":
        found = _OF_ADJUSTMENT[kind]
        is_taken_back = found is RowKind.WRITE_OFF and not amount.is_negative
        return RowKind.RECOVERY if is_taken_back else found
    if kind == "voided":
        return RowKind.VOIDED
    return RowKind.INVOICE if invoice_kind in ("", "invoice") else RowKind.FEE


@dataclass(frozen=True, slots=True, kw_only=True)
class StatementRow:
    """One entry. `amount` is how much more is owed, less than zero for less; `balance` what is owed after it."""

    entry_id: str
    occurred_at: datetime
    on: date
    kind: RowKind
    number: str
    document_id: str
    customer_id: str
    amount: Money
    balance: Money
    due_date: date | None = None


@dataclass(frozen=True, slots=True)
class OpenOnDay:
    """What was due of an invoice on a day, and what of it is in dispute."""

    invoice_id: str
    due: Money
    due_date: date
    disputed: Money


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What was owed and what was credit at two moments, in one currency."""

    opening: Money
    owed: Money
    credit: Money

    @property
    def closing(self) -> Money:
        return self.owed - self.credit


@dataclass(frozen=True, slots=True, kw_only=True)
class StatementAccount:
    """The part of a statement in one currency."""

    standing: Standing
    rows: Sequence[StatementRow]
    aging: Sequence[AgingBucket]

    @property
    def charged(self) -> Money:
        return sum((row.amount for row in self.rows if not row.amount.is_negative), self._zero)

    @property
    def disputed(self) -> Money:
        """What is owed but objected to."""
        return sum((one.amount for one in self.aging if one.name == DISPUTED), self._zero)

    @property
    def to_pay(self) -> Money:
        """What was owed at the end without what is objected to; nothing where credit covers it."""
        return max(self._zero, self.standing.closing - self.disputed)

    @property
    def settled(self) -> Money:
        """Above zero."""
        return -sum((row.amount for row in self.rows if row.amount.is_negative), self._zero)

    @property
    def _zero(self) -> Money:
        return Money.zero(self.standing.opening.currency)


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """A statement; `names` of the customers in it by id."""

    customer_id: str
    first_day: date
    last_day: date
    includes_children: bool
    accounts: Sequence[StatementAccount]
    names: dict[str, str]
    created_at: datetime


def with_balances(rows: Sequence[StatementRow], opening: Money) -> list[StatementRow]:
    """The rows with what was owed after each."""
    balance, told = opening, []
    for row in rows:
        balance += row.amount
        told.append(replace(row, balance=balance))
    return told


def age(parts: Sequence[Aged], disputed: Money, owed: Money, day: date) -> list[AgingBucket]:
    """What was owed by days past due. What is in dispute and what is on no invoice are buckets of their own, so that
    they add up to `owed`. An invoice counts where the oldest part of it is.
    """
    sums = [Money.zero(owed.currency) for _ in AGING_BUCKETS]
    counts, counted = [0] * len(AGING_BUCKETS), set[str]()
    for one in sorted(parts, key=lambda one: one.due_on):
        at = bucket_of(one.due_on, day)
        sums[at] += one.amount
        counts[at] += one.invoice_id not in counted
        counted.add(one.invoice_id)
    buckets = [AgingBucket(*found) for found in zip(AGING_BUCKETS, sums, counts, strict=True)]
    rest = owed - disputed - sum(sums, Money.zero(owed.currency))
    apart = [AgingBucket(name, amount, 0) for name, amount in ((DISPUTED, disputed), (UNASSIGNED, rest))]
    return [*buckets, *(one for one in apart if not one.amount.is_zero)]

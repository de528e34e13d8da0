"""Totals of what an organization is owed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal

from chassis.money import Money

DSO_WINDOW_DAYS = 90
TOP_DEBTORS = 5
AGING_BUCKETS = ("current", "1-30", "31-60", "61-90", "90+")
"""Names of the ages by days past due."""


@dataclass(frozen=True, slots=True)
class AgingBucket:
    """Open amounts of one age."""

    name: str
    amount: Money
    invoices: int


@dataclass(frozen=True, slots=True)
class Debtor:
    """A customer and what they owe."""

    customer_id: str
    name: str
    open: Money
    overdue: Money


@dataclass(frozen=True, slots=True, kw_only=True)
class CurrencyReceivables:
    """Totals in one currency."""

    open: Money
    overdue: Money
    disputed: Money
    unapplied_credit: Money
    aging: Sequence[AgingBucket]
    open_invoices: int
    overdue_invoices: int
    days_sales_outstanding: Decimal
    top_debtors: Sequence[Debtor]


@dataclass(frozen=True, slots=True)
class Receivables:
    """Totals by currency, the organization's own first, on a day of its zone; and the drafts that wait."""

    currencies: Sequence[CurrencyReceivables]
    as_of: date
    drafts: int
    oldest_draft_on: date | None


def days_sales_outstanding(*, open_minor_units: int, invoiced_minor_units: int) -> Decimal:
    """Open receivables by what was invoiced in the last 90 days, times 90; 0 when nothing was invoiced."""
    if invoiced_minor_units <= 0:
        return Decimal("0.0")
    days = Decimal(open_minor_units * DSO_WINDOW_DAYS) / invoiced_minor_units
    return days.quantize(Decimal("0.1"), rounding=ROUND_HALF_UP)

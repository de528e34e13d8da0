"""What came in, as a business looks at it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from chassis.money import Money


@dataclass(frozen=True, slots=True, kw_only=True)
class CurrencyFigures:
    """One currency's figures; `days` has every day of the window, the oldest first."""

    today: Money
    payments_today: int
    total: Money
    days: Sequence[tuple[date, Money]]
    failed_today: int


@dataclass(frozen=True, slots=True)
class Overview:
    """The figures of an organization on its today."""

    today: date
    currencies: Sequence[CurrencyFigures]
    unfinished: int

"""Closing a period: what should be looked at before, and what stands in the way."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from chassis.book_figures import AccountBalance, PeriodLock
from chassis.errors import Kind, ServiceError, invalid
from chassis.money import Money

MOST_FOUND = 5


class CloseCheckKind(StrEnum):
    """What should be looked at."""

    DRAFTS = "drafts"
    UNAPPLIED_CREDIT = "unapplied_credit"
    DISPUTES = "disputes"
    PAYMENTS_UNDER_WAY = "payments_under_way"
    SUSPENSE = "suspense"
    BOOKS = "books"
    TRIAL_BALANCE = "trial_balance"
    UNMATCHED_RECEIPTS = "unmatched_receipts"
    UNCLEAR_PAYMENTS = "unclear_payments"
    CASH_AGREEMENT = "cash_agreement"


BLOCKING = frozenset(
    {
        CloseCheckKind.DRAFTS,
        CloseCheckKind.SUSPENSE,
        CloseCheckKind.BOOKS,
        CloseCheckKind.TRIAL_BALANCE,
        CloseCheckKind.UNMATCHED_RECEIPTS,
        CloseCheckKind.UNCLEAR_PAYMENTS,
        CloseCheckKind.CASH_AGREEMENT,
    }
)
"""While there are any, a period is only closed for a reason. The others are normal, and worth a look."""


@dataclass(frozen=True, slots=True)
class CloseCheck:
    """How many there are, what they come to by currency, and some of them; `unknown` if nobody could be asked."""

    kind: CloseCheckKind
    count: int
    amounts: Sequence[Money] = ()
    found: Sequence[str] = ()
    unknown: bool = False

    @property
    def blocks(self) -> bool:
        return self.kind in BLOCKING


@dataclass(frozen=True, slots=True)
class CloseChecklist:
    """All checks of a period that ends with `until`, the newest closed period, and how far payments is closed."""

    until: date
    checks: Sequence[CloseCheck]
    closed: PeriodLock | None
    cash_closed_until: date | None = None

    @property
    def blocking(self) -> list[CloseCheck]:
        return [check for check in self.checks if check.blocks and (check.count or check.unknown)]

    def must_be_ready(self, override_reason: str) -> None:
        """CLOSE_BLOCKED while something blocks, unless there is a reason."""
        if self.blocking and not override_reason:
            names = ", ".join(check.kind.value.replace("_", " ") for check in self.blocking)
            raise ServiceError(
                Kind.FAILED_PRECONDITION,
                "CLOSE_BLOCKED",
                f"Something has to be put right first, or closed over for a reason: {names}.",
            )


@dataclass(frozen=True, slots=True)
class TrialBalance:
    """All accounts up to the end of a day in the organization's zone."""

    until: date
    lines: Sequence[AccountBalance]

    @property
    def unbalanced(self) -> list[Money]:
        """What debits and credits differ by, by currency; empty when they are equal."""
        sums: dict[str, Money] = {}
        for line in self.lines:
            currency = line.balance.currency
            sums[currency] = sums.get(currency, Money.zero(currency)) + line.balance
        return [amount for amount in sums.values() if not amount.is_zero]


def differences(mine: Iterable[Money], theirs: Iterable[Money]) -> list[Money]:
    """By how much the first sums are more than the second, by currency; empty when they agree."""
    sums: dict[str, Money] = {}
    for amount in (*mine, *(-one for one in theirs)):
        sums[amount.currency] = sums.get(amount.currency, Money.zero(amount.currency)) + amount
    return [sums[currency] for currency in sorted(sums) if not sums[currency].is_zero]


def must_be_open(day: date, closed: PeriodLock | None) -> None:
    """INVOICE_DATE_CLOSED for a day of a closed period."""
    if closed is not None and day <= closed.until:
        raise ServiceError(
            Kind.FAILED_PRECONDITION,
            "INVOICE_DATE_CLOSED",
            f"The books are closed up to {closed.until.isoformat()}. Choose a later invoice date.",
            closed_until=closed.until.isoformat(),
        )


def must_be_last(until: date, closed: PeriodLock | None) -> None:
    """PERIOD_NOT_LAST unless that is the newest closed period: only this one can be opened again."""
    if closed is None or until != closed.until:
        raise ServiceError(
            Kind.FAILED_PRECONDITION,
            "PERIOD_NOT_LAST",
            "Only the last closed period can be opened again.",
            closed_until=closed.until.isoformat() if closed else "",
        )


def last_month_before(today: date) -> date:
    """The last day of the month before a day's."""
    return today.replace(day=1) - timedelta(days=1)


def must_be_closable(until: date, today: date, closed: PeriodLock | None) -> None:
    """VALIDATION_FAILED for a day that is not over, PERIOD_LOCKED for one that is closed already."""
    if until >= today:
        raise invalid("until", "not_past", "Only days that are over can be closed.")
    if closed is not None and until <= closed.until:
        raise ServiceError(
            Kind.FAILED_PRECONDITION,
            "PERIOD_LOCKED",
            f"The books are closed up to {closed.until.isoformat()} already.",
        )

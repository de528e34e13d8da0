"""Figures of a closed period: balances of accounts, and the lock that keeps them."""

from dataclasses import dataclass
from datetime import date, datetime

from chassis.money import Money


@dataclass(frozen=True, slots=True)
class AccountBalance:
    """What was booked on an account in one currency."""

    account: str
    debits: Money
    credits: Money

    @property
    def balance(self) -> Money:
        """Debits less credits."""
        return self.debits - self.credits


@dataclass(frozen=True, slots=True)
class PeriodLock:
    """Nothing is booked with a day up to `until` any more."""

    until: date
    locked_by: str
    locked_at: datetime

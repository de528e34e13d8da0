"""Promises to pay: kept or broken by rule."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from chassis.money import Money

PREFIX = "prm"


class PromiseState(StrEnum):
    """Where a promise stands."""

    OPEN = "open"
    KEPT = "kept"
    BROKEN = "broken"
    WITHDRAWN = "withdrawn"
    RELEASED = "released"
    """Nothing is owed any more, though nothing was paid either."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Promise:
    """A customer's word. `received` is what came in its currency from the customer since it was made.

    `owed` is all that they still owe in it.
    """

    promise_id: str
    customer_id: str
    amount: Money
    received: Money
    owed: Money
    promised_on: date
    grace_days: int
    state: PromiseState
    note: str
    created_at: datetime
    created_by: str
    created_by_name: str
    by_staff: bool
    ended_at: datetime | None = None
    event_version: int = 1

    @property
    def breaks_on(self) -> date:
        """The first day on which it counts as broken."""
        return self.promised_on + timedelta(days=self.grace_days + 1)

    def outcome(self, day: date) -> PromiseState:
        """What an open promise is by the rule: kept as soon as the money is there, or what of it is still owed."""
        if self.state is not PromiseState.OPEN:
            return self.state
        if self.received >= self.amount:
            return PromiseState.KEPT
        if self.owed.is_zero:
            return PromiseState.KEPT if self.received.minor_units > 0 else PromiseState.RELEASED
        return PromiseState.BROKEN if day >= self.breaks_on else PromiseState.OPEN

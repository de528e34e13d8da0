"""What waits to be reconciled, as staff look at it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from chassis.money import Money

CLEARED_WITHIN = {
    "provider_clearing": timedelta(days=10),
    "bank_clearing": timedelta(days=5),
    "unmatched_receipts": timedelta(days=5),
}
"""How old the oldest amount on a clearing account may be: providers pay out within a week or so, and what they sent
is at the bank some days later. What is older is an alarm."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Clearing:
    """A clearing account that is not zero: kind and owner of the account, joined with a colon."""

    account: str
    balance: Money
    oldest_on: date
    overdue: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Reconciliation:
    """Everything that waits."""

    unmatched_lines: int
    oldest_age_days: int
    unmatched: Sequence[Money]
    open_claims: int
    payout_differences: int
    clearing: Sequence[Clearing]
    matched_by_itself: int
    matched_by_hand: int


def clearing_of(account: str, owner: str, balance: Money, *, oldest_on: date, today: date) -> Clearing:
    """Overdue once the oldest amount is older than allowed."""
    return Clearing(
        account=f"{account}:{owner}" if owner else account,
        balance=balance,
        oldest_on=oldest_on,
        overdue=today - oldest_on > CLEARED_WITHIN[account],
    )

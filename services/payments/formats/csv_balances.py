"""Running balances of CSV files, which tell opening and closing balance in whatever order the lines stand."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise

from chassis.errors import FieldError, Kind, ServiceError
from chassis.money import Money
from services.payments.domain.bank_statement import StatementLine


@dataclass(frozen=True, slots=True)
class Running:
    """A line and the balance after it."""

    line: StatementLine
    balance: Money


def ends_of(running: Sequence[Running]) -> tuple[Money, Money]:
    """Opening and closing balance. BANK_FILE_UNBALANCED if a balance follows from the one before in no order."""
    first_bad: Running | None = None
    for ordered in _orders(running):
        bad = _first_break(ordered)
        if bad is None:
            opening = ordered[0].balance.minor_units - ordered[0].line.amount.minor_units
            return Money(opening, ordered[0].balance.currency), ordered[-1].balance
        first_bad = first_bad or bad
    assert first_bad is not None
    number = first_bad.line.line_number
    message = (
        f"Line {number}: its balance {first_bad.balance} does not follow from the line before and its amount"
        f" {first_bad.line.amount}. Nothing was booked."
    )
    raise ServiceError(
        Kind.FAILED_PRECONDITION,
        "BANK_FILE_UNBALANCED",
        message,
        fields=(FieldError(f"content.line_{number}", "running_balance", message),),
        line=str(number),
    )


def _orders(running: Sequence[Running]) -> Sequence[Sequence[Running]]:
    """As it stands, turned round, and with each day turned round: banks write all four.

    The likely order comes first, since its first break is the one that is told.
    """
    backwards = list(reversed(running))
    by_day = [list(group) for _, group in groupby(running, key=lambda one: one.line.booked_on)]
    days_turned = [one for group in by_day for one in reversed(group)]
    back_days_turned = list(reversed(days_turned))
    if running[0].line.booked_on <= running[-1].line.booked_on:
        return (running, backwards, days_turned, back_days_turned)
    return (backwards, running, back_days_turned, days_turned)


def _first_break(ordered: Sequence[Running]) -> Running | None:
    for before, after in pairwise(ordered):
        if before.balance.minor_units + after.line.amount.minor_units != after.balance.minor_units:
            return after
    return None

"""Paying in parts: which instalments there are, what of them is due on a day, and when a plan breaks.

Nothing of it is kept twice. What was paid on a plan is what its invoices came to when it began less what is due on them
now; everything else follows from that and from the day.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from enum import StrEnum

from chassis.errors import Kind, ServiceError
from chassis.money import Money
from services.invoicing.domain.plan_policy import PlanRules

PREFIX = "ipl"
OFFER_DAYS = 14
"""An offer can be accepted so many days long, or until its first instalment is due if that is later."""


class PlanState(StrEnum):
    """Where a plan stands."""

    REQUESTED = "requested"
    OFFERED = "offered"
    REJECTED = "rejected"
    ACTIVE = "active"
    COMPLETED = "completed"
    BROKEN = "broken"
    CANCELED = "canceled"


LIVE = frozenset({PlanState.REQUESTED, PlanState.OFFERED, PlanState.ACTIVE})
"""An invoice is in one of these at most."""
WAITING = frozenset({PlanState.REQUESTED, PlanState.OFFERED})


class Interval(StrEnum):
    """Time between instalments."""

    WEEK = "week"
    TWO_WEEKS = "two_weeks"
    MONTH = "month"


class InstalmentState(StrEnum):
    """Where an instalment stands on a day."""

    UPCOMING = "upcoming"
    DUE = "due"
    LATE = "late"
    MISSED = "missed"
    PAID = "paid"


@dataclass(frozen=True, slots=True)
class Choice:
    """How to pay. No instalments and no first day mean what the policy suggests."""

    instalments: int
    interval: Interval
    first_due_on: date | None


@dataclass(frozen=True, slots=True)
class Instalment:
    """What is to be paid by the end of a day; numbers begin with one."""

    number: int
    due_on: date
    amount: Money


@dataclass(frozen=True, slots=True)
class InstalmentStanding:
    """An instalment on a day; `paid` never exceeds its amount."""

    instalment: Instalment
    paid: Money
    state: InstalmentState


@dataclass(frozen=True, slots=True)
class Schedule:
    """The instalments of a plan by their days, and the rules that tell when they are missed."""

    instalments: tuple[Instalment, ...]
    grace_days: int
    missed_to_break: int

    @property
    def total(self) -> Money:
        """All instalments."""
        first, *rest = (one.amount for one in self.instalments)
        return sum(rest, first)

    def demanded_by(self, day: date) -> Money:
        """What the instalments come to that are due on the day or before."""
        nothing = Money.zero(self.total.currency)
        return sum((one.amount for one in self.instalments if one.due_on <= day), nothing)

    def due_now(self, paid: Money, day: date) -> Money:
        """What is due on the day: whoever paid more than was asked owes the less for the next instalments."""
        return max(Money.zero(paid.currency), self.demanded_by(day) - paid)

    def uncovered(self, paid: Money) -> list[Instalment]:
        """Those that the money does not reach or does not fill, the oldest first."""
        found, reached = [], Money.zero(paid.currency)
        for one in self.instalments:
            reached += one.amount
            if reached > paid:
                found.append(one)
        return found

    def breaks_on(self, paid: Money) -> date | None:
        """The day on which the plan breaks if nothing more is paid; None when all is paid.

        So many instalments must be missed as the rules say, or all that are left.
        """
        left = self.uncovered(paid)
        if not left:
            return None
        last = left[min(self.missed_to_break, len(left)) - 1]
        return last.due_on + timedelta(days=self.grace_days + 1)

    def is_broken(self, paid: Money, day: date) -> bool:
        """Whether the grace of too many instalments is over."""
        breaks_on = self.breaks_on(paid)
        return breaks_on is not None and breaks_on <= day

    def standings(self, paid: Money, day: date) -> list[InstalmentStanding]:
        """Each instalment on the day; money fills the oldest first."""
        found, left = [], max(paid, Money.zero(paid.currency))
        for one in self.instalments:
            takes = min(left, one.amount)
            left -= takes
            found.append(InstalmentStanding(one, takes, self._state(one, takes, day)))
        return found

    def next_due(self, paid: Money) -> Instalment | None:
        """The oldest that is not paid."""
        left = self.uncovered(paid)
        return left[0] if left else None

    def _state(self, one: Instalment, paid: Money, day: date) -> InstalmentState:
        if paid == one.amount:
            return InstalmentState.PAID
        if day < one.due_on:
            return InstalmentState.UPCOMING
        if day == one.due_on:
            return InstalmentState.DUE
        is_in_grace = day <= one.due_on + timedelta(days=self.grace_days)
        return InstalmentState.LATE if is_in_grace else InstalmentState.MISSED


def instalments_of(total: Money, choice: Choice, *, first_due_on: date) -> tuple[Instalment, ...]:
    """Equal parts that add up to the total to the last minor unit; the larger ones come first."""
    parts = total.allocate([1] * choice.instalments)
    return tuple(
        Instalment(at + 1, _day(first_due_on, choice.interval, at), part) for at, part in enumerate(parts)
    )


def _day(first: date, interval: Interval, steps: int) -> date:
    if interval is Interval.WEEK:
        return first + timedelta(weeks=steps)
    if interval is Interval.TWO_WEEKS:
        return first + timedelta(weeks=2 * steps)
    return add_months(first, steps)


def add_months(first: date, months: int) -> date:
    """The same day so many months on, or the last day of a shorter month."""
    year, month = divmod(first.month - 1 + months, 12)
    start = date(first.year + year, month + 1, 1)
    following = date(start.year + month // 11, (month + 1) % 12 + 1, 1)
    return min(start + timedelta(days=first.day - 1), following - timedelta(days=1))


@dataclass(frozen=True, slots=True)
class PlanInvoice:
    """An invoice of a plan: what was due on it when the plan began, and what is due, held and in dispute now."""

    invoice_id: str
    number: str
    due_date: date
    at_start: Money
    due: Money
    reserved: Money
    disputed: Money
    discount: Money


@dataclass(frozen=True, slots=True)
class Agreement:
    """The words that were agreed to."""

    text: str
    hash: str
    locale: str
    accepted_at: datetime
    accepted_by: str
    accepted_by_name: str
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class InstalmentPlan:
    """A plan over whole invoices. `announced` counts the instalments that were announced; versions begin with one."""

    plan_id: str
    customer_id: str
    currency: str
    state: PlanState
    choice: Choice
    rules: PlanRules
    invoices: tuple[PlanInvoice, ...]
    schedule: Schedule
    hardship: bool
    reasons: tuple[str, ...]
    message: str
    wished: Money | None
    discount: Money
    note: str
    offered_until: date | None
    created_at: datetime
    created_by: str
    created_by_name: str
    agreement: Agreement | None = None
    decided_at: datetime | None = None
    decided_by_name: str = ""
    ended_at: datetime | None = None
    announced: int = 0
    checked_on: date | None = None
    version: int = 1
    event_version: int = 0

    @property
    def open(self) -> Money:
        """Still to pay."""
        return _sum((one.due for one in self.invoices), self.currency)

    @property
    def processing(self) -> Money:
        """On its way by payments."""
        return _sum((one.reserved for one in self.invoices), self.currency)

    @property
    def paid(self) -> Money:
        """Paid since the plan began, or not owed any more for other reasons; nothing before."""
        if self.state in WAITING or self.state is PlanState.REJECTED:
            return Money.zero(self.currency)
        return _sum((one.at_start for one in self.invoices), self.currency) - self.open

    def due_now(self, day: date) -> Money:
        """What is asked for on the day; all of it unless the plan is agreed."""
        return self.schedule.due_now(self.paid, day) if self.state is PlanState.ACTIVE else self.open

    def breaks_on(self) -> date | None:
        """When an agreed plan breaks unless more is paid. Money on its way counts as paid."""
        if self.state is not PlanState.ACTIVE or self.open.is_zero:
            return None
        return self.schedule.breaks_on(self.paid + self.processing)

    def is_on_track(self, day: date) -> bool:
        """Agreed and not broken by the rule, whether or not somebody has looked since."""
        breaks_on = self.breaks_on()
        return self.state is PlanState.ACTIVE and (breaks_on is None or day < breaks_on)

    def must_be(self, *states: PlanState) -> None:
        """PLAN_CHANGED unless it stands in one of these."""
        if self.state not in states:
            raise ServiceError(
                Kind.FAILED_PRECONDITION, "PLAN_CHANGED",
                "This plan has changed meanwhile. Please look at it again.", plan_id=self.plan_id,
            )  # fmt: skip

    def moved(self, state: PlanState, *, at: datetime) -> "InstalmentPlan":
        """In another state; the moment is kept once it is over."""
        ended_at = None if state in LIVE else at
        return replace(self, state=state, ended_at=ended_at, version=self.version + 1)

    def next_wake(self) -> date | None:
        """The next day on which the rules have to be looked at."""
        if self.state is PlanState.OFFERED and self.offered_until is not None:
            return self.offered_until + timedelta(days=1)
        if self.state is not PlanState.ACTIVE:
            return None
        notice, grace = self.rules.notice_days, self.rules.grace_days + 1
        days = [
            day
            for one in self.schedule.instalments
            for day in (one.due_on - timedelta(days=notice), one.due_on + timedelta(days=grace))
        ]
        if self.checked_on is None:
            return min(days)
        tomorrow = self.checked_on + timedelta(days=1)
        if self.schedule.is_broken(self.paid, self.checked_on):  # only money on its way keeps it
            return tomorrow
        return min((day for day in days if day > self.checked_on), default=tomorrow)

    def to_announce(self, day: date) -> Instalment | None:
        """The newest instalment whose notice is due and that was not announced; paid ones are passed over."""
        until = day + timedelta(days=self.rules.notice_days)
        reached = [one for one in self.schedule.instalments if one.due_on <= until]
        fresh = [one for one in reached if one.number > self.announced]
        wanting = {one.number for one in self.schedule.uncovered(self.paid + self.processing)}
        found = [one for one in fresh if one.number in wanting]
        return found[-1] if found else None

    def reached_by_notice(self, day: date) -> int:
        """So many instalments need no notice any more after this day."""
        until = day + timedelta(days=self.rules.notice_days)
        reached = [one.number for one in self.schedule.instalments if one.due_on <= until]
        return max([self.announced, *reached])


@dataclass(frozen=True, slots=True)
class Demand:
    """What a plan asks of one of its invoices on a day."""

    plan_id: str
    asked: Money
    number: int
    count: int
    due_on: date
    stops_autopay: bool
    missing: Money
    """Of the oldest instalment that is not paid, over all invoices of the plan."""


def demands(plan: InstalmentPlan, day: date, *, own: Sequence[tuple[str, Money]] = ()) -> dict[str, Demand]:
    """What is due of the plan spread over its invoices, the oldest due first; what is on its way is asked for once.

    `own` is what the asking payment itself holds, by invoice: it counts as not on its way. Ask only of plans that are
    kept today; the day may be a later one.
    """
    held = dict(own)
    nothing = Money.zero(plan.currency)
    on_its_way = plan.processing - sum(held.values(), nothing)
    left = max(nothing, plan.due_now(day) - on_its_way)
    came = plan.paid + on_its_way
    next_due = plan.schedule.next_due(came) or plan.schedule.instalments[-1]
    missing = max(nothing, plan.schedule.demanded_by(next_due.due_on) - came)
    found = {}
    for one in sorted(plan.invoices, key=lambda one: (one.due_date, one.invoice_id)):
        room = one.due - min(one.disputed, one.due) - one.reserved + held.get(one.invoice_id, nothing)
        takes = max(nothing, min(room, left))
        left -= takes
        found[one.invoice_id] = Demand(
            plan.plan_id, takes, next_due.number, len(plan.schedule.instalments), next_due.due_on,
            plan.rules.stops_autopay, missing,
        )  # fmt: skip
    return found


def _sum(amounts: object, currency: str) -> Money:
    return sum(amounts, Money.zero(currency))  # type: ignore[call-overload, no-any-return]

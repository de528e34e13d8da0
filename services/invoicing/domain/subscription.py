"""A schedule as it stands: its terms, how far it has come, and what may be done with it."""

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum

from chassis.errors import Kind, ServiceError, invalid, not_found
from chassis.money import Money
from services.invoicing.domain.schedule import Timeline, date_of, start_of
from services.invoicing.domain.schedule_billing import (
    Change,
    ChangeKind,
    PlannedInvoice,
    Position,
    ScheduleLine,
    Terms,
)

DEFAULT_PRICE_NOTICE_DAYS = 30
EARLIEST_START = date(2000, 1, 1)
LATEST_DAY = date(2200, 1, 1)
MOST_CATCH_UP = timedelta(days=3 * 366)
"""A schedule may begin so long ago; all periods since are then invoiced at once."""


class Status(StrEnum):
    """Where a schedule stands."""

    ACTIVE = "active"
    PAUSED = "paused"
    CANCELED = "canceled"
    ENDED = "ended"


LIVE = frozenset({Status.ACTIVE, Status.PAUSED})


class Outcome(StrEnum):
    """What became of a period."""

    FINALIZED = "finalized"
    DRAFT = "draft"
    NOTHING = "nothing"
    COVERED = "covered"


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """A schedule. `time_zone` is fixed when it is made. `noticed_number` is the last billing that was announced.

    `version` counts changes by people, `event_version` its events.
    """

    schedule_id: str
    customer_id: str
    name: str
    status: Status
    terms: Terms
    position: Position
    review: bool
    time_zone: str
    upcoming_notice_days: int
    price_notice_days: int
    customer_may_cancel: bool
    purchase_order_number: str
    memo: str
    external_id: str | None
    created_at: datetime
    cancel_reason: str = ""
    noticed_number: int = -1
    failure: str = ""
    failures: int = 0
    version: int = 1
    event_version: int = 0

    @property
    def timeline(self) -> Timeline:
        return self.terms.timeline

    @property
    def is_live(self) -> bool:
        return self.status in LIVE

    @property
    def credit(self) -> Money:
        """What waits for an invoice to take it."""
        waiting = sum(credit.minor_units for credit in self.position.credits)
        return Money(waiting, self.terms.currency)

    @property
    def due_at(self) -> datetime | None:
        """When the next billing is to be made; None once it is over."""
        if not self.is_live:
            return None
        return start_of(self.timeline.billing_day(self.position.number), self.time_zone)

    @property
    def notice_at(self) -> datetime | None:
        """When the next billing is to be announced; None if it is not, or was."""
        if not self.is_live or not self.upcoming_notice_days or self.noticed_number >= self.position.number:
            return None
        day = self.timeline.billing_day(self.position.number) - timedelta(days=self.upcoming_notice_days)
        return start_of(day, self.time_zone)

    @property
    def wake_at(self) -> datetime | None:
        """When there is something to do next."""
        moments = [at for at in (self.due_at, self.notice_at) if at is not None]
        return min(moments) if moments else None

    @property
    def current_number(self) -> int:
        """The period that was billed last in advance, or that runs in arrears: what may still be changed."""
        return max(0, self.position.number - 1)

    def today(self, now: datetime) -> date:
        return date_of(now, self.time_zone)

    def line(self, line_no: int) -> ScheduleLine:
        """SCHEDULE_LINE_NOT_FOUND for a position that it does not have."""
        for line in self.terms.lines:
            if line.line_no == line_no:
                return line
        raise not_found("schedule line")

    def must_be_live(self) -> None:
        """SCHEDULE_OVER once it has made its last invoice."""
        if not self.is_live:
            raise self._refusal("SCHEDULE_OVER", "This schedule is over.")

    def with_change(self, change: Change) -> "Schedule":
        return replace(
            self,
            terms=replace(self.terms, changes=(*self.terms.changes, change)),
            version=self.version + 1,
        )

    def earliest_price_change(self, today: date) -> date:
        return today + timedelta(days=self.price_notice_days)

    def with_price(self, line_no: int, price: Money, effective_on: date, today: date) -> "Schedule":
        """A new price with the notice that was promised. PRICE_CHANGE_TOO_SOON, VALIDATION_FAILED."""
        self.must_be_live()
        self._must_be_unmetered_tiers(line_no)
        if price.currency != self.terms.currency:
            raise invalid("unit_price.currency", "currency", f"This schedule is in {self.terms.currency}.")
        if price.minor_units < 0:
            raise invalid("unit_price", "negative", "A price is not below nothing.")
        earliest = self.earliest_price_change(today)
        if effective_on < earliest:
            raise ServiceError(
                Kind.FAILED_PRECONDITION, "PRICE_CHANGE_TOO_SOON",
                f"Customers have {self.price_notice_days} days of notice: {earliest.isoformat()} at the earliest.",
                earliest=earliest.isoformat(),
            )  # fmt: skip
        _must_be_known_day("effective_on", effective_on)
        return self.with_change(
            Change(kind=ChangeKind.PRICE, effective_on=effective_on, line_no=line_no, unit_price=price)
        )

    def with_quantity(self, line_no: int, quantity: Decimal, effective_on: date) -> "Schedule":
        """Another quantity from a day of the current period on. VALIDATION_FAILED for an earlier one."""
        self.must_be_live()
        if self.line(line_no).metered:
            raise invalid("line_no", "metered", "A metered line has no quantity; report its usage.")
        if effective_on < self.timeline.boundary(self.current_number):
            raise invalid("effective_on", "too_early", "Periods before the current one are settled.")
        _must_be_known_day("effective_on", effective_on)
        return self.with_change(
            Change(kind=ChangeKind.QUANTITY, effective_on=effective_on, line_no=line_no, quantity=quantity)
        )

    def paused(self, today: date) -> "Schedule":
        """SCHEDULE_NOT_ACTIVE unless it runs."""
        if self.status is not Status.ACTIVE:
            raise self._refusal("SCHEDULE_NOT_ACTIVE", "Only a running schedule can be paused.")
        change = Change(kind=ChangeKind.PAUSE, effective_on=self._not_before_current(today))
        return replace(self.with_change(change), status=Status.PAUSED)

    def resumed(self, today: date) -> "Schedule":
        """SCHEDULE_NOT_PAUSED unless it is."""
        if self.status is not Status.PAUSED:
            raise self._refusal("SCHEDULE_NOT_PAUSED", "Only a paused schedule can be resumed.")
        change = Change(kind=ChangeKind.RESUME, effective_on=self._not_before_current(today))
        return replace(self.with_change(change), status=Status.ACTIVE)

    def canceled(self, today: date, *, now: bool, reason: str) -> "Schedule":
        """Without service from today, or when the period is over in which today lies. SCHEDULE_CANCELED already."""
        self.must_be_live()
        ends = self.timeline.canceled_from
        if ends is not None and not (now and ends > today):
            raise self._refusal("SCHEDULE_CANCELED", "This schedule is canceled already.")
        timeline = self.timeline
        boundary = timeline.boundary(timeline.period_of(today) + 1)
        if today < timeline.begins_on:
            boundary = timeline.begins_on
        from_day = self._not_before_current(today) if now else boundary
        return replace(
            self,
            terms=replace(self.terms, timeline=replace(timeline, canceled_from=from_day)),
            cancel_reason=reason,
            version=self.version + 1,
        )

    def ending(self, last_day: date | None, today: date) -> "Schedule":
        """With another planned last day. VALIDATION_FAILED for one that is over."""
        self.must_be_live()
        if last_day is not None and last_day < max(today, self.timeline.boundary(self.current_number)):
            raise invalid("ends_on", "too_early", "This day is over. Cancel the schedule instead.")
        return replace(self, terms=replace(self.terms, timeline=replace(self.timeline, last_day=last_day)))

    def billed(self, planned: PlannedInvoice) -> "Schedule":
        """After a billing; over with the last one."""
        status = self.status
        if planned.is_last:
            is_canceled = self.timeline.canceled_from is not None
            status = Status.CANCELED if is_canceled else Status.ENDED
        return replace(self, position=planned.after, status=status, failure="", failures=0)

    def _not_before_current(self, day: date) -> date:
        """Billing may be ahead of today where the zone's day has not begun; periods before are settled."""
        return max(day, self.timeline.boundary(self.current_number))

    def _must_be_unmetered_tiers(self, line_no: int) -> None:
        if self.line(line_no).tiers:
            raise invalid("line_no", "tiers", "A line with tiers keeps its prices; make a new schedule.")

    def _refusal(self, reason: str, message: str) -> ServiceError:
        return ServiceError(Kind.FAILED_PRECONDITION, reason, message, schedule_id=self.schedule_id)


def must_make_sense(timeline: Timeline, today: date) -> None:
    """VALIDATION_FAILED for a rule that no calendar can follow, or that lies too far back or ahead."""
    if not max(EARLIEST_START, today - MOST_CATCH_UP) <= timeline.starts_on <= LATEST_DAY:
        raise invalid("rule.starts_on", "range", "This day is too far away.")
    if timeline.last_day is not None and not timeline.starts_on <= timeline.last_day <= LATEST_DAY:
        raise invalid("rule.ends_on", "range", "Service ends before it begins.")


def tiers_must_rise(line: ScheduleLine, field: str) -> None:
    """VALIDATION_FAILED unless each tier ends above the one before, and only the last is without end."""
    floor = Decimal(0)
    for at, tier in enumerate(line.tiers):
        is_last = at == len(line.tiers) - 1
        if (tier.up_to is None) != is_last:
            raise invalid(f"{field}.tiers[{at}].up_to", "end", "Only the last tier is without end.")
        if tier.up_to is not None:
            if tier.up_to <= floor:
                raise invalid(f"{field}.tiers[{at}].up_to", "order", "Each tier ends above the one before.")
            floor = tier.up_to


def _must_be_known_day(field: str, day: date) -> None:
    if day > LATEST_DAY:
        raise invalid(field, "range", "This day is too far away.")

"""When a schedule bills: periods by the calendar. Days are days of the schedule's zone; no clock is read here.

Every boundary is worked out from the anchor, never from the boundary before it, so nothing drifts: what is anchored
on the 31st falls on the last day of shorter months and on the 31st again after them.
"""

from calendar import monthrange
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from zoneinfo import ZoneInfo

_MONTHS = 12
_DAYS_OF_WEEK = 7


class Unit(StrEnum):
    """Unit of the time between two boundaries."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    YEAR = "year"


class Timing(StrEnum):
    """When a period is billed: on its first day, or on the day after its last."""

    ADVANCE = "advance"
    ARREARS = "arrears"


@dataclass(frozen=True, slots=True)
class Recurrence:
    """Every so many units. An anchor of 0 is taken from the day on which billing begins.

    `anchor_weekday` is 1 for Monday to 7 for Sunday. Days have no anchor.
    """

    unit: Unit
    every: int = 1
    anchor_day: int = 0
    anchor_weekday: int = 0
    anchor_month: int = 0

    def first(self, begins_on: date) -> date:
        """The first anchored day not before the day on which billing begins."""
        if self.unit is Unit.WEEK and self.anchor_weekday:
            return begins_on + timedelta(days=(self.anchor_weekday - begins_on.isoweekday()) % _DAYS_OF_WEEK)
        if self.unit is Unit.MONTH:
            found = _clamped(begins_on.year, begins_on.month, self.anchor_day or begins_on.day)
            return found if found >= begins_on else _months_on(found, 1, self.anchor_day)
        if self.unit is Unit.YEAR:
            month, day = self.anchor_month or begins_on.month, self.anchor_day or begins_on.day
            found = _clamped(begins_on.year, month, day)
            return found if found >= begins_on else _clamped(begins_on.year + 1, month, day)
        return begins_on

    def grid(self, begins_on: date, index: int) -> date:
        """The boundary so many steps after the first anchored day, or before it where negative."""
        first, steps = self.first(begins_on), index * self.every
        if self.unit is Unit.DAY:
            return first + timedelta(days=steps)
        if self.unit is Unit.WEEK:
            return first + timedelta(weeks=steps)
        day = self.anchor_day or begins_on.day
        return _months_on(first, steps * (_MONTHS if self.unit is Unit.YEAR else 1), day)


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeline:
    """The periods of a schedule, counted from 0. Where the anchor is not the first day, the first one is short.

    The trial comes before the first period. `ends_before` is the first day without service.
    """

    recurrence: Recurrence
    starts_on: date
    trial_days: int = 0
    last_day: date | None = None
    max_periods: int | None = None
    canceled_from: date | None = None

    @property
    def begins_on(self) -> date:
        """First day that costs something."""
        return self.starts_on + timedelta(days=self.trial_days)

    @property
    def ends_before(self) -> date | None:
        ends = [day for day in (self.canceled_from, self._planned_end) if day is not None]
        return min(ends) if ends else None

    def boundary(self, number: int) -> date:
        """First day of a period, whether or not there is service then."""
        if not self._has_short_first:
            return self.recurrence.grid(self.begins_on, number)
        return self.begins_on if number == 0 else self.recurrence.grid(self.begins_on, number - 1)

    def days(self, number: int) -> int:
        """Days of the whole period that the price is for; of a short first one those of a full one."""
        if number == 0 and self._has_short_first:
            return (self.recurrence.grid(self.begins_on, 0) - self.recurrence.grid(self.begins_on, -1)).days
        return (self.boundary(number + 1) - self.boundary(number)).days

    def billing_day(self, number: int) -> date:
        """Day of the billing at the beginning of a period; the last one comes with the end of service."""
        boundary, end = self.boundary(number), self.ends_before
        return boundary if end is None else min(boundary, end)

    def is_closing(self, number: int) -> bool:
        """Whether no service follows the billing at the beginning of this period."""
        end = self.ends_before
        return end is not None and self.boundary(number) >= end

    def last_day_of(self, number: int) -> date:
        """Last day of a period with service."""
        after, end = self.boundary(number + 1), self.ends_before
        return (after if end is None else min(after, end)) - timedelta(days=1)

    def period_of(self, day: date) -> int:
        """The period that a day lies in; 0 before the first."""
        low, high = 0, 1
        while self.boundary(high) <= day:
            low, high = high, high * 2
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if self.boundary(middle) <= day else (low, middle)
        return low

    @property
    def _has_short_first(self) -> bool:
        return self.recurrence.first(self.begins_on) != self.begins_on

    @property
    def _planned_end(self) -> date | None:
        after = None if self.last_day is None else self.last_day + timedelta(days=1)
        if self.max_periods is None:
            return after
        counted = self.boundary(self.max_periods)
        return counted if after is None else min(counted, after)


def start_of(day: date, time_zone: str) -> datetime:
    """The moment in UTC at which a day begins in a zone, also where clocks skip midnight or the whole day."""
    return datetime(day.year, day.month, day.day, tzinfo=_zone(time_zone)).astimezone(UTC)


def date_of(at: datetime, time_zone: str) -> date:
    """The calendar day of a moment in a zone."""
    return at.astimezone(_zone(time_zone)).date()


def _months_on(start: date, months: int, day: int) -> date:
    at = start.year * _MONTHS + start.month - 1 + months
    return _clamped(at // _MONTHS, at % _MONTHS + 1, day or start.day)


def _clamped(year: int, month: int, day: int) -> date:
    return date(year, month, min(day, monthrange(year, month)[1]))


@lru_cache(maxsize=700)
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)

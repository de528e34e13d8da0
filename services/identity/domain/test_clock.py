"""Test clocks: where one may begin, and where it may go."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import ClassVar, Final

from chassis.errors import Kind, ServiceError, invalid

MOST_YEARS: Final = timedelta(days=3660)
"""As far as one jump may lead: ten years and their leap days."""
MOST_STEPS: Final = 20_000
"""Stops that one jump may make; then the clock stands where it got to, and can be advanced again."""


class ClockStatus(StrEnum):
    """What a clock is doing."""

    READY = "ready"
    ADVANCING = "advancing"
    FAILED = "failed"
    DELETING = "deleting"


@dataclass(frozen=True, slots=True, kw_only=True)
class TestClock:
    """An organization's clock. It stands at `frozen_at` and is, or was last, on its way to `target_at`."""

    __test__: ClassVar[bool] = False

    test_clock_id: str
    name: str
    frozen_at: datetime
    target_at: datetime
    status: ClockStatus
    steps: int = 0
    failure: str = ""
    created_at: datetime

    @property
    def moves(self) -> bool:
        """Whether somebody is at work on it."""
        return self.status in (ClockStatus.ADVANCING, ClockStatus.DELETING)

    @property
    def is_on_its_way(self) -> bool:
        return self.status is ClockStatus.ADVANCING

    def towards(self, target_at: datetime) -> "TestClock":
        """On its way. Forward only, ten years at once; refused while it is moving."""
        if self.moves:
            raise ServiceError(
                Kind.FAILED_PRECONDITION,
                "TEST_CLOCK_ADVANCING",
                "The clock is still on its way. Wait for it, or stop it.",
            )
        if target_at <= self.frozen_at:
            raise invalid("frozen_time", "forward_only", "A test clock only goes forward.")
        _check_distance(self.frozen_at, target_at)
        return replace(self, status=ClockStatus.ADVANCING, target_at=target_at, steps=0, failure="")

    def arrived_at(self, stop: datetime) -> "TestClock":
        """At the next stop on its way, unless it was stopped before it."""
        if not self.is_on_its_way or stop > self.target_at:
            return self
        return replace(self, frozen_at=stop, steps=self.steps + 1)

    def stopped(self) -> "TestClock":
        """With no way left to go, when it is on its way."""
        return replace(self, target_at=self.frozen_at) if self.is_on_its_way else self

    def ended(self, *, failure: str = "") -> "TestClock":
        """At the end of its way, unless somebody removes it meanwhile."""
        if not self.is_on_its_way:
            return self
        return replace(self, status=ClockStatus.FAILED if failure else ClockStatus.READY, failure=failure)

    def going(self) -> "TestClock":
        """About to be deleted, wherever it is."""
        return replace(self, status=ClockStatus.DELETING)


def new_clock(test_clock_id: str, name: str, *, begins_at: datetime, now: datetime) -> TestClock:
    """A clock that is still to be made known everywhere. One that begins later than `now` gets there step by step."""
    _check_distance(now, begins_at)
    return TestClock(
        test_clock_id=test_clock_id,
        name=name,
        frozen_at=min(begins_at, now),
        target_at=begins_at,
        status=ClockStatus.ADVANCING,
        created_at=now,
    )


def _check_distance(begin: datetime, end: datetime) -> None:
    if abs(end - begin) > MOST_YEARS:
        raise invalid("frozen_time", "too_far", "Ten years at once are as far as a test clock goes.")

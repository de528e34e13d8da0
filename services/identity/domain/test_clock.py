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

    def towards(self, target_at: datetime) -> "TestClock":
        """On its way. Forward only, ten years at once; refused while it is moving."""
        self._demand_rest()
        if target_at <= self.frozen_at:
            raise invalid("frozen_time", "forward_only", "A test clock only goes forward.")
        _check_distance(self.frozen_at, target_at)
        return replace(self, status=ClockStatus.ADVANCING, target_at=target_at, steps=0, failure="")

    def going(self) -> "TestClock":
        """About to be deleted; refused while it is moving."""
        self._demand_rest()
        return replace(self, status=ClockStatus.DELETING)

    def _demand_rest(self) -> None:
        if self.moves:
            raise ServiceError(
                Kind.FAILED_PRECONDITION,
                "TEST_CLOCK_ADVANCING",
                "The clock is still on its way. Please wait.",
            )


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

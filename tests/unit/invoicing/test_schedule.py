"""Periods by the calendar: no gap, no overlap, no drift, in every zone and over every change of the clocks."""

from calendar import monthrange
from datetime import date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo, available_timezones

from hypothesis import given
from hypothesis import strategies as st

from services.invoicing.domain.schedule import Recurrence, Timeline, Unit, date_of, start_of

ZONES = sorted(available_timezones())
DAYS = st.dates(date(1995, 1, 1), date(2060, 12, 31))
RECURRENCES = st.builds(
    Recurrence,
    unit=st.sampled_from(Unit),
    every=st.integers(1, 40),
    anchor_day=st.integers(0, 31),
    anchor_weekday=st.integers(0, 7),
    anchor_month=st.integers(0, 12),
)


def months(start: date, anchor_day: int = 0, every: int = 1) -> Timeline:
    return Timeline(recurrence=Recurrence(Unit.MONTH, every, anchor_day), starts_on=start)


def test_the_thirty_first_is_the_last_day_of_shorter_months_and_comes_back() -> None:
    found = [months(date(2026, 1, 31)).boundary(at).isoformat() for at in range(5)]
    assert found == ["2026-01-31", "2026-02-28", "2026-03-31", "2026-04-30", "2026-05-31"]


def test_the_leap_day_comes_back_every_fourth_year() -> None:
    timeline = Timeline(recurrence=Recurrence(Unit.YEAR), starts_on=date(2024, 2, 29))
    assert [timeline.boundary(at).day for at in range(5)] == [29, 28, 28, 28, 29]


def test_a_first_period_before_the_anchor_is_short_and_measured_by_a_whole_one() -> None:
    timeline = months(date(2026, 11, 15), anchor_day=1)
    assert [timeline.boundary(at) for at in range(3)] == [
        date(2026, 11, 15), date(2026, 12, 1), date(2027, 1, 1)
    ]  # fmt: skip
    assert timeline.days(0) == 30
    assert timeline.days(1) == 31


def test_a_week_begins_on_its_anchored_day() -> None:
    timeline = Timeline(recurrence=Recurrence(Unit.WEEK, 2, anchor_weekday=1), starts_on=date(2026, 11, 22))
    assert [timeline.boundary(at) for at in range(3)] == [
        date(2026, 11, 22), date(2026, 11, 23), date(2026, 12, 7)
    ]  # fmt: skip


def test_the_trial_comes_before_the_first_period() -> None:
    timeline = Timeline(recurrence=Recurrence(Unit.MONTH), starts_on=date(2026, 1, 17), trial_days=14)
    assert [timeline.boundary(at) for at in range(2)] == [date(2026, 1, 31), date(2026, 2, 28)]


@given(RECURRENCES, DAYS, st.integers(0, 60))
def test_periods_follow_each_other_without_gap_and_hold_each_day_once(
    recurrence: Recurrence, start: date, trial_days: int
) -> None:
    timeline = Timeline(recurrence=recurrence, starts_on=start, trial_days=trial_days)
    edges = [timeline.boundary(at) for at in range(30)]
    assert edges[0] == timeline.begins_on
    assert all(before < after for before, after in pairwise(edges))
    for number, (before, after) in enumerate(pairwise(edges)):
        assert 0 < (after - before).days <= timeline.days(number)
        assert timeline.period_of(before) == number
        assert timeline.period_of(after - timedelta(days=1)) == number


@given(DAYS, st.integers(1, 31), st.integers(1, 12))
def test_months_stay_on_their_anchor_for_ever(start: date, anchor: int, every: int) -> None:
    timeline = months(start, anchor, every)
    for number in range(1, 200):
        day = timeline.boundary(number)
        assert day.day == min(anchor, monthrange(day.year, day.month)[1])


@given(RECURRENCES, DAYS, st.integers(0, 900), st.integers(1, 12))
def test_service_ends_with_the_first_of_its_ends(
    recurrence: Recurrence, start: date, last: int, count: int
) -> None:
    timeline = Timeline(
        recurrence=recurrence, starts_on=start, last_day=start + timedelta(days=last), max_periods=count
    )
    closing = next(at for at in range(2000) if timeline.is_closing(at))
    assert closing <= count
    assert timeline.billing_day(closing) == timeline.ends_before
    assert timeline.billing_day(closing) <= start + timedelta(days=last + 1)


def test_each_day_of_the_clocks_changes_begins_once_in_every_zone() -> None:
    for zone, day in [(name, change) for name in ZONES for change in changes_of(name)]:
        at = start_of(day, zone)
        around = start_of(day - timedelta(days=1), zone), start_of(day + timedelta(days=1), zone)
        assert around[0] <= at <= around[1], (zone, day)
        assert date_of(at, zone) >= day, (zone, day)
        assert date_of(at - timedelta(microseconds=1), zone) < day, (zone, day)


def test_a_daily_schedule_makes_one_period_for_each_day_of_every_zone() -> None:
    for zone in ZONES:
        _make_days_of(zone)


def _make_days_of(zone: str) -> None:
    """The scheduler looks every 5 hours; what is due by then is made; nothing is made twice or left out."""
    day = changes_of(zone)[0]
    timeline = Timeline(recurrence=Recurrence(Unit.DAY), starts_on=day - timedelta(days=2))
    now, number, made = start_of(day - timedelta(days=2), zone), 0, []
    until = start_of(day + timedelta(days=3), zone)
    while now < until:
        while start_of(timeline.billing_day(number), zone) <= now:
            made.append(timeline.billing_day(number))
            number += 1
        now += timedelta(hours=5)
    wanted = [day + timedelta(days=at) for at in range(-2, 3)]
    assert made[: len(wanted)] == wanted, zone


def changes_of(zone: str) -> list[date]:
    """Days of some years on which a zone's clocks change; one usual day for those that never do."""
    info = ZoneInfo(zone)
    days: list[date] = []
    for year in (2011, 2018, 2026, 2027):
        before = datetime(year, 1, 1, tzinfo=info).utcoffset()
        for at in range(365):
            day = date(year, 1, 1) + timedelta(days=at)
            offset = datetime(day.year, day.month, day.day, 23, 59, tzinfo=info).utcoffset()
            if offset != before:
                days.append(day)
            before = offset
    return days or [date(2026, 11, 22)]

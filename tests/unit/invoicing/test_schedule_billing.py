"""What a schedule bills: each period once, corrections to the cent, never more credit than there are charges."""

from datetime import date, timedelta
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from chassis.money import Money
from services.invoicing.domain.schedule import Recurrence, Timeline, Timing, Unit
from services.invoicing.domain.schedule_billing import (
    Change,
    ChangeKind,
    NoteKind,
    PlannedInvoice,
    Position,
    ScheduleLine,
    Terms,
    Tier,
    Usage,
    cost_of,
    first_position,
    plan_invoice,
    upcoming,
    used_before,
)

START = date(2026, 1, 31)


def usd(cents: int) -> Money:
    return Money(cents, "USD")


def seats(cents: int = 3_000, quantity: int = 1, line_no: int = 1) -> ScheduleLine:
    return ScheduleLine(
        line_no=line_no, description="Seats", unit_price=usd(cents), tax_rate_percent=Decimal(0),
        quantity=Decimal(quantity),
    )  # fmt: skip


def calls(*tiers: Tier) -> ScheduleLine:
    return ScheduleLine(
        line_no=2,
        description="Calls",
        unit_price=usd(5),
        tax_rate_percent=Decimal(0),
        metered=True,
        tiers=tiers,
    )


def terms(*lines: ScheduleLine, timing: Timing = Timing.ADVANCE, **more: object) -> Terms:
    changes = more.pop("changes", ())
    fields: dict[str, object] = {"recurrence": Recurrence(Unit.MONTH), "starts_on": START, **more}
    timeline = Timeline(**fields)  # type: ignore[arg-type]
    return Terms(timeline=timeline, timing=timing, currency="USD", lines=lines, changes=changes)  # type: ignore[arg-type]


def quantity(day: date, value: int, line_no: int = 1) -> Change:
    return Change(kind=ChangeKind.QUANTITY, effective_on=day, line_no=line_no, quantity=Decimal(value))


def made(known: Terms, count: int = 100) -> list[PlannedInvoice]:
    """All billings, also those that come to nothing."""
    position, found = first_position(known.timing), list[PlannedInvoice]()
    while len(found) < count:
        found.append(plan_invoice(known, position, {}))
        if found[-1].is_last:
            return found
        position = found[-1].after
    return found


def test_in_advance_a_period_is_billed_on_its_first_day() -> None:
    found = made(terms(seats(), max_periods=3))
    assert [(one.invoice_on.isoformat(), one.subtotal_minor_units) for one in found] == [
        ("2026-01-31", 3_000), ("2026-02-28", 3_000), ("2026-03-31", 3_000), ("2026-04-30", 0)
    ]  # fmt: skip


def test_in_arrears_a_period_is_billed_on_the_day_after_it() -> None:
    found = made(terms(seats(), timing=Timing.ARREARS, max_periods=2))
    assert [(one.invoice_on.isoformat(), one.period_start.isoformat()) for one in found] == [
        ("2026-02-28", "2026-01-31"), ("2026-03-31", "2026-02-28")
    ]  # fmt: skip
    assert found[-1].is_last


def test_more_seats_in_the_middle_are_charged_by_days_on_the_next_invoice() -> None:
    before = terms(seats(quantity=1))
    first = plan_invoice(before, first_position(Timing.ADVANCE), {})
    after = terms(seats(quantity=1), changes=(quantity(date(2026, 2, 14), 3),))
    second = plan_invoice(after, first.after, {})
    assert [(line.note, line.minor_units) for line in second.lines] == [
        (NoteKind.NONE, 9_000), (NoteKind.CORRECTION, 3_000)  # 2 seats for 14 of 28 days
    ]  # fmt: skip


def test_fewer_seats_are_credited_and_what_the_next_invoice_does_not_take_waits() -> None:
    first = plan_invoice(terms(seats(quantity=10)), first_position(Timing.ADVANCE), {})
    known = terms(seats(quantity=10), changes=(quantity(date(2026, 2, 1), 1),))
    second = plan_invoice(known, first.after, {})
    assert second.subtotal_minor_units == 0
    assert not second.is_charged
    waiting = sum(credit.minor_units for credit in second.after.credits)
    assert waiting == 30_000 - cost_of(known, known.lines[0], 0).minor_units - 3_000


def test_usage_of_a_period_is_billed_when_it_is_over_each_tier_by_itself() -> None:
    known = terms(calls(Tier(Decimal(100), usd(5)), Tier(None, usd(3))), max_periods=1)
    usage = [Usage(2, START, Decimal(90)), Usage(2, START + timedelta(days=3), Decimal(60))]
    (only,) = list(upcoming(known, first_position(Timing.ADVANCE), usage))
    assert only.invoice_on == date(2026, 2, 28)
    assert [(int(line.quantity), line.minor_units) for line in only.lines] == [(100, 500), (50, 150)]


def test_usage_in_the_trial_costs_nothing() -> None:
    assert used_before([Usage(2, START, Decimal(9))], date(2026, 3, 1), since=date(2026, 2, 1)) == {}


def test_a_price_counts_from_the_first_period_that_begins_after_it() -> None:
    dearer = Change(kind=ChangeKind.PRICE, effective_on=date(2026, 3, 1), line_no=1, unit_price=usd(4_000))
    found = made(terms(seats(), max_periods=4, changes=(dearer,)))
    assert [one.subtotal_minor_units for one in found] == [3_000, 3_000, 4_000, 4_000, 0]


def test_credit_stays_within_its_tax_rate() -> None:
    taxed = ScheduleLine(line_no=2, description="Taxed", unit_price=usd(500), tax_rate_percent=Decimal(19))
    first = plan_invoice(terms(seats(quantity=5), taxed), first_position(Timing.ADVANCE), {})
    known = terms(seats(quantity=5), taxed, changes=(quantity(START, 0),))
    second = plan_invoice(known, first.after, {})
    assert second.subtotal_minor_units == 500
    assert [credit.minor_units for credit in second.after.credits] == [15_000]


CHANGES = st.lists(
    st.tuples(st.integers(0, 11), st.integers(0, 27), st.integers(0, 7), st.sampled_from(ChangeKind)),
    max_size=8,
)


@given(CHANGES, st.integers(1, 99_999), st.sampled_from(Timing), st.integers(1, 12), st.integers(0, 400))
def test_whatever_changes_when_billed_comes_to_owed_to_the_cent(
    wishes: list[tuple[int, int, int, ChangeKind]], cents: int, timing: Timing, every: int, cancel: int
) -> None:
    """Changes come while the period is billed already; in the end the sum of invoices less credit is what is owed."""
    fields: dict[str, object] = {
        "recurrence": Recurrence(Unit.MONTH, every, 31), "starts_on": date(2026, 1, 17), "max_periods": 12,
    }  # fmt: skip
    known = terms(seats(cents, 2), timing=timing, **fields)
    position, total, changes, number_of_last = first_position(timing), 0, list[Change](), 0
    pending = sorted(wishes)
    for _ in range(20):
        planned = plan_invoice(known, position, {})
        assert planned.subtotal_minor_units >= 0
        total += planned.subtotal_minor_units
        position, number_of_last = planned.after, planned.number
        if planned.is_last:
            break
        now = known.timeline.boundary(max(0, position.number - 1))
        for number, day, value, kind in pending:
            if number == position.number - 1:
                on = now + timedelta(days=day)
                price = usd(value * 111) if kind is ChangeKind.PRICE else None
                changes.append(
                    Change(kind=kind, effective_on=on, line_no=1, quantity=Decimal(value), unit_price=price)
                    if kind in (ChangeKind.QUANTITY, ChangeKind.PRICE)
                    else Change(kind=kind, effective_on=on)
                )
        canceled = known.timeline.starts_on + timedelta(days=cancel)
        more = (
            {"canceled_from": canceled} if now <= canceled < known.timeline.boundary(position.number) else {}
        )
        kept = {"canceled_from": known.timeline.canceled_from} if known.timeline.canceled_from else more
        known = terms(seats(cents, 2), timing=timing, changes=tuple(changes), **fields, **kept)
    owed = sum(cost_of(known, known.lines[0], at).minor_units for at in range(number_of_last))
    assert total - sum(credit.minor_units for credit in position.credits) == owed


@given(st.sampled_from(Timing), st.integers(1, 20), st.lists(st.integers(0, 300), max_size=20))
def test_the_preview_is_what_is_made(timing: Timing, count: int, days: list[int]) -> None:
    known = terms(seats(), calls(), timing=timing, max_periods=count)
    usage = [Usage(2, START + timedelta(days=day), Decimal(day + 1)) for day in days]
    shown = list(upcoming(known, first_position(timing), usage))
    position, waiting, found = first_position(timing), usage, list[PlannedInvoice]()
    while True:
        day = known.timeline.billing_day(position.number)
        planned = plan_invoice(known, position, used_before(waiting, day, since=START))
        waiting = [one for one in waiting if one.used_on >= day]
        found += [planned] if planned.is_charged else []
        if planned.is_last:
            break
        position = planned.after
    assert shown == found


def test_a_schedule_that_is_paused_for_ever_has_no_next_invoice() -> None:
    paused = Change(kind=ChangeKind.PAUSE, effective_on=START)
    known = terms(seats(), changes=(paused,))
    assert list(upcoming(known, Position(number=0), [])) == []

"""What is due of a plan on any day: early, late, part and too large payments, grace, breaking, completion."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.errors import ServiceError
from services.invoicing.domain.instalment_plan import (
    Agreement,
    Choice,
    InstalmentPlan,
    InstalmentState,
    Interval,
    PlanInvoice,
    PlanState,
    Schedule,
    add_months,
    demands,
    instalments_of,
)
from services.invoicing.domain.plan_policy import PlanRules, Signs, chosen_segment, default_rules
from services.invoicing.domain.plan_proposal import propose, spread_discount
from tests.unit.invoicing.test_invoice import usd

FIRST = date(2026, 12, 1)
NOW = datetime(2026, 11, 21, 15, tzinfo=UTC)
RULES = PlanRules(currency="USD", grace_days=5, missed_to_break=1, notice_days=3)
MONTHLY = Choice(4, Interval.MONTH, FIRST)


def four(total: int = 1_000, *, grace_days: int = 5, missed_to_break: int = 1) -> Schedule:
    """Four instalments on the first of December to March."""
    return Schedule(instalments_of(usd(total), MONTHLY, first_due_on=FIRST), grace_days, missed_to_break)


def invoice(number: int, due: int, *, start: int | None = None, **changes: Any) -> PlanInvoice:
    return replace(
        PlanInvoice(
            f"inv_{number}", f"INV-{number}", date(2026, 10, number), usd(due if start is None else start),
            usd(due), usd(0), usd(0), usd(0),
        ),
        **changes,
    )  # fmt: skip


def active(schedule: Schedule, *invoices: PlanInvoice, rules: PlanRules = RULES) -> InstalmentPlan:
    return InstalmentPlan(
        plan_id="ipl_1", customer_id="cus_1", currency="USD", state=PlanState.ACTIVE, choice=MONTHLY,
        rules=rules, invoices=invoices, schedule=schedule, hardship=False, reasons=(), message="",
        wished=None, discount=usd(0), note="", offered_until=None, created_at=NOW, created_by="person:x",
        created_by_name="", agreement=Agreement("t", "h", "en", NOW, "person:x", "X", ""),
        checked_on=date(2026, 11, 21),
    )  # fmt: skip


def test_four_instalments_are_due_right_on_every_day() -> None:
    """Paid: 250 early, nothing for January in time, 100 of it late, the rest with 400 too much, then the end."""
    plan = four(1_000, grace_days=20)
    paid_by = {
        date(2026, 11, 28): 250, date(2027, 1, 9): 100, date(2027, 1, 20): 550, date(2027, 2, 27): 100,
    }  # fmt: skip
    expected = [
        (date(2026, 11, 21), 0), (date(2026, 12, 1), 0), (date(2026, 12, 31), 0), (date(2027, 1, 1), 250),
        (date(2027, 1, 8), 250), (date(2027, 1, 9), 150), (date(2027, 1, 19), 150), (date(2027, 1, 20), 0),
        (date(2027, 2, 1), 0), (date(2027, 2, 28), 0), (date(2027, 3, 1), 0), (date(2027, 6, 1), 0),
    ]  # fmt: skip
    for day, due in expected:
        paid = usd(sum(units for when, units in paid_by.items() if when <= day))
        assert plan.due_now(paid, day) == usd(due), day
        assert not plan.is_broken(paid, day)


def test_whoever_pays_nothing_breaks_the_plan_the_day_after_the_grace() -> None:
    plan = four()
    assert plan.breaks_on(usd(0)) == date(2026, 12, 7)
    assert not plan.is_broken(usd(0), date(2026, 12, 6))
    assert plan.is_broken(usd(0), date(2026, 12, 7))
    assert plan.is_broken(usd(249), date(2026, 12, 7)), "a part is not the instalment"
    assert plan.breaks_on(usd(250)) == date(2027, 1, 7)
    assert plan.breaks_on(usd(1_000)) is None
    assert four(missed_to_break=2).breaks_on(usd(100)) == date(2027, 1, 7)
    assert four(missed_to_break=3).breaks_on(usd(900)) == date(2027, 3, 7), "what is left is enough"


def test_an_overpayment_fills_the_next_instalments() -> None:
    standings = four().standings(usd(600), date(2026, 12, 1))
    assert [(one.paid, one.state) for one in standings] == [
        (usd(250), InstalmentState.PAID), (usd(250), InstalmentState.PAID),
        (usd(100), InstalmentState.UPCOMING), (usd(0), InstalmentState.UPCOMING),
    ]  # fmt: skip
    states = [one.state for one in four().standings(usd(0), date(2027, 1, 3))]
    assert states == [
        InstalmentState.MISSED, InstalmentState.LATE, InstalmentState.UPCOMING, InstalmentState.UPCOMING,
    ]  # fmt: skip


def test_months_end_where_they_end() -> None:
    assert [add_months(date(2027, 10, 31), months) for months in (0, 1, 2, 4)] == [
        date(2027, 10, 31), date(2027, 11, 30), date(2027, 12, 31), date(2028, 2, 29),
    ]  # fmt: skip


@given(
    total=st.integers(1, 10**9),
    count=st.integers(1, 24),
    paid=st.integers(0, 10**9),
    days=st.integers(-40, 800),
    interval=st.sampled_from(list(Interval)),
)
def test_what_is_due_follows_from_day_and_money(
    total: int, count: int, paid: int, days: int, interval: Interval
) -> None:
    paid = min(paid, total)
    parts = instalments_of(usd(total), Choice(count, interval, FIRST), first_due_on=FIRST)
    plan, day = Schedule(parts, 5, 1), FIRST + timedelta(days=days)
    amounts = [one.amount.minor_units for one in parts]
    assert sum(amounts) == total
    assert max(amounts) - min(amounts) <= 1
    assert amounts == sorted(amounts, reverse=True)
    due = plan.due_now(usd(paid), day)
    assert usd(0) <= due <= usd(total - paid)
    assert due <= plan.due_now(usd(paid), day + timedelta(days=1)), "time never lessens it"
    assert plan.due_now(usd(total), day).is_zero
    after = plan.due_now(usd(paid) + due, day)
    assert after.is_zero, "who pays what is due owes nothing that day"
    standings = plan.standings(usd(paid), day)
    assert sum(one.paid.minor_units for one in standings) == paid
    late = (InstalmentState.DUE, InstalmentState.LATE, InstalmentState.MISSED)
    unpaid = sum((one.instalment.amount - one.paid).minor_units for one in standings if one.state in late)
    assert usd(unpaid) == due
    assert plan.is_broken(usd(paid), day) == any(one.state is InstalmentState.MISSED for one in standings)


@given(data=st.data(), days=st.integers(-5, 200))
def test_what_is_asked_of_invoices_is_what_is_due_of_the_plan(data: st.DataObject, days: int) -> None:
    parts = []
    for at in range(1, data.draw(st.integers(1, 5)) + 1):
        start = data.draw(st.integers(1, 1_000))
        due = data.draw(st.integers(0, start))
        parts.append(invoice(at, due, start=start, reserved=usd(data.draw(st.integers(0, due)))))
    total = sum(one.at_start.minor_units for one in parts)
    plan = active(four(total), *parts)
    day = FIRST + timedelta(days=days)
    asked = demands(plan, day)
    together = sum((one.asked for one in asked.values()), usd(0))
    assert together == max(usd(0), plan.due_now(day) - plan.processing)
    assert all(usd(0) <= asked[one.invoice_id].asked <= one.due - one.reserved for one in plan.invoices)
    held = [(one.invoice_id, one.reserved) for one in parts]
    own = demands(plan, day, own=held)
    assert sum((one.asked for one in own.values()), usd(0)) == plan.due_now(day), "own holds do not count"


def test_what_is_in_dispute_is_not_asked_for() -> None:
    plan = active(four(1_000), invoice(1, 400, disputed=usd(300)), invoice(2, 600))
    asked = demands(plan, FIRST)
    assert {key: one.asked for key, one in asked.items()} == {"inv_1": usd(100), "inv_2": usd(150)}
    assert (asked["inv_2"].number, asked["inv_2"].count, asked["inv_2"].due_on) == (1, 4, FIRST)


def test_money_on_its_way_keeps_a_plan_and_is_looked_at_again_tomorrow() -> None:
    late = date(2026, 12, 7)
    plan = active(four(1_000), invoice(1, 1_000, reserved=usd(250)))
    assert plan.is_on_track(late)
    assert replace(plan, checked_on=late).next_wake() == date(2026, 12, 8)
    assert not active(four(1_000), invoice(1, 1_000)).is_on_track(late)


def test_each_instalment_is_announced_once_and_paid_ones_never() -> None:
    plan = active(four(1_000), invoice(1, 1_000))
    assert plan.next_wake() == date(2026, 11, 28)
    assert plan.to_announce(date(2026, 11, 27)) is None
    coming = plan.to_announce(date(2026, 11, 28))
    assert coming is not None
    assert coming.number == 1
    told = replace(plan, announced=plan.reached_by_notice(date(2026, 11, 28)))
    assert told.to_announce(date(2026, 11, 28)) is None
    paid = active(four(1_000), invoice(1, 750, start=1_000))
    assert paid.to_announce(date(2026, 11, 28)) is None
    assert paid.reached_by_notice(date(2026, 11, 28)) == 1


def test_a_policy_bounds_what_can_be_chosen() -> None:
    rules = replace(
        default_rules("USD"), max_months=6, min_instalment_minor_units=15_000, auto_approve_minor_units=60_000
    )
    today = date(2026, 11, 21)
    choice = Choice(0, Interval.MONTH, None)
    found = propose("cus_1", [invoice(1, 60_000)], rules, choice, today=today)
    assert [one.instalments for one in found.options] == [2, 3, 4]
    assert (found.choice.instalments, found.choice.first_due_on) == (3, date(2026, 12, 5))
    assert found.within_policy
    assert found.decided_at_once
    many = propose("cus_1", [invoice(1, 60_000)], rules, replace(choice, instalments=5), today=today)
    assert not many.within_policy
    with pytest.raises(ServiceError, match="PLAN_TERMS_NOT_ALLOWED"):
        many.must_be_within_policy()
    small = propose("cus_1", [invoice(1, 4_900)], rules, choice, today=today)
    assert small.refusal == "PLAN_DEBT_TOO_SMALL"
    with pytest.raises(ServiceError, match="PLAN_NOT_ALLOWED"):
        small.must_be_possible()
    large = propose(
        "cus_1", [invoice(1, 70_000)], replace(rules, max_debt_minor_units=60_000), choice, today=today
    )
    assert large.refusal == "PLAN_DEBT_TOO_LARGE"
    weekly = propose("cus_1", [invoice(1, 600_000)], rules, Choice(0, Interval.WEEK, None), today=today)
    assert weekly.options[-1].instalments == 25


def test_a_discount_is_spread_by_what_is_due() -> None:
    parts = spread_discount([invoice(1, 100), invoice(2, 200)], usd(10))
    assert [one.discount for one in parts] == [usd(3), usd(7)]


def test_a_single_slip_is_no_sign_of_hardship() -> None:
    assert not Signs(1, 0, 0, 0).suggest_help
    assert not Signs(0, 1, 0, 0).suggest_help
    assert Signs(1, 1, 0, 0).suggest_help
    assert Signs(0, 2, 0, 0).suggest_help
    assert Signs(2, 0, 0, 0).suggest_help
    assert Signs(0, 0, 0, 1).as_pairs() == [("broken_promises", 1)]
    assert chosen_segment(["wholesale", "gold"], ["", "gold"]) == "gold"
    assert chosen_segment([], ["", "gold"]) == ""

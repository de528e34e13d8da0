"""When autopay pays what, and when it tries again."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.money import Money
from services.payments.domain.autopay import (
    HARD_DECLINES,
    MAX_TRIES,
    TRIED_WITHIN,
    AutopaySettings,
    Run,
    RunInvoice,
    Scope,
    day_after_notice,
    is_pay_day,
    next_try_on,
    notice_day,
    pay_day,
    payable_at,
    plan,
    sum_of,
)
from services.payments.domain.due_item import DueItem

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
days = st.dates(date(2024, 1, 1), date(2032, 12, 31))
settings_of = st.builds(
    AutopaySettings,
    customer_id=st.just("cus_1"),
    enabled=st.just(True),
    days_before_due=st.integers(-14, 30),
    day_of_month=st.integers(0, 28),
    notice_days=st.integers(0, 14),
)
items = st.lists(
    st.builds(
        DueItem,
        invoice_id=st.integers(1, 10**6).map(lambda number: f"inv_{number}"),
        number=st.integers(1, 999).map(lambda number: f"INV-{number:04d}"),
        customer_id=st.just("cus_1"),
        amount_due=st.builds(Money, st.integers(0, 10**9), st.sampled_from(["USD", "EUR"])),
        due_date=days,
    ),
    max_size=12,
    unique_by=lambda item: item.invoice_id,
)


def due(invoice_id: str, units: int, *, number: str = "INV-0001", order: str = "") -> DueItem:
    return DueItem(
        invoice_id=invoice_id,
        number=number,
        customer_id="cus_1",
        amount_due=Money(units, "USD"),
        due_date=date(2026, 12, 1),
        purchase_order_number=order,
    )


def run(*invoices: tuple[str, int], pay_on: date = date(2026, 12, 1)) -> Run:
    parts = tuple(
        RunInvoice(invoice_id=invoice_id, number="INV-0001", amount=Money(units, "USD"))
        for invoice_id, units in invoices
    )
    return Run(
        run_id="apr_1",
        customer_id="cus_1",
        invoices=parts,
        amount=sum_of(parts),
        pay_on=pay_on,
        created_at=NOW,
    )


@given(settings=settings_of, due_date=days, today=days)
def test_the_payer_always_has_the_notice_that_they_asked_for(
    settings: AutopaySettings, due_date: date, today: date
) -> None:
    day = pay_day(settings, due_date, today=today)
    assert day - today >= timedelta(days=settings.notice_days)
    planned = run(("inv_1", 100), pay_on=day)
    assert notice_day(planned, settings) >= today
    late = notice_day(planned, settings) + timedelta(days=3)
    told_late = day_after_notice(planned, settings, today=late)
    assert told_late - late >= timedelta(days=settings.notice_days)
    assert told_late >= day


@given(settings=settings_of, due_date=days, today=days)
def test_a_day_of_the_month_is_kept_and_never_before_the_invoice_is_due(
    settings: AutopaySettings, due_date: date, today: date
) -> None:
    day = pay_day(settings, due_date, today=today)
    if settings.day_of_month:
        assert day.day == settings.day_of_month
        assert day >= due_date
        earliest = max(due_date, today + timedelta(days=settings.notice_days))
        assert (day - earliest).days < 31
    else:
        wanted = due_date - timedelta(days=settings.days_before_due)
        assert day == max(wanted, today + timedelta(days=settings.notice_days))


@given(settings=settings_of, found=items, today=days)
def test_a_plan_pays_each_invoice_once_and_all_of_it(
    settings: AutopaySettings, found: list[DueItem], today: date
) -> None:
    planned = plan(settings, found, today=today)
    parts = [part for one in planned for part in one.invoices]
    assert {part.invoice_id: part.amount for part in parts} == {
        item.invoice_id: item.amount_due for item in found if item.amount_due.minor_units
    }
    assert len(parts) == len({part.invoice_id for part in parts})
    for one in planned:
        assert one.amount == sum_of(one.invoices)
    assert [one.pay_on for one in planned] == sorted(one.pay_on for one in planned)


def test_chosen_invoices_are_those_whose_numbers_begin_so() -> None:
    settings = AutopaySettings(customer_id="cus_1", scope=Scope.CHOSEN, prefixes=("boat-", "PO7"))
    assert settings.covers(due("inv_1", 1, number="BOAT-17"))
    assert settings.covers(due("inv_1", 1, number="INV-1", order="po7/2026"))
    assert not settings.covers(due("inv_1", 1, number="INV-1"))


def test_over_the_cap_it_asks_and_so_it_does_in_another_currency() -> None:
    settings = AutopaySettings(customer_id="cus_1", cap=Money(10_000, "USD"))
    assert not settings.needs_confirmation(Money(10_000, "USD"))
    assert settings.needs_confirmation(Money(10_001, "USD"))
    assert settings.needs_confirmation(Money(1, "EUR"))
    assert settings.needs_confirmation(Money(9_000, "USD"), approval_above=Money(8_000, "USD"))
    assert not AutopaySettings(customer_id="cus_1").needs_confirmation(Money(10**9, "USD"))


def test_a_pause_ends_on_its_day() -> None:
    settings = AutopaySettings(customer_id="cus_1", enabled=True, paused_until=date(2026, 12, 5))
    assert not settings.is_on(date(2026, 12, 4))
    assert settings.is_on(date(2026, 12, 5))


def test_what_was_paid_disputed_or_grew_meanwhile_is_charged_at_most_as_announced() -> None:
    planned = run(("inv_1", 5_000), ("inv_2", 3_000), ("inv_3", 1_000))
    payable = payable_at(planned, [due("inv_1", 2_000), due("inv_2", 9_000), due("inv_9", 70)], NOW)
    assert [(one.invoice_id, one.amount.minor_units) for one in payable] == [
        ("inv_1", 2_000),
        ("inv_2", 3_000),
    ]
    assert payable_at(planned, [], NOW) == ()


@pytest.mark.parametrize(("ends_after", "units"), [(timedelta(seconds=1), 4_900), (timedelta(0), 5_000)])
def test_less_is_charged_as_long_as_it_is_early_enough(ends_after: timedelta, units: int) -> None:
    item = replace(due("inv_1", 5_000), discounted_due=Money(4_900, "USD"), discount_ends_at=NOW + ends_after)
    (part,) = payable_at(run(("inv_1", 5_000)), [item], NOW)
    assert part.amount.minor_units == units


codes = st.sampled_from(
    ["card_declined", "insufficient_funds", "processing_error", "do_not_honor", "unheard_of"]
)


@given(first=days, code=codes)
def test_soft_declines_are_tried_four_times_at_most_within_thirty_days(first: date, code: str) -> None:
    tried = [first]
    while True:
        again = next_try_on(code, tries=len(tried), first_tried_on=first, today=tried[-1])
        if again is None:
            break
        assert again > tried[-1]
        assert code != "insufficient_funds" or is_pay_day(again)
        tried.append(again)
    assert len(tried) <= MAX_TRIES == 4
    assert tried[-1] - first <= TRIED_WITHIN
    if code != "insufficient_funds":
        assert [(day - first).days for day in tried] == [0, 1, 3, 7]


@given(code=st.sampled_from(sorted(HARD_DECLINES)), first=days, tries=st.integers(1, 4))
def test_hard_declines_are_never_tried_again(code: str, first: date, tries: int) -> None:
    assert next_try_on(code, tries=tries, first_tried_on=first, today=first) is None


@pytest.mark.parametrize(
    ("day", "expected"),
    [(date(2026, 11, 21), date(2026, 11, 27)), (date(2026, 11, 28), date(2026, 12, 1))],
)
def test_without_money_it_waits_for_the_next_pay_day(day: date, expected: date) -> None:
    assert next_try_on("insufficient_funds", tries=1, first_tried_on=day, today=day) == expected

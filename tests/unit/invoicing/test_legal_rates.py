"""Rates that change by law: which one is in force on a day, and which are to be looked up."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.invoicing.domain.legal_rates import (
    BUILT_IN,
    DE_BASE_RATE,
    NAMES,
    NO_COLLECTION_RATE,
    NO_LATE_INTEREST,
    LegalRate,
    LegalRates,
)

JULY = LegalRate(DE_BASE_RATE, date(2026, 7, 1), Decimal("1.52"), "Bundesbank")


def test_a_rate_holds_from_its_day_until_the_next_one() -> None:
    rates = LegalRates([JULY])
    assert rates.on(DE_BASE_RATE, date(2026, 6, 30)).value == Decimal("1.27")
    assert rates.on(DE_BASE_RATE, date(2026, 7, 1)) == JULY
    assert rates.on(DE_BASE_RATE, date(2031, 1, 1)) == JULY
    assert rates.on(DE_BASE_RATE, date(1999, 1, 1)).valid_from == date(2025, 7, 1), "the oldest that is known"


def test_what_was_set_here_replaces_what_comes_with_the_product() -> None:
    corrected = LegalRate(NO_COLLECTION_RATE, date(2026, 1, 1), Decimal(760), "Regulation")
    assert LegalRates([corrected]).on(NO_COLLECTION_RATE, date(2026, 2, 1)) == corrected


@given(start=st.dates(date(2025, 1, 1), date(2027, 1, 1)), days=st.integers(1, 800))
def test_spans_are_the_days_one_by_one(start: date, days: int) -> None:
    rates = LegalRates([JULY, LegalRate(DE_BASE_RATE, date(2026, 9, 9), Decimal("-0.88"), "Test")])
    by_day = sum(rates.on(DE_BASE_RATE, start + timedelta(days=at)).value for at in range(days))
    spans = rates.spans(DE_BASE_RATE, start, start + timedelta(days=days - 1))
    assert sum(length for length, _ in spans) == days
    assert sum(length * rate for length, rate in spans) == by_day


@pytest.mark.parametrize(
    ("today", "expected"),
    [
        (date(2026, 6, 30), []),
        (date(2026, 7, 1), [DE_BASE_RATE, NO_LATE_INTEREST]),
        (date(2027, 1, 1), [DE_BASE_RATE, NO_COLLECTION_RATE, NO_LATE_INTEREST]),
    ],
)
def test_rates_are_to_be_checked_once_a_day_has_come_on_which_the_law_may_change_them(
    today: date, expected: list[str]
) -> None:
    assert LegalRates().to_check(today) == expected
    assert DE_BASE_RATE not in LegalRates([JULY]).to_check(date(2026, 12, 31))


def test_every_rate_that_comes_with_the_product_says_from_when_and_by_whom() -> None:
    assert {one.name for one in BUILT_IN} == NAMES
    assert all(one.source and str(one.valid_from.year) in one.source for one in BUILT_IN)

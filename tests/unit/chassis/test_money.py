"""Money never gains or loses a minor unit."""

from decimal import Decimal

import pytest
from babel import Locale
from babel.localedata import locale_identifiers
from hypothesis import given
from hypothesis import strategies as st
from iso4217 import Currency

from chassis.money import LARGEST_BOOKING_MINOR_UNITS, LARGEST_MINOR_UNITS, Money, format_money

CURRENCIES = sorted(currency.code for currency in Currency if currency.exponent is not None)
currencies = st.sampled_from(CURRENCIES)
units = st.integers(-LARGEST_MINOR_UNITS, LARGEST_MINOR_UNITS)
small = st.integers(-(10**14), 10**14)
weights = st.lists(st.integers(0, 10**9), min_size=1, max_size=40).filter(any)


def test_sums_may_be_a_million_times_the_largest_booking() -> None:
    booking = Money(LARGEST_BOOKING_MINOR_UNITS, "USD")
    assert sum([booking] * 2_000, Money.zero("USD")).minor_units == 2_000 * LARGEST_BOOKING_MINOR_UNITS
    assert LARGEST_MINOR_UNITS >= 1_000_000 * LARGEST_BOOKING_MINOR_UNITS


@given(units, currencies, weights)
def test_parts_add_up_to_the_whole_and_differ_from_their_share_by_less_than_one_unit(
    minor_units: int, currency: str, shares: list[int]
) -> None:
    whole = Money(minor_units, currency)
    parts = whole.allocate(shares)
    assert sum(part.minor_units for part in parts) == minor_units
    for part, share in zip(parts, shares, strict=True):
        assert abs(part.minor_units * sum(shares) - minor_units * share) < sum(shares)


@given(small, small, currencies)
def test_what_is_added_can_be_taken_away_again(one: int, other: int, currency: str) -> None:
    assert Money(one, currency) + Money(other, currency) - Money(other, currency) == Money(one, currency)
    assert (Money(one, currency) < Money(other, currency)) == (one < other)


@given(st.integers(-LARGEST_BOOKING_MINOR_UNITS, LARGEST_BOOKING_MINOR_UNITS), currencies)
def test_a_printed_amount_reads_back(minor_units: int, currency: str) -> None:
    money = Money(minor_units, currency)
    assert Money.parse(str(money.to_decimal()), currency) == money
    assert -money.to_decimal().as_tuple().exponent == money.exponent  # type: ignore[operator]


@pytest.mark.parametrize(
    ("text", "currency", "minor_units"),
    [
        ("12.5", "USD", 1250),
        ("-0.01", "EUR", -1),
        ("7", "JPY", 7),
        ("1.234", "KWD", 1234),
        ("5.00", "JPY", 5),
    ],
)
def test_plain_decimals_are_read(text: str, currency: str, minor_units: int) -> None:
    assert Money.parse(text, currency) == Money(minor_units, currency)


@pytest.mark.parametrize(
    "text", ["", "-", ".", "1,5", "1e3", "NaN", "1.2.3", "١٢", "0.001", "--1", "10000000000.01"]
)
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        Money.parse(text, "USD")


def test_currencies_and_floats_do_not_mix() -> None:
    with pytest.raises(TypeError):
        Money(1, "USD") + Money(1, "EUR")
    with pytest.raises(TypeError):
        _ = Money(1, "USD") < Money(1, "EUR")
    for wrong in (1.0, True, Decimal(1)):
        with pytest.raises(TypeError):
            Money(wrong, "USD")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("minor_units", "currency"), [(LARGEST_MINOR_UNITS + 1, "USD"), (1, "XXY"), (1, "usd")]
)
def test_absurd_amounts_and_unknown_currencies_are_refused(minor_units: int, currency: str) -> None:
    with pytest.raises(ValueError):
        Money(minor_units, currency)


@pytest.mark.parametrize("shares", [[], [0], [1, -1]])
def test_shares_without_weight_are_refused(shares: list[int]) -> None:
    with pytest.raises(ValueError):
        Money(1, "USD").allocate(shares)


@pytest.mark.parametrize(
    ("money", "locale", "text"),
    [
        (Money(123450, "USD"), "en-US", "$1,234.50"),
        (Money(123450, "EUR"), "de", "1.234,50\xa0€"),
        (Money(1234, "JPY"), "ja_JP", "￥1,234"),
        (Money(1234500, "IQD"), "en", "IQD\xa01,234.500"),
        (Money(-5, "USD"), "en", "-$0.05"),
    ],
)
def test_amounts_are_written_as_their_readers_do(money: Money, locale: str, text: str) -> None:
    assert format_money(money, locale) == text


def test_every_locale_shows_every_digit() -> None:
    for locale in sorted(locale_identifiers())[::7]:
        for money in (Money(1234567, "USD"), Money(1234567, "KWD"), Money(1234567, "JPY")):
            shown = format_money(money, locale)
            digits = "".join(str(int(sign)) for sign in shown if sign.isdecimal())
            assert digits == "1234567", (locale, shown, Locale.parse(locale))

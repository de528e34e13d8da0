"""Numbers as people type them, in the portal and in the console alike."""

from collections.abc import Iterator
from decimal import Decimal

import pytest
from babel.localedata import locale_identifiers
from hypothesis import given
from hypothesis import strategies as st

from chassis.money import Money, format_money
from services.gateway.web.languages import NAMES, Language, language_of, money_text, quantity_text, speaking
from services.gateway.web.typed import amount_field, amount_words, number_field, plain_number, read_amount

CURRENCIES = ["JPY", "EUR", "USD", "KWD", "AED", "CHF"]


def language(tag: str) -> Language:
    found = language_of(tag)
    assert found is not None
    return found


def every_language() -> Iterator[Language]:
    for name in locale_identifiers():
        found = language_of(name.replace("_", "-"))
        if found is not None and "POSIX" not in name:
            yield found


LANGUAGES = list(every_language())
amounts = st.builds(
    Money,
    st.one_of(st.integers(0, 10**12), st.integers(0, 10**6).map(lambda thousands: thousands * 1000)),
    st.sampled_from(CURRENCIES),
)


@given(st.sampled_from(LANGUAGES), amounts)
def test_an_amount_is_read_back_as_it_is_shown(reader: Language, amount: Money) -> None:
    with speaking(reader):
        for shown in (format_money(amount, reader.tag), money_text(amount), amount_field(amount)):
            assert read_amount(shown, amount.currency) == amount, (reader.tag, shown)


@given(st.sampled_from(LANGUAGES), st.integers(0, 10**10))
def test_a_quantity_is_read_back_as_it_is_shown(reader: Language, units: int) -> None:
    quantity = Decimal(units).scaleb(-4)
    with speaking(reader):
        for shown in (quantity_text(quantity), number_field(f"{quantity:f}")):
            assert Decimal(plain_number(shown)) == quantity, (reader.tag, shown)


@given(
    st.sampled_from(LANGUAGES),
    st.sampled_from(CURRENCIES),
    st.from_regex(r"[0-9.,' ٫٬]{1,12}", fullmatch=True),
)
def test_a_separator_before_three_digits_never_turns_into_decimals_of_cents(
    reader: Language, currency: str, typed: str
) -> None:
    with speaking(reader):
        amount = read_amount(typed, currency)
    if amount is not None:
        digits = "".join(sign for sign in typed if sign.isdecimal())
        tail = typed.strip()[-4:-3]
        looks_grouped = tail in ".,' ٬" and typed.strip()[:1] not in "0.,'٫٬ " and tail
        if (
            looks_grouped
            and amount.exponent < 3
            and len(typed.strip()) <= 7
            and typed.strip()[-3:].isdecimal()
        ):
            assert amount.to_decimal() == int(digits)


def test_every_language_that_we_speak_is_tried() -> None:
    assert {one.code for one in LANGUAGES} == set(NAMES)


@pytest.mark.parametrize(
    "typed", ["12.50", "12,50", " 12.5 ", "١٢٫٥٠", "१२.५", "€12.50", "12,50 €", "EUR 12.50"]
)
@pytest.mark.parametrize("tag", ["en-US", "de-DE", "ar", "de-CH", "en-ZA"])
def test_an_amount_is_read_in_the_digits_and_signs_of_any_script(tag: str, typed: str) -> None:
    with speaking(language(tag)):
        assert read_amount(typed, "EUR") == Money(1_250, "EUR")


@pytest.mark.parametrize(
    ("tag", "typed"),
    [
        ("en-US", "1,000"), ("en-US", "1,000.00"), ("en-US", "$1,000"), ("en-US", "1 000"), ("en-US", "1000"),
        ("en-US", "1000,00"), ("en-IN", "1,000.00"), ("de-DE", "1.000"), ("de-DE", "1.000,00"),
        ("de-DE", "1000.00"), ("de-DE", "1\u00a0000,00\u00a0$"), ("de-AT", "1.000"), ("de-CH", "1’000.00"),
        ("de-CH", "1'000"), ("en-ZA", "1\u00a0000"), ("ar", "١٬٠٠٠"), ("ar", "١٬٠٠٠٫٠٠"), ("ar-MA", "1.000"),
        ("en-US", "USD 1,000.00"), ("en-CA", "US$1,000.00"),
    ],
)  # fmt: skip
def test_a_thousand_is_a_thousand(tag: str, typed: str) -> None:
    with speaking(language(tag)):
        assert read_amount(typed, "USD") == Money(100_000, "USD")


@pytest.mark.parametrize(
    ("tag", "typed"),
    [
        ("en-US", "1.000"), ("en-US", "1.000,00"), ("de-DE", "1,000"), ("de-DE", "1,000.00"), ("ar", "1.000"),
        ("ar", "١٫٠٠٠"), ("en-US", "1,00,000"), ("en-US", "1,000,00"), ("en-US", "1 2.50"), ("de-DE", "1.00.000"),
        ("en-US", "1,000.000"), ("en-ZA", "1.000"), ("de-CH", "1.000"),
    ],
)  # fmt: skip
def test_what_may_be_meant_otherwise_is_no_amount(tag: str, typed: str) -> None:
    with speaking(language(tag)):
        assert read_amount(typed, "USD") is None


@pytest.mark.parametrize(
    "typed", ["", " ", "a lot", "-1", "1.2.3", "12.505", "1e3", "²", ".", ",", "1,", "¥5"]
)
def test_what_is_no_number_is_no_amount(typed: str) -> None:
    assert read_amount(typed, "EUR") is None


@pytest.mark.parametrize(
    ("tag", "typed", "words"),
    [
        ("en-US", "1.000", "Please write 1000.00 ($1,000.00) or 1.00 ($1.00)."),
        ("en-US", "1.000,00", "Please write 1000.00 ($1,000.00) if that is what you mean."),
        ("en-US", "1.005", "Please write 1005.00 ($1,005.00) if that is what you mean."),
        ("en-US", "a lot", "Please write an amount like 1250.00."),
    ],
)
def test_a_refusal_says_how_the_amount_is_written(tag: str, typed: str, words: str) -> None:
    with speaking(language(tag)):
        assert amount_words(typed, "USD").endswith(words)


def test_decimals_of_the_currency_decide_where_the_language_leaves_it_open() -> None:
    with speaking(language("en-US")):
        assert read_amount("1.000", "KWD") == Money(1_000, "KWD")
        assert read_amount("1,000", "KWD") == Money(1_000_000, "KWD")
    with speaking(language("de-DE")):
        assert read_amount("1.000", "KWD") == Money(1_000_000, "KWD")
        assert read_amount("1,000", "KWD") == Money(1_000, "KWD")


def test_a_number_is_written_with_a_point() -> None:
    assert plain_number("٢٫٥") == "2.5"
    assert plain_number("2,5") == "2.5"
    assert plain_number("1,000") == "1000"


def test_a_rate_with_three_decimals_stays_what_it_is_on_a_german_page() -> None:
    with speaking(language("de-DE")):
        assert number_field("8.875") == "8,875"
        assert plain_number(number_field("8.875")) == "8.875"

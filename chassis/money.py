"""Money as whole minor units of one ISO 4217 currency: no float, no rounding, no mixed currencies."""

import copy
import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from typing import Self

from babel import Locale
from babel.numbers import NumberPattern, get_currency_symbol
from iso4217 import Currency

LARGEST_MINOR_UNITS = 2**63 - 1
"""What the wire and the database can hold: sums may be that large."""
LARGEST_BOOKING_MINOR_UNITS = 10**12
"""What a single invoice or payment may come to, so that a million of them can be added up."""

_EXPONENTS: dict[str, int] = {
    currency.code: currency.exponent for currency in Currency if currency.exponent is not None
}


@dataclass(frozen=True, slots=True)
class Money:
    """An amount in minor units (cents, yen, fils). The exponent comes from ISO 4217, never from a locale.

    Raises TypeError for anything but whole minor units and for mixed currencies,
    ValueError for an unknown currency or an amount beyond 64 bits.
    """

    minor_units: int
    currency: str

    def __post_init__(self) -> None:
        if type(self.minor_units) is not int:
            raise TypeError(f"minor units must be int, not {type(self.minor_units).__name__}")
        if self.currency not in _EXPONENTS:
            raise ValueError(f"unknown currency {self.currency!r}")
        if not -LARGEST_MINOR_UNITS <= self.minor_units <= LARGEST_MINOR_UNITS:
            raise ValueError(f"amount beyond {LARGEST_MINOR_UNITS} minor units")

    @classmethod
    def zero(cls, currency: str) -> Self:
        """Nothing, in that currency: the start of every sum."""
        return cls(0, currency)

    @classmethod
    def parse(cls, text: str, currency: str) -> Self:
        """Read a plain decimal such as "12.50" that somebody wrote for one booking.

        ValueError if it has more digits than the currency, or is beyond what a booking may come to.
        """
        plain = text.strip()
        digits = plain.removeprefix("-").replace(".", "", 1)
        if not (digits.isascii() and digits.isdigit()):
            raise ValueError(f"{text!r} is not a decimal amount")
        exponent = exponent_of(currency)
        whole, _, fraction = plain.removeprefix("-").partition(".")
        if len(fraction.rstrip("0")) > exponent:
            raise ValueError(f"{currency} has {exponent} decimal digits, {text!r} has more")
        units = int((whole or "0") + fraction[:exponent].ljust(exponent, "0"))
        if units > LARGEST_BOOKING_MINOR_UNITS:
            raise ValueError(f"amount beyond {LARGEST_BOOKING_MINOR_UNITS} minor units")
        return cls(-units if plain.startswith("-") else units, currency)

    @property
    def exponent(self) -> int:
        """Decimal digits of the currency: 0 for JPY, 2 for EUR, 3 for KWD."""
        return _EXPONENTS[self.currency]

    @property
    def is_zero(self) -> bool:
        return self.minor_units == 0

    @property
    def is_negative(self) -> bool:
        return self.minor_units < 0

    def to_decimal(self) -> Decimal:
        """The amount in major units with exactly the currency's digits."""
        return Decimal(self.minor_units).scaleb(-self.exponent)

    def __add__(self, other: Self) -> Self:
        return self._with(self.minor_units + self._same(other))

    def __sub__(self, other: Self) -> Self:
        return self._with(self.minor_units - self._same(other))

    def __neg__(self) -> Self:
        return self._with(-self.minor_units)

    def __abs__(self) -> Self:
        return self._with(abs(self.minor_units))

    def __lt__(self, other: Self) -> bool:
        return self.minor_units < self._same(other)

    def __le__(self, other: Self) -> bool:
        return self.minor_units <= self._same(other)

    def __gt__(self, other: Self) -> bool:
        return self.minor_units > self._same(other)

    def __ge__(self, other: Self) -> bool:
        return self.minor_units >= self._same(other)

    def __str__(self) -> str:
        return f"{self.to_decimal()} {self.currency}"

    def allocate(self, weights: Sequence[int]) -> list[Self]:
        """Split by weights with the largest remainder method: the parts always add up to the whole.

        Ties go to the earlier weight. ValueError if no weight is positive or one is negative.
        """
        total = sum(weights)
        if total <= 0 or any(weight < 0 for weight in weights):
            raise ValueError("weights must not be negative and one must be positive")
        sign = -1 if self.is_negative else 1
        magnitude = abs(self.minor_units)
        parts = [magnitude * weight // total for weight in weights]
        remainders = [magnitude * weight % total for weight in weights]
        by_remainder = sorted(range(len(weights)), key=lambda index: -remainders[index])
        for index in by_remainder[: magnitude - sum(parts)]:
            parts[index] += 1
        return [self._with(sign * part) for part in parts]

    def _same(self, other: Self) -> int:
        if not isinstance(other, Money):
            raise TypeError(f"cannot combine Money with {type(other).__name__}")
        if other.currency != self.currency:
            raise TypeError(f"cannot combine {self.currency} with {other.currency}")
        return other.minor_units

    def _with(self, minor_units: int) -> Self:
        return type(self)(minor_units, self.currency)


def exponent_of(currency: str) -> int:
    """Decimal digits of a currency; ValueError if ISO 4217 does not know it."""
    try:
        return _EXPONENTS[currency]
    except KeyError:
        raise ValueError(f"unknown currency {currency!r}") from None


def format_money(money: Money, locale: str) -> str:
    """The amount as a reader of that locale writes it ("de-DE": "12,50 €"), with the currency's own digits.

    The digits come from ISO 4217 and not from CLDR, which drops the fils of IQD.
    """
    pattern = _pattern(locale, money.exponent, _symbol_ends_in_letter(money.currency, locale))
    text: str = pattern.apply(
        money.to_decimal(), _locale(locale), currency=money.currency, currency_digits=False
    )
    return text


def _symbol_ends_in_letter(currency: str, locale: str) -> bool:
    return get_currency_symbol(currency, _locale(locale))[-1:].isalpha()


@cache
def _locale(locale: str) -> Locale:
    return Locale.parse(locale.replace("-", "_"))


@cache
def _pattern(locale: str, exponent: int, symbol_ends_in_letter: bool) -> NumberPattern:
    pattern: NumberPattern = copy.copy(_locale(locale).currency_formats["standard"])
    pattern.frac_prec = (exponent, exponent)
    if symbol_ends_in_letter:  # "IQD 5" but "$5"
        positive, negative = pattern.prefix
        pattern.prefix = (_spaced(positive), _spaced(negative))
    return pattern


def _spaced(prefix: str) -> str:
    return re.sub("¤$", "¤\N{NO-BREAK SPACE}", prefix)

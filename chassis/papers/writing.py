"""What papers say, in the reader's language and, where law wants it, in another one too.

A service keeps its words in files, one for each language, all with the same keys.
"""

import tomllib
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from functools import cache
from pathlib import Path

from babel import Locale, UnknownLocaleError
from babel.dates import format_date
from babel.numbers import format_decimal
from babel.units import format_unit

from chassis.money import Money, format_money

DEFAULT_LOCALE = "en-US"
RIGHT_TO_LEFT = frozenset({"ar"})
_LEFT_TO_RIGHT, _END = "\u2066", "\u2069"
Words = list[str]
"""A text in the reader's language, and in the second one where there is one."""


@cache
def languages(folder: Path) -> frozenset[str]:
    """The languages that a service has words for."""
    return frozenset(path.stem for path in folder.glob("*.toml"))


@cache
def catalogue(folder: Path, language: str) -> Mapping[str, str]:
    """All texts of a language by their keys."""
    found: Mapping[str, str] = tomllib.loads((folder / f"{language}.toml").read_text())
    return found


class Writer:
    """Writes words, amounts, numbers and days as a reader expects them.

    It takes the first of the wanted locales that `folder` has words for, else English.
    """

    def __init__(self, folder: Path, *wanted: str, legal_language: str = "") -> None:
        self._folder = folder
        self._tag = next((tag for tag in wanted if tag and _is_known(tag, folder)), DEFAULT_LOCALE)
        self._locale = _parse(self._tag)
        self.language: str = self._locale.language
        self.second_language = legal_language if legal_language != self.language else ""
        self._languages = (self.language, self.second_language) if self.second_language else (self.language,)

    @property
    def is_right_to_left(self) -> bool:
        return self.language in RIGHT_TO_LEFT

    def words(self) -> dict[str, Words]:
        """All texts, with the places for values still in them."""
        return {key: self.say(key) for key in catalogue(self._folder, self.language)}

    def say(self, key: str, **values: str) -> Words:
        """A text with its values put in."""
        return [_filled(catalogue(self._folder, language)[key], values) for language in self._languages]

    def word(self, key: str, **values: str) -> str:
        """The same, only in the reader's language."""
        return self.say(key, **values)[0]

    def money(self, money: Money) -> str:
        return format_money(money, self._tag)

    def number(self, number: Decimal) -> str:
        text: str = format_decimal(number.normalize(), locale=self._locale, decimal_quantization=False)
        return text

    def percent(self, number: Decimal) -> str:
        """Kept together and in its order where a language goes the other way."""
        text = f"{self.number(number)} %"
        return f"{_LEFT_TO_RIGHT}{text}{_END}" if self.is_right_to_left else text

    def day(self, day: date) -> str:
        return format_date(day, format="long", locale=self._locale)

    def short_day(self, day: date) -> str:
        """For tables."""
        return format_date(day, format="medium", locale=self._locale)

    def days(self, count: int) -> str:
        """So many days, in words."""
        return str(format_unit(count, "duration-day", locale=self._locale))

    def period(self, start: date | None, end: date | None) -> str:
        """From day to day; empty without both."""
        if start is None or end is None:
            return ""
        return f"{self.short_day(start)} – {self.short_day(end)}"

    def country(self, code: str) -> str:
        return str(self._locale.territories.get(code, code))


def _filled(text: str, values: Mapping[str, str]) -> str:
    """Only whole names in braces are replaced: what people wrote may hold braces. One full stop ends a sentence."""
    for name, value in values.items():
        text = text.replace("{" + name + "}.", value.removesuffix(".") + ".")
        text = text.replace("{" + name + "}", value)
    return text


def _parse(tag: str) -> Locale:
    return Locale.parse(tag.replace("-", "_"))


def _is_known(tag: str, folder: Path) -> bool:
    try:
        return _parse(tag).language in languages(folder)
    except (ValueError, UnknownLocaleError):
        return False

"""Which language a page speaks, and how it writes words, money and dates.

Catalogues are read from the .po files when the process starts; there is no build step.
"""

import gettext as gettext_module
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from io import BytesIO
from pathlib import Path
from typing import Literal
from zoneinfo import ZoneInfo

from babel import Locale, UnknownLocaleError
from babel.core import negotiate_locale
from babel.dates import format_date, format_time, format_timedelta, get_datetime_format
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.numbers import format_decimal

from chassis.money import Money, format_money

Style = Literal["full", "long", "medium", "short"]
SOURCE_LANGUAGE = "en"
NAMES = {"en": "English", "de": "Deutsch", "ar": "العربية"}
"""Languages we have words for, each named in itself."""
_LOCALE_FOLDER = Path(__file__).parent / "locale"
_MAX_HEADER_CHARACTERS = 200
_ISOLATE, _END_OF_ISOLATE, _RIGHT_TO_LEFT_MARK = "\u2066", "\u2069", "\u200f"


@dataclass(frozen=True, slots=True)
class Language:
    """A reader's language: `tag` (de-AT) decides formats, `code` (de) decides words."""

    tag: str
    code: str
    catalogue: gettext_module.NullTranslations = field(compare=False)

    @property
    def locale(self) -> Locale:
        return _locale_of(self.tag)

    @property
    def direction(self) -> str:
        """`ltr` or `rtl`, for the html element."""
        return self.locale.text_direction


@lru_cache(maxsize=500)
def _locale_of(tag: str) -> Locale:
    return Locale.parse(tag.replace("-", "_"))


# A page has dozens of days and amounts, most of them again on the next page; formatting them is half its cost.
@lru_cache(maxsize=20_000)
def _money_in(money: Money, tag: str) -> str:
    return format_money(money, tag)


@lru_cache(maxsize=20_000)
def _date_in(day: date, style: Style, tag: str) -> str:
    return format_date(day, style, locale=_locale_of(tag))


def _load(code: str) -> gettext_module.NullTranslations:
    """Every .po file of the language; the portal and the console have one each."""
    found = gettext_module.NullTranslations()
    for source in sorted((_LOCALE_FOLDER / code / "LC_MESSAGES").glob("*.po"), reverse=True):
        compiled = BytesIO()
        with source.open("rb") as file:
            write_mo(compiled, read_po(file, locale=code))
        compiled.seek(0)
        catalogue = gettext_module.GNUTranslations(compiled)
        catalogue.add_fallback(found)
        found = catalogue
    return found


_CATALOGUES = {code: _load(code) for code in NAMES}


def language_of(tag: str | None) -> Language | None:
    """The language for a BCP 47 tag; None when the tag is not one or we have no words for it."""
    if not tag or len(tag) > 35:
        return None
    try:
        locale = Locale.parse(tag.replace("-", "_"))
    except (ValueError, UnknownLocaleError):
        return None
    if locale.language not in NAMES:
        return None
    return Language(str(locale).replace("_", "-"), locale.language, _CATALOGUES[locale.language])


ENGLISH = Language("en-US", SOURCE_LANGUAGE, _CATALOGUES[SOURCE_LANGUAGE])


def choose(*, chosen: str | None, person: str | None, accepted: str, organization: str | None) -> Language:
    """What the reader picked wins, then their profile, their browser, and the organization's language."""
    for tag in (chosen, person):
        if (language := language_of(tag)) is not None:
            return language
    return from_header(accepted) or language_of(organization) or ENGLISH


def from_header(accepted: str) -> Language | None:
    """The best language of an Accept-Language header that we speak."""
    wanted: list[tuple[float, str]] = []
    for position, entry in enumerate(accepted[:_MAX_HEADER_CHARACTERS].split(",")):
        tag, _, weight = entry.strip().partition(";q=")
        try:
            quality = float(weight) if weight else 1.0
        except ValueError:
            continue
        if quality > 0:
            wanted.append((-quality + position / 1000, tag))
    for _, tag in sorted(wanted):
        if (language := language_of(tag)) is not None:
            return language
        if (base := negotiate_locale([tag], list(NAMES), sep="-")) is not None:
            return language_of(base)
    return None


_current: ContextVar[Language] = ContextVar("tallyport_language", default=ENGLISH)


def current() -> Language:
    """The language of the request being answered."""
    return _current.get()


def use(language: Language) -> None:
    """Sets the language for the rest of this task."""
    _current.set(language)


@contextmanager
def speaking(language: Language) -> Iterator[None]:
    """Speaks a language for a block."""
    token = _current.set(language)
    try:
        yield
    finally:
        _current.reset(token)


def gettext(message: str) -> str:
    """The message in the reader's language."""
    return current().catalogue.gettext(message)


def ngettext(singular: str, plural: str, count: int) -> str:
    """The form that fits the count in the reader's language."""
    return current().catalogue.ngettext(singular, plural, count)


def pgettext(context: str, message: str) -> str:
    """The message where one English word has two meanings."""
    return current().catalogue.pgettext(context, message)


def npgettext(context: str, singular: str, plural: str, count: int) -> str:
    """`ngettext` with a context."""
    return current().catalogue.npgettext(context, singular, plural, count)


def marked(message: str) -> str:
    """Marks a text for the catalogues that is translated later, where it is shown."""
    return message


def money_text(money: Money) -> str:
    """12,50 € or $12.50, as the reader writes it; kept together where the text runs the other way."""
    language = current()
    text = _money_in(money, language.tag)
    if language.direction == "rtl":
        return f"{_ISOLATE}{text.replace(_RIGHT_TO_LEFT_MARK, '')}{_END_OF_ISOLATE}"
    return text


def quantity_text(quantity: Decimal) -> str:
    """2.5 or 2,5 as the reader writes it, with no more digits than it has."""
    return format_decimal(quantity.normalize(), "#,##0.####", locale=_locale_of(current().tag))


def date_text(value: date | str | None, style: Style = "medium") -> str:
    """A day; ISO 8601 text as in the contracts is understood, nothing becomes a dash."""
    if not value:
        return "–"
    day = date.fromisoformat(value) if isinstance(value, str) else value
    return _date_in(day, style, current().tag)


def instant_text(value: datetime | None, zone: str = "UTC", style: Style = "medium") -> str:
    """A moment in the organization's time zone, to the minute."""
    if value is None:
        return "–"
    locale, local = current().locale, value.astimezone(ZoneInfo(zone))
    joined = str(get_datetime_format(style, locale=locale))
    return joined.format(format_time(local, "short", locale=locale), format_date(local, style, locale=locale))


def ago_text(value: datetime, now: datetime) -> str:
    """ "3 minutes ago"."""
    return format_timedelta(value - now, add_direction=True, locale=current().locale)


def list_text(words: Sequence[str]) -> str:
    """ "a, b and c"."""
    from babel.lists import format_list

    return format_list(list(words), locale=current().locale)

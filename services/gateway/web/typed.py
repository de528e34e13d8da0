"""What people type into forms of the portal and of the console alike, and amounts on their way into a call.

Numbers are read as the reader's language writes them: 1,000 is a thousand on an American page and no amount on a
German one. What may be meant otherwise is refused; `amount_words` says how to write it. Forms show numbers by
`amount_field` and `number_field`, so that what they show is what they read back.
"""

import re
import unicodedata
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import date
from functools import lru_cache

from babel import Locale
from babel.numbers import get_currency_symbol

from chassis.money import Money, exponent_of
from services.gateway.web.languages import current, money_text
from services.gateway.web.languages import gettext as _
from tallyport.common.v1.money_pb2 import Money as MoneyMessage

_MARKS = dict.fromkeys(map(ord, "\u061c\u200b\u200e\u200f\u202a\u202b\u202c\u2066\u2067\u2068\u2069"))
"""Signs that only order text that runs both ways."""
_GROUPS_ANYWHERE, _DECIMAL_ANYWHERE = " '\N{ARABIC THOUSANDS SEPARATOR}", "\N{ARABIC DECIMAL SEPARATOR}"
_SEPARATOR = re.compile(rf"([.,{_GROUPS_ANYWHERE}{_DECIMAL_ANYWHERE}])")
_FIRST_GROUP = re.compile(r"[1-9]\d{0,2}")
_GROUP_DIGITS = 3


@dataclass(frozen=True, slots=True)
class _Signs:
    """How a language writes numbers in our digits."""

    decimal: str
    groups: str
    middle_group_digits: int


@lru_cache(maxsize=500)
def _signs(tag: str) -> _Signs:
    locale = Locale.parse(tag.replace("-", "_"))
    latin = locale.number_symbols["latn"]
    groups = "".join(_plain(str(latin[name])) for name in ("group", "currencyGroup") if name in latin)
    return _Signs(str(latin["decimal"]), groups + _GROUPS_ANYWHERE, locale.decimal_formats[None].grouping[1])


def read_day(text: str) -> date | None:
    """ISO 8601, as date fields send it."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def plain_number(text: str) -> str:
    """12.50 for what the reader's language writes 12,50 or ١٢٫٥٠. What is no number is handed back as it came."""
    return _read(_plain(text), most_decimals=None) or text


def read_amount(text: str, currency: str) -> Money | None:
    """An amount as typed; None for anything else, for less than nothing and for what may be meant otherwise."""
    try:
        number = _read(_without_sign(_plain(text), currency), most_decimals=exponent_of(currency))
        amount = Money.parse(number, currency)
    except ValueError:
        return None
    return None if amount.is_negative else amount


def amount_words(text: str, currency: str) -> str:
    """What to say about something that is no amount: how to write what may have been meant."""
    meant = _readings(_without_sign(_plain(text), currency), currency) if currency else []
    if not meant:
        example = _example(currency)
        return _("Please write an amount like %(example)s.") % {"example": example}
    words = [f"{amount_field(one)} ({money_text(one)})" for one in meant]
    if len(words) == 1:
        return _("Please write %(amount)s if that is what you mean.") % {"amount": words[0]}
    either = {"one": words[0], "other": words[1]}
    return _("This can be read in two ways. Please write %(one)s or %(other)s.") % either


def _example(currency: str) -> str:
    try:
        return amount_field(Money(1_250 * 10 ** exponent_of(currency), currency))
    except ValueError:
        return _example("USD")


def amount_field(money: Money | MoneyMessage) -> str:
    """An amount as a form field shows it: 1250.00 or 1250,00, to be read back by `read_amount`."""
    amount = Money(money.minor_units, money.currency)
    return number_field(str(amount.to_decimal()))


def number_field(text: str) -> str:
    """A plain number as a form field shows it, digit by digit: 2,50 for 2.50. Other text stays."""
    is_number = re.fullmatch(r"-?\d+\.\d+", text)
    return text.replace(".", _signs(current().tag).decimal) if is_number else text


def to_message(money: Money) -> MoneyMessage:
    """Ours as the contract's."""
    return MoneyMessage(minor_units=money.minor_units, currency=money.currency)


def _plain(text: str) -> str:
    """In our digits, with one kind of space and one kind of apostrophe."""
    signs = (
        str(unicodedata.decimal(sign)) if sign.isdecimal() else " " if sign.isspace() else sign
        for sign in text.translate(_MARKS)
    )
    return "".join(signs).replace("’", "'").strip()


def _without_sign(text: str, currency: str) -> str:
    """Without the currency's sign or code at either end."""
    locale = current().locale
    for name in (get_currency_symbol(currency, locale), get_currency_symbol(currency, "en_US"), currency):
        sign = _plain(name)
        text = text.removeprefix(sign).removesuffix(sign).strip()
    return text


def _read(text: str, *, most_decimals: int | None) -> str:
    """The number with a point and without groups; empty where it is none or may be meant otherwise."""
    negative, number = text.startswith("-"), text.removeprefix("-")
    pieces = _SEPARATOR.split(number)
    parts, separators = pieces[::2], pieces[1::2]
    if (not number.isascii() and not separators) or not all(part.isdecimal() for part in parts[1:] or parts):
        return ""
    found = _of_pieces(parts, separators, most_decimals)
    return f"-{found}" if negative and found else found


def _of_pieces(parts: Sequence[str], separators: Sequence[str], most_decimals: int | None) -> str:
    signs = _signs(current().tag)
    if not separators:
        return parts[0]
    *before, last = separators
    whole, fraction = parts[:-1], parts[-1]
    if last in (signs.decimal, _DECIMAL_ANYWHERE):
        looks_grouped = len(fraction) == _GROUP_DIGITS and (
            bool(before) or _FIRST_GROUP.fullmatch(whole[0]) is not None
        )
        if looks_grouped and most_decimals is not None and most_decimals < _GROUP_DIGITS:
            return ""
        digits = _grouped(whole, before, signs) if before else whole[0] or "0"
        return f"{digits}.{fraction}" if digits else ""
    if last in signs.groups and (digits := _grouped(parts, separators, signs)):
        return digits
    if before or last not in ".," or _grouped(parts, separators, replace(signs, groups=last)):
        return ""
    # Another language's decimal sign, where it cannot be a group: 12,50 on an American page.
    return f"{whole[0] or '0'}.{fraction}"


def _grouped(parts: Sequence[str], separators: Sequence[str], signs: _Signs) -> str:
    """The digits of a number in groups; empty where these are no groups."""
    first, *middle, last = parts
    fits = (
        len(set(separators)) == 1
        and separators[0] in signs.groups
        and _FIRST_GROUP.fullmatch(first) is not None
        and len(last) == _GROUP_DIGITS
        and {len(part) for part in middle} in (set(), {_GROUP_DIGITS}, {signs.middle_group_digits})
    )
    return "".join(parts) if fits else ""


def _readings(text: str, currency: str) -> list[Money]:
    """What a refused text may mean: its last separator groups, or it begins the decimals."""
    pieces = _SEPARATOR.split(text)
    parts, separators = pieces[::2], pieces[1::2]
    if not separators or not all(part.isdecimal() for part in parts):
        return []
    texts = ["".join(parts[:-1]) + "." + parts[-1]]
    if len(set(separators)) == 1:
        texts.insert(0, "".join(parts))
    found = []
    for one in texts if len(separators) == 1 or len(texts) == 1 else texts[:1]:
        with suppress(ValueError):
            found.append(Money.parse(one, currency))
    return found

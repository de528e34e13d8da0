"""How a CSV file writes dates and amounts: found from all of its values, refused where it can be read in two ways."""

import re
from collections.abc import Iterable
from datetime import date, datetime

from services.payments.formats.source import day, shown, unreadable

DATE_FORMATS = (
    "%Y-%m-%d", "%Y/%m/%d", "%Y.%m.%d", "%Y%m%d",
    "%d.%m.%Y", "%d.%m.%y", "%d-%m-%Y", "%d-%m-%y", "%d/%m/%Y", "%d/%m/%y",
    "%m/%d/%Y", "%m/%d/%y", "%m-%d-%Y",
    "%d %b %Y", "%d-%b-%Y", "%d-%b-%y", "%d %B %Y", "%b %d, %Y", "%B %d, %Y", "%d/%b/%Y",
)  # fmt: skip
_TIME_BEHIND = re.compile(r"^(\S{8,10}|\d{1,2} \w+ \d{4})[T ]\d{1,2}:\d{2}.*$")
_ORDINARY = re.compile(r"[+-]?\d+(?:\.\d*)?|[+-]?\.\d+")
_CURRENCY_SIGNS = re.compile(r"^(?:[A-Z]{3}|[$€£¥]|CHF|kr)\s*|\s*(?:[A-Z]{3}|[$€£¥]|kr)$")


def find_date_format(texts: Iterable[str]) -> str | None:
    """The one format in which all dates can be read; None if there are none, or two that disagree (03/04)."""
    days = list(dict.fromkeys(_date_part(text) for text in texts if text.strip()))[:5_000]
    fitting = [name for name in DATE_FORMATS if days and all(_parsed(text, name) for text in days)]
    readings = {tuple(_parsed(text, name) for text in days): name for name in reversed(fitting)}
    return next(iter(readings.values())) if len(readings) == 1 else None


def read_date(text: str, date_format: str, line_number: int) -> date:
    """A date in that format, with or without a time behind it."""
    found = _parsed(text.strip(), date_format) or _parsed(_date_part(text), date_format)
    if found is None:
        why = f"{shown(text)} is not a date like {shown(date_format)}."
        raise unreadable(line_number, "bad_date", why)
    return day(found.year, found.month, found.day, line_number)


def find_decimal_sign(texts: Iterable[str]) -> str | None:
    """Point or comma; None if the amounts can be read both ways (1.234)."""
    votes = set()
    doubtful = False
    for text in texts:
        signs = re.findall(r"[.,]", text)
        if not signs:
            continue
        last = max(text.rfind("."), text.rfind(","))
        digits = len(re.sub(r"\D", "", text[last:]))
        if len(set(signs)) == 2 or (len(signs) == 1 and digits != 3):
            votes.add(text[last])
        elif len(signs) > 1:
            votes.add("." if text[last] == "," else ",")
        else:
            doubtful = True
    if len(votes) == 1:
        return votes.pop()
    return None if doubtful or votes else "."


def plain_amount(text: str, decimal_sign: str, line_number: int) -> str:
    """A decimal with a point. Groups of thousands, currency signs, brackets and signs behind are understood."""
    value = text.strip().replace("\N{MINUS SIGN}", "-").replace("\N{EN DASH}", "-")
    value = _CURRENCY_SIGNS.sub("", _CURRENCY_SIGNS.sub("", value, count=1)).strip()
    negative = value.startswith("(") and value.endswith(")")
    value = value.strip("()").strip()
    for suffix, sign in (("CR", ""), ("DR", "-"), ("-", "-"), ("+", "")):
        if value.upper().endswith(suffix) and value[: -len(suffix)].strip():
            value = sign + value[: -len(suffix)].strip().lstrip("+")
            break
    value = re.sub(r"(?<=[+-])\s*[$€£¥]?\s*", "", re.sub(r"[\s'\N{RIGHT SINGLE QUOTATION MARK}]", "", value))
    group_sign = "." if decimal_sign == "," else ","
    if -1 < value.find(decimal_sign) < value.rfind(group_sign):
        why = (
            f"{shown(text)} has a {group_sign} behind the decimal sign, which is {decimal_sign} in this file."
        )
        raise unreadable(line_number, "bad_amount", why)
    value = value.replace(".", "").replace(",", ".") if decimal_sign == "," else value.replace(",", "")
    if not _ORDINARY.fullmatch(value) or len(value) > 30:
        raise unreadable(line_number, "bad_amount", f"{shown(text)} is not an amount.")
    if negative:
        value = "-" + value.lstrip("+-")
    return value


def _date_part(text: str) -> str:
    plain = text.strip()[:40]
    match = _TIME_BEHIND.match(plain)
    return match[1] if match else plain


def _parsed(text: str, date_format: str) -> date | None:
    if date_format == "%Y%m%d" and len(text) != 8:
        return None
    try:
        return datetime.strptime(text, date_format).date()  # noqa: DTZ007  a day has no zone
    except (ValueError, TypeError, re.error):
        return None

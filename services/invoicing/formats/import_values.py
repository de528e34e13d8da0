"""Dates and amounts as files write them, found from all of them; what can be read in two ways is not guessed."""

import re
from collections.abc import Iterable, Mapping
from datetime import date

from services.invoicing.domain.invoice_import import DateOrder, DecimalSign

MOST_LOOKED_AT = 5_000
_ISO = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})(?:[T ]\d{1,2}:\d{2}.{0,20})?")
_DATE = re.compile(r"(\d{1,4})[-/.]\s?(\d{1,2})[-/.]\s?(\d{1,4})")
_PLACES: Mapping[DateOrder, tuple[int, int, int]] = {
    DateOrder.YEAR_MONTH_DAY: (0, 1, 2),
    DateOrder.DAY_MONTH_YEAR: (2, 1, 0),
    DateOrder.MONTH_DAY_YEAR: (2, 0, 1),
}
_SIGNS = re.compile(r"^(?:[A-Z]{3}|[$€£¥])\s*|\s*(?:[A-Z]{3}|[$€£¥])$")
_POINT = re.compile(r"-?(?:\d+|\d{1,3}(?:[ ',’]\d{3})+)(?:\.\d+)?")
_COMMA = re.compile(r"-?(?:\d+|\d{1,3}(?:[ '.’]\d{3})+)(?:,\d+)?")


def find_date_order(texts: Iterable[str]) -> DateOrder | None:
    """The one order in which all dates are days; None if several are (03/04), or none. ISO dates fit any."""
    days = {text for text in texts if text and not _ISO.fullmatch(text)}
    looked_at = list(days)[:MOST_LOOKED_AT]
    if not looked_at:
        return DateOrder.YEAR_MONTH_DAY
    votes = {order: sum(1 for text in looked_at if _day(text, order)) for order in DateOrder}
    best = max(votes.values())
    fitting = [order for order, count in votes.items() if count == best and count]
    if len(fitting) > 1 and all("." in text for text in looked_at):
        return DateOrder.DAY_MONTH_YEAR if DateOrder.DAY_MONTH_YEAR in fitting else None
    return fitting[0] if len(fitting) == 1 else None


def read_date(text: str, order: DateOrder | None) -> date:
    """A day. ValueError for what is none, and for what can be read in two ways."""
    if iso := _ISO.fullmatch(text):
        return date(int(iso[1]), int(iso[2]), int(iso[3]))
    found = _day(text, order) if order else None
    if found is None:
        raise ValueError("not a date in this order")
    return found


def find_decimal_sign(texts: Iterable[str]) -> DecimalSign | None:
    """Point or comma; None if the amounts can be read both ways (1.234), or speak for both."""
    votes: set[str] = set()
    doubtful = False
    for text in texts:
        last = max(text.rfind("."), text.rfind(","))
        if last < 0:
            continue
        signs = re.findall(r"[.,]", text)
        if len(set(signs)) == 2 or (len(signs) == 1 and len(re.sub(r"\D", "", text[last:])) != 3):
            votes.add(text[last])
        elif len(signs) > 1:
            votes.add("." if text[last] == "," else ",")
        else:
            doubtful = True
    if len(votes) == 1:
        return DecimalSign(votes.pop())
    return None if doubtful or votes else DecimalSign.POINT


def plain_amount(text: str, sign: DecimalSign | None) -> str:
    """A decimal with a point, without signs of currencies and groups. ValueError for what is no amount."""
    value = text.strip().replace("\N{MINUS SIGN}", "-").replace("\N{NO-BREAK SPACE}", " ")
    value = value.replace("\N{NARROW NO-BREAK SPACE}", " ")
    value = _SIGNS.sub("", _SIGNS.sub("", value, count=1), count=1).strip()
    if len(value) > 30 or (not value.isascii() and "’" not in value):
        raise ValueError("not an amount")
    if sign is None and re.search(r"[.,]", value):
        raise ValueError("an amount that can be read in two ways")
    if sign is DecimalSign.COMMA and _COMMA.fullmatch(value):
        return re.sub(r"[ '.’]", "", value).replace(",", ".")
    if sign is not DecimalSign.COMMA and _POINT.fullmatch(value):
        return re.sub(r"[ ',’]", "", value)
    raise ValueError("not an amount")


def _day(text: str, order: DateOrder) -> date | None:
    match = _DATE.fullmatch(text)
    if match is None:
        return None
    year, month, day = (match.groups()[at] for at in _PLACES[order])
    if len(year) not in (2, 4) or (len(year) == 2 and order is DateOrder.YEAR_MONTH_DAY):
        return None
    try:
        return date(int(year) + (2000 if len(year) == 2 else 0), int(month), int(day))
    except ValueError:
        return None

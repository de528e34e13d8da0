"""Amounts, days, numbers and texts between messages and domain; whatever is wrong names its field."""

from collections.abc import Iterable
from datetime import date, datetime
from decimal import Decimal
from functools import cache

from babel import Locale, UnknownLocaleError
from google.protobuf.timestamp_pb2 import Timestamp

from chassis.errors import invalid
from chassis.money import Money
from tallyport.common.v1 import money_pb2

_NO_COUNTRIES = frozenset({"EU", "EZ", "QO", "UN", "XA", "XB", "ZZ"})
"""Codes that stand for more than one country, or for none."""
_ALLOWED_CONTROLS = frozenset("\t\n\r")


def to_proto_money(money: Money) -> money_pb2.Money:
    return money_pb2.Money(minor_units=money.minor_units, currency=money.currency)


def from_proto_money(field: str, message: money_pb2.Money) -> Money:
    """VALIDATION_FAILED for a currency that ISO 4217 does not know."""
    try:
        return Money(message.minor_units, message.currency)
    except ValueError as error:
        raise invalid(field, "money", f"This is not an amount of money: {error}.") from None


def to_proto_time(at: datetime | None) -> Timestamp | None:
    if at is None:
        return None
    stamp = Timestamp()
    stamp.FromDatetime(at)
    return stamp


def from_proto_day(field: str, text: str) -> date | None:
    """A day in ISO 8601, None when empty; VALIDATION_FAILED for a day that no calendar has."""
    if not text:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise invalid(field, "date", "There is no such day.") from None


def from_proto_decimal(text: str, default: str) -> Decimal:
    """A decimal number whose form the contract has checked."""
    return Decimal(text or default)


def to_proto_decimal(number: Decimal) -> str:
    """The number without needless zeros: 1, 2.5, 8.875."""
    return f"{number.normalize():f}"


def from_proto_text(field: str, text: str) -> str:
    """A text without spaces around; VALIDATION_FAILED for characters that no document can show."""
    if any(ord(sign) < 32 and sign not in _ALLOWED_CONTROLS for sign in text):
        raise invalid(field, "text", "This text holds control characters.")
    return text.strip()


def from_proto_texts(field: str, texts: Iterable[str]) -> tuple[str, ...]:
    """Texts without the empty ones."""
    clean = (from_proto_text(f"{field}[{at}]", text) for at, text in enumerate(texts))
    return tuple(text for text in clean if text)


def from_proto_currency(field: str, code: str) -> str:
    """An ISO 4217 code or nothing."""
    if code:
        from_proto_money(field, money_pb2.Money(currency=code))
    return code


def from_proto_country(field: str, code: str) -> str:
    """A country's code or nothing; VALIDATION_FAILED for one that no country has."""
    if code and code not in _countries():
        raise invalid(field, "country", "This is not a country's code such as DE.")
    return code


@cache
def _countries() -> frozenset[str]:
    known = (code for code in map(str, Locale("en").territories) if len(code) == 2 and code.isalpha())
    return frozenset(known) - _NO_COUNTRIES


def from_proto_locale(field: str, tag: str) -> str:
    """A language that we can write dates and amounts in, or nothing; VALIDATION_FAILED for any other."""
    if tag:
        try:
            Locale.parse(tag, sep="-" if "-" in tag else "_")
        except (ValueError, UnknownLocaleError):
            raise invalid(field, "locale", "This is not a language such as en-US.") from None
    return tag

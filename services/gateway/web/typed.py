"""What people type into forms of the portal and of the console alike, and amounts on their way into a call."""

import unicodedata
from datetime import date

from chassis.money import Money
from tallyport.common.v1.money_pb2 import Money as MoneyMessage


def read_day(text: str) -> date | None:
    """ISO 8601, as date fields send it."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def plain_number(text: str) -> str:
    """12.50 for 12,50, ١٢٫٥٠ and 12.50, in the digits of any script. What is no number stays none."""
    digits = "".join(str(unicodedata.decimal(sign)) if sign.isdecimal() else sign for sign in text)
    plain = "".join(digits.split()).replace("٫", ",")
    return plain.replace(",", ".") if plain.count(",") == 1 and "." not in plain else plain


def read_amount(text: str, currency: str) -> Money | None:
    """An amount as typed; None for anything else, for less than nothing and for what no amount can be."""
    try:
        amount = Money.parse(plain_number(text), currency)
    except ValueError:
        return None
    return None if amount.is_negative else amount


def to_message(money: Money) -> MoneyMessage:
    """Ours as the contract's."""
    return MoneyMessage(minor_units=money.minor_units, currency=money.currency)

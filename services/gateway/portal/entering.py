"""Amounts and days as payers type them, in the digits of any script."""

import unicodedata
from datetime import date

from chassis.money import Money
from tallyport.common.v1.money_pb2 import Money as MoneyMessage


def amount(text: str, currency: str) -> Money | None:
    """12.50, 12,50 or ١٢٫٥٠; None for anything else and for less than nothing."""
    digits = "".join(str(unicodedata.decimal(sign)) if sign.isdecimal() else sign for sign in text)
    plain = digits.replace("\u00a0", "").replace(" ", "").replace("٫", ".")
    if plain.count(",") == 1 and "." not in plain:
        plain = plain.replace(",", ".")
    try:
        found = Money.parse(plain, currency)
    except ValueError:
        return None
    return None if found.is_negative else found


def day(text: str) -> date | None:
    """ISO 8601, as date fields send it."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def to_message(money: Money) -> MoneyMessage:
    """Ours as the contract's."""
    return MoneyMessage(minor_units=money.minor_units, currency=money.currency)

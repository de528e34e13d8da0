"""Amounts as staff type them into forms."""

from collections.abc import Mapping

from chassis.money import Money
from services.gateway.web.languages import gettext as _


def read_amount(text: str, currency: str) -> Money | None:
    """12.50 or 12,50; None for anything else, for less than nothing and for what no currency amount can be."""
    plain = text.strip().replace(" ", "").replace("\u00a0", "")
    if "," in plain and "." not in plain:
        plain = plain.replace(",", ".")
    try:
        amount = Money.parse(plain, currency)
    except ValueError:
        return None
    return None if amount.is_negative else amount


def amount_words() -> str:
    """What to say about something that is no amount."""
    return _("Please write an amount like 1250.00.")


def renamed(errors: Mapping[str, str], names: Mapping[str, str]) -> dict[str, str]:
    """Field errors under the names that the form has for the contract's fields."""
    return {names.get(field, field): message for field, message in errors.items()}

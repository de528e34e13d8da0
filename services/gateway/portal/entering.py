"""Amounts as payers type them, in the digits of any script."""

import unicodedata

from chassis.money import Money


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

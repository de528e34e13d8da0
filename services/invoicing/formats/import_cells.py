"""Typed cells of one row; the first one that is wrong says which, why, and what to do."""

import re
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from functools import cache

from babel import Locale

from chassis.money import Money
from services.invoicing.domain.invoice_import import DateOrder, DecimalSign
from services.invoicing.formats.import_fields import ImportField, plain_name
from services.invoicing.formats.import_values import plain_amount, read_date

_TRUE = frozenset({"yes", "y", "true", "1", "x", "ja", "j", "wahr"})
_FALSE = frozenset({"no", "n", "false", "0", "", "nein", "falsch"})
_LONGEST_SHOWN = 60
_ORDER_WORDS: Mapping[DateOrder, str] = {
    DateOrder.YEAR_MONTH_DAY: "year-month-day, such as 2026-03-31",
    DateOrder.DAY_MONTH_YEAR: "day/month/year, such as 31/03/2026",
    DateOrder.MONTH_DAY_YEAR: "month/day/year, such as 03/31/2026",
}


class WrongCell(Exception):
    """A cell that cannot be understood."""

    def __init__(self, column: str, message: str) -> None:
        super().__init__(message)
        self.column = column
        self.message = message


class Cells:
    """The cells of a row by field."""

    def __init__(
        self,
        cells: Mapping[str, str],
        fields: Mapping[str, ImportField],
        *,
        date_order: DateOrder | None,
        decimal_sign: DecimalSign | None,
    ) -> None:
        self._cells = cells
        self._fields = fields
        self._date_order = date_order
        self._decimal_sign = decimal_sign

    def text(self, name: str) -> str:
        """The text; empty if the row has none and may have none."""
        field = self._fields[name]
        text = self._cells.get(name, "")
        if field.needed and not text:
            raise WrongCell(name, "This cell must not be empty.")
        if len(text) > field.longest:
            raise WrongCell(name, f"This is longer than {field.longest} characters. Shorten it.")
        return text

    def email(self, name: str) -> str:
        """An e-mail address or nothing; of several the first."""
        text = self.text(name)
        if not text:
            return ""
        text = re.split(r"[;,\s]+", text)[0]
        if not re.fullmatch(r"[^@\s<>]{1,64}@[^@\s<>.]+(\.[^@\s<>.]+)+", text):
            raise WrongCell(name, f"{shown(text)} is not an e-mail address.")
        return text

    def day(self, name: str) -> date | None:
        """A day or nothing."""
        text = self.text(name)
        if not text:
            return None
        try:
            return read_date(text, self._date_order)
        except ValueError:
            if self._date_order is None:
                raise WrongCell(
                    name,
                    f"{shown(text)} may be day/month or month/day. Say how dates are written in this file.",
                ) from None
            raise WrongCell(
                name, f"{shown(text)} is not a date, written {_ORDER_WORDS[self._date_order]}."
            ) from None

    def currency(self, name: str, default: str) -> str:
        """An ISO 4217 code."""
        text = self.text(name).upper() or default
        try:
            Money.zero(text)
        except ValueError:
            raise WrongCell(name, f"{shown(text)} is not a currency, such as EUR.") from None
        return text

    def amount(self, name: str, currency: str) -> Money:
        """An amount; nothing is zero."""
        text = self.text(name)
        if not text:
            return Money.zero(currency)
        try:
            return Money.parse(plain_amount(text, self._decimal_sign), currency)
        except ValueError:
            if self._decimal_sign is None and re.search(r"[.,]", text):
                raise WrongCell(
                    name,
                    f"{shown(text)} can be read in two ways. Say whether a point or a comma comes before cents.",
                ) from None
            example = "1250,00" if self._decimal_sign is DecimalSign.COMMA else "1250.00"
            raise WrongCell(
                name, f"{shown(text)} is not an amount of {currency}, such as {example}."
            ) from None

    def number(self, name: str) -> Decimal | None:
        """A plain number, with or without a percent sign, or nothing."""
        text = self.text(name)
        digits = re.sub(r"\s*(%|days|tage|tg\.?|d)$", "", text, flags=re.IGNORECASE)
        try:
            return Decimal(plain_amount(digits, self._decimal_sign)) if text else None
        except ValueError:
            raise WrongCell(name, f"{shown(text)} is not a number.") from None

    def yes_or_no(self, name: str) -> bool:
        """Yes or no; nothing is no."""
        text = self.text(name).lower()
        if text not in _TRUE | _FALSE:
            raise WrongCell(name, f"{shown(text)} is neither yes nor no.")
        return text in _TRUE

    def country(self, name: str) -> str:
        """A country's code, told by code or by its English or German name; or nothing."""
        text = self.text(name)
        if not text:
            return ""
        found = _countries().get(plain_name(text))
        if found is None:
            raise WrongCell(name, f"{shown(text)} is not a country, such as DE or Germany.")
        return found


def shown(text: str) -> str:
    """A cell in quotes, not too long."""
    return repr(text if len(text) <= _LONGEST_SHOWN else text[:_LONGEST_SHOWN] + "…")


@cache
def _countries() -> Mapping[str, str]:
    found: dict[str, str] = {"usa": "US", "uk": "GB"}
    for language in ("de", "en"):
        for code, name in Locale(language).territories.items():
            if len(code) == 2 and code.isalpha() and code not in ("EU", "EZ", "UN", "QO", "ZZ", "XA", "XB"):
                found[plain_name(str(name))] = code
                found[code.lower()] = code
    return found

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
from services.invoicing.formats.import_problems import WrongCell
from services.invoicing.formats.import_values import plain_amount, read_date

_TRUE = frozenset({"yes", "y", "true", "1", "x", "ja", "j", "wahr"})
_FALSE = frozenset({"no", "n", "false", "0", "", "nein", "falsch"})
_FIRST_YEAR, _LAST_YEAR = 1970, 2100
_LONGEST_SHOWN = 60
_NOT_A_DATE: Mapping[DateOrder, str] = {
    DateOrder.YEAR_MONTH_DAY: "not_date_ymd",
    DateOrder.DAY_MONTH_YEAR: "not_date_dmy",
    DateOrder.MONTH_DAY_YEAR: "not_date_mdy",
}


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
            raise WrongCell(name, "empty")
        if len(text) > field.longest:
            raise WrongCell(name, "too_long", most=str(field.longest))
        return text

    def email(self, name: str) -> str:
        """An e-mail address or nothing; of several the first."""
        text = self.text(name)
        if not text:
            return ""
        text = re.split(r"[;,\s]+", text)[0]
        if not re.fullmatch(r"[^@\s<>]{1,64}@[^@\s<>.]+(\.[^@\s<>.]+)+", text):
            raise WrongCell(name, "not_email", text=shown(text))
        return text

    def day(self, name: str) -> date | None:
        """A day or nothing."""
        text = self.text(name)
        if not text:
            return None
        try:
            found = read_date(text, self._date_order)
        except ValueError:
            if self._date_order is None:
                raise WrongCell(name, "date_in_two_ways", text=shown(text)) from None
            raise WrongCell(name, _NOT_A_DATE[self._date_order], text=shown(text)) from None
        if not _FIRST_YEAR <= found.year <= _LAST_YEAR:
            raise WrongCell(name, "day_too_far", text=shown(text))
        return found

    def currency(self, name: str, default: str) -> str:
        """An ISO 4217 code."""
        text = self.text(name).upper() or default
        try:
            Money.zero(text)
        except ValueError:
            raise WrongCell(name, "not_currency", text=shown(text)) from None
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
                raise WrongCell(name, "amount_in_two_ways", text=shown(text)) from None
            example = "1250,00" if self._decimal_sign is DecimalSign.COMMA else "1250.00"
            raise WrongCell(
                name, "not_amount", text=shown(text), currency=currency, example=example
            ) from None

    def number(self, name: str) -> Decimal | None:
        """A plain number, with or without a percent sign, or nothing."""
        text = self.text(name)
        digits = re.sub(r"\s*(%|days|tage|tg\.?|d)$", "", text, flags=re.IGNORECASE)
        try:
            return Decimal(plain_amount(digits, self._decimal_sign)) if text else None
        except ValueError:
            raise WrongCell(name, "not_number", text=shown(text)) from None

    def yes_or_no(self, name: str) -> bool:
        """Yes or no; nothing is no."""
        text = self.text(name).lower()
        if text not in _TRUE | _FALSE:
            raise WrongCell(name, "not_yes_or_no", text=shown(text))
        return text in _TRUE

    def country(self, name: str) -> str:
        """A country's code, told by code or by its English or German name; or nothing."""
        text = self.text(name)
        if not text:
            return ""
        found = _countries().get(plain_name(text))
        if found is None:
            raise WrongCell(name, "not_country", text=shown(text))
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

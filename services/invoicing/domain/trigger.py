"""Triggers: how the fields of an event become the lines of an invoice."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation

from chassis.errors import ServiceError, invalid
from chassis.money import Money
from services.invoicing.domain.invoice_draft import LineDraft

_FIELD = re.compile(r"\{([A-Za-z0-9_.-]{1,60})\}")
_MOST_DESCRIPTION = 500
_QUANTITY_DIGITS = 4
_MOST_QUANTITY = Decimal(10) ** 9


@dataclass(frozen=True, slots=True, kw_only=True)
class TriggerLine:
    """A line as an event makes it. Quantity and price are given, or named as fields; `{field}` in the description is
    replaced.
    """

    description: str
    quantity: Decimal
    quantity_field: str
    unit_price: Money | None
    unit_price_field: str
    tax_rate_percent: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Trigger:
    """What events of a name make. The customer is given, or named by a field of the event."""

    trigger_id: str
    name: str
    event_name: str
    customer_id: str | None
    customer_field: str
    lines: tuple[TriggerLine, ...]
    review: bool
    enabled: bool
    created_at: datetime

    def must_be_whole(self) -> None:
        """VALIDATION_FAILED unless it says for whom, and what each line costs."""
        if (self.customer_id is None) == (not self.customer_field):
            raise invalid("customer_id", "one_of", "Name a customer, or the field that names them.")
        for at, line in enumerate(self.lines):
            if (line.unit_price is None) == (not line.unit_price_field):
                raise invalid(f"lines[{at}].unit_price", "one_of", "Give a price, or the field that has it.")


def lines_of(trigger: Trigger, fields: Mapping[str, str], currency: str) -> list[LineDraft]:
    """The lines that an event makes. VALIDATION_FAILED for a field that is missing or no number."""
    return [_line(line, fields, currency) for line in trigger.lines]


def field_of(fields: Mapping[str, str], name: str) -> str:
    """A field of the event; VALIDATION_FAILED if it has none of this name."""
    value = fields.get(name, "").strip()
    if not value:
        raise _wrong(name, "required", f"A trigger of this event needs the field {name}.")
    return value


def _line(line: TriggerLine, fields: Mapping[str, str], currency: str) -> LineDraft:
    price = line.unit_price
    if line.unit_price_field:
        price = _money(line.unit_price_field, field_of(fields, line.unit_price_field), currency)
    quantity = line.quantity
    if line.quantity_field:
        quantity = _quantity(line.quantity_field, field_of(fields, line.quantity_field))
    described = _FIELD.sub(lambda match: field_of(fields, match.group(1)), line.description)
    return LineDraft(
        item_id="",
        description=" ".join(described.split())[:_MOST_DESCRIPTION],
        quantity=quantity,
        unit_price=price,
        tax_rate_percent=line.tax_rate_percent,
    )


def _money(name: str, text: str, currency: str) -> Money:
    try:
        amount = Money.parse(text, currency)
    except ValueError:
        raise _wrong(name, "money", f"This is no amount in {currency}.") from None
    if amount.minor_units < 0:
        raise _wrong(name, "negative", "A price is not below nothing.")
    return amount


def _quantity(name: str, text: str) -> Decimal:
    try:
        number = Decimal(text)
    except InvalidOperation:
        raise _wrong(name, "number", "This is no number.") from None
    is_fine = number.is_finite() and 0 < number < _MOST_QUANTITY
    if not is_fine or number != round(number, _QUANTITY_DIGITS):
        raise _wrong(name, "number", "A quantity is above 0 and has at most four decimals.")
    return number


def _wrong(name: str, code: str, message: str) -> ServiceError:
    return invalid(f"fields.{name}", code, message)

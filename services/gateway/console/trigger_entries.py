"""The fields of the trigger form: as typed, and as the contract wants them.

Quantity and price are a number, or a field of the event in braces like in the description: `{hours}`.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest

from services.gateway.web.forms import Form
from services.gateway.web.languages import gettext as _
from services.gateway.web.typed import (
    amount_field,
    amount_words,
    number_field,
    plain_number,
    read_amount,
    to_message,
)
from tallyport.invoicing.v1.schedules_pb2 import CreateTriggerRequest, Trigger, TriggerLine

MOST_LINES = 50
_COLUMNS = ("description", "quantity", "unit_price", "tax_rate_percent")
_EVENT = re.compile(r"[a-z0-9][a-z0-9_.-]{0,99}")
_FIELD = re.compile(r"\{\s*([A-Za-z0-9_.-]{1,60})\s*\}")
_QUANTITY = re.compile(r"[0-9]{1,9}(\.[0-9]{1,4})?")
_RATE = re.compile(r"[0-9]{1,2}(\.[0-9]{1,4})?")


@dataclass(frozen=True, slots=True, kw_only=True)
class LineEntry:
    """A line as typed."""

    description: str = ""
    quantity: str = ""
    unit_price: str = ""
    tax_rate_percent: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TriggerEntry:
    """The whole form as typed; `customer_id` is empty where the event names the customer."""

    name: str = ""
    event_name: str = ""
    customer_id: str = ""
    customer_field: str = ""
    review: bool = False
    lines: Sequence[LineEntry] = (LineEntry(),)


def from_form(form: Form) -> TriggerEntry:
    """What was sent."""
    columns = [form.all(name)[:MOST_LINES] for name in _COLUMNS]
    rows = zip_longest(*columns, fillvalue="")
    return TriggerEntry(
        name=form.text("name"),
        event_name=form.text("event_name"),
        customer_id=form.text("customer_id")[:60],
        customer_field=form.text("customer_field"),
        review=form.checked("review"),
        lines=[LineEntry(**dict(zip(_COLUMNS, row, strict=True))) for row in rows] or [LineEntry()],
    )


def from_trigger(trigger: Trigger) -> TriggerEntry:
    """One to change."""
    return TriggerEntry(
        name=trigger.name,
        event_name=trigger.event_name,
        customer_id=trigger.customer_id,
        customer_field=trigger.customer_field,
        review=trigger.review,
        lines=[
            LineEntry(
                description=line.description,
                quantity=_in_braces(line.quantity_field) or number_field(line.quantity),
                unit_price=_in_braces(line.unit_price_field) or amount_field(line.unit_price),
                tax_rate_percent=number_field(line.tax_rate_percent),
            )
            for line in trigger.lines
        ],
    )


def changed(entry: TriggerEntry, action: str) -> TriggerEntry | None:
    """The entry after an "add" or "remove:2" button; None for any other button."""
    if action == "add":
        return replace(entry, lines=[*entry.lines, LineEntry()][:MOST_LINES])
    name, _separator, place = action.partition(":")
    if name != "remove" or not place.isdecimal():
        return None
    kept = [line for index, line in enumerate(entry.lines) if index != int(place)]
    return replace(entry, lines=kept or [LineEntry()])


def mistakes(entry: TriggerEntry, currency: str) -> dict[str, str]:
    """Field of the form to what is wrong with it."""
    wrong = {}
    if not entry.name:
        wrong["name"] = _("Please give it a name.")
    if not _EVENT.fullmatch(entry.event_name):
        wrong["event_name"] = _("Small letters, digits, dots, hyphens and underscores, like delivery.made.")
    if not entry.customer_id and not entry.customer_field:
        wrong["customer_field"] = _("Please name the field, or choose a customer.")
    for at, line in enumerate(entry.lines):
        if not line.description:
            wrong[f"description-{at}"] = _("Please describe what is sold.")
        quantity, price = line.quantity, line.unit_price
        if quantity and not (_FIELD.fullmatch(quantity) or _QUANTITY.fullmatch(plain_number(quantity))):
            wrong[f"quantity-{at}"] = _("A number, or a field like {hours}.")
        if not _FIELD.fullmatch(price) and read_amount(price, currency) is None:
            wrong[f"unit_price-{at}"] = f"{amount_words(price, currency)} {_('Or a field like {amount}.')}"
        rate = plain_number(line.tax_rate_percent)
        if rate and not _RATE.fullmatch(rate):
            wrong[f"tax_rate_percent-{at}"] = _("A percentage like 19 or 7.5.")
    return wrong


def to_request(entry: TriggerEntry, currency: str) -> CreateTriggerRequest:
    """As the contract wants it. Only for an entry without `mistakes`."""
    return CreateTriggerRequest(
        name=entry.name[:200],
        event_name=entry.event_name,
        customer_id=entry.customer_id,
        customer_field="" if entry.customer_id else entry.customer_field[:60],
        review=entry.review,
        lines=[_line(line, currency) for line in entry.lines],
    )


def refused(fields: dict[str, str]) -> dict[str, str]:
    """What the service found wrong, under the names of the form."""
    return {
        re.sub(r"^(?:trigger\.)?lines\[(\d+)\]\.(\w+)$", r"\2-\1", name): words
        for name, words in fields.items()
    }


def _line(line: LineEntry, currency: str) -> TriggerLine:
    made = TriggerLine(
        description=line.description[:300], tax_rate_percent=plain_number(line.tax_rate_percent)
    )
    if field := _FIELD.fullmatch(line.quantity):
        made.quantity_field = field[1]
    else:
        made.quantity = plain_number(line.quantity)
    price = read_amount(line.unit_price, currency)
    if field := _FIELD.fullmatch(line.unit_price):
        made.unit_price_field = field[1]
    elif price is not None:
        made.unit_price.CopyFrom(to_message(price))
    return made


def _in_braces(field: str) -> str:
    return f"{{{field}}}" if field else ""

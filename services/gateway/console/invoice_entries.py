"""The fields of the invoice form: as entered, as the contract wants them, as an invoice shows them."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import zip_longest

from services.gateway.web.forms import Form
from services.gateway.web.languages import gettext as _
from services.gateway.web.typed import (
    amount_field,
    amount_words,
    number_field,
    plain_number,
    read_amount,
    read_day,
    to_message,
)
from tallyport.invoicing.v1.invoices_pb2 import Invoice, InvoiceLine, InvoiceLineInput, TaxCategory

MOST_LINES = 200
_QUANTITY = re.compile(r"[0-9]{1,9}(\.[0-9]{1,4})?")
_RATE = re.compile(r"[0-9]{1,2}(\.[0-9]{1,4})?")
_PERCENT = re.compile(r"[0-9]{1,2}(\.[0-9]{1,4})?|100(\.0{1,4})?")
_PLAIN = (TaxCategory.TAX_CATEGORY_STANDARD, TaxCategory.TAX_CATEGORY_ZERO)
_LINE_FIELD = re.compile(r"lines\[(\d+)\]\.([a-z_]+)")
_COLUMNS = ("item_id", "description", "quantity", "unit_price", "discount_percent", "tax_rate_percent")


@dataclass(frozen=True, slots=True, kw_only=True)
class LineEntry:
    """A line as typed."""

    item_id: str = ""
    description: str = ""
    quantity: str = ""
    unit_price: str = ""
    discount_percent: str = ""
    tax_rate_percent: str = ""

    @property
    def empty(self) -> bool:
        return not (self.item_id or self.description or self.unit_price)


@dataclass(frozen=True, slots=True, kw_only=True)
class InvoiceEntry:
    """The whole form as typed."""

    invoice_date: str = ""
    due_date: str = ""
    purchase_order_number: str = ""
    memo: str = ""
    discount_percent: str = ""
    prices_include_tax: bool = False
    lines: Sequence[LineEntry] = field(default_factory=lambda: (LineEntry(),))

    @property
    def used_lines(self) -> list[tuple[int, LineEntry]]:
        """Lines with something in them, each with its place on the form."""
        return [(index, line) for index, line in enumerate(self.lines) if not line.empty]


def from_form(form: Form) -> InvoiceEntry:
    """What was sent."""
    columns = [form.all(name)[:MOST_LINES] for name in _COLUMNS]
    rows = zip_longest(*columns, fillvalue="")
    return InvoiceEntry(
        invoice_date=form.text("invoice_date"),
        due_date=form.text("due_date"),
        purchase_order_number=form.text("purchase_order_number"),
        memo=form.text("memo"),
        discount_percent=form.text("whole_discount"),
        prices_include_tax=form.checked("prices_include_tax"),
        lines=[LineEntry(**dict(zip(_COLUMNS, row, strict=True))) for row in rows] or [LineEntry()],
    )


def from_invoice(invoice: Invoice) -> InvoiceEntry:
    """A draft to go on with."""
    return InvoiceEntry(
        invoice_date=invoice.invoice_date,
        due_date=invoice.due_date,
        purchase_order_number=invoice.purchase_order_number,
        memo=invoice.memo,
        discount_percent=number_field(invoice.discount_percent),
        prices_include_tax=invoice.prices_include_tax,
        lines=[
            LineEntry(
                item_id=line.item_id,
                description=line.description,
                quantity=number_field(line.quantity),
                unit_price=amount_field(line.unit_price),
                discount_percent=number_field(line.discount_percent),
                tax_rate_percent=number_field(line.tax_rate_percent),
            )
            for line in invoice.lines
        ]
        or [LineEntry()],
    )


def changed_lines(entry: InvoiceEntry, action: str) -> list[LineEntry] | None:
    """The lines after an "add" or "remove:2" button; None for any other button."""
    if action == "add":
        return [*entry.lines, LineEntry()][:MOST_LINES]
    name, _separator, place = action.partition(":")
    if name != "remove" or not place.isdecimal():
        return None
    return [line for index, line in enumerate(entry.lines) if index != int(place)] or [LineEntry()]


def to_lines(
    entry: InvoiceEntry, currency: str, before: Sequence[InvoiceLine] = ()
) -> list[InvoiceLineInput]:
    """As the contract wants them. Only for an entry without `mistakes`.

    What the form does not show, such as several taxes, stays as the draft had it `before` on the same line.
    """
    lines = []
    for index, typed in entry.used_lines:
        line = InvoiceLineInput(
            item_id=typed.item_id,
            description=typed.description[:500],
            quantity=plain_number(typed.quantity),
            tax_rate_percent=plain_number(typed.tax_rate_percent),
        )
        price = read_amount(typed.unit_price, currency) if typed.unit_price else None
        if price is not None:
            line.unit_price.CopyFrom(to_message(price))
        if typed.discount_percent:
            line.discount_percent = plain_number(typed.discount_percent)
        if index < len(before):
            _keep_unseen(line, before[index])
        lines.append(line)
    return lines


def _keep_unseen(line: InvoiceLineInput, old: InvoiceLine) -> None:
    is_plain = len(old.taxes) == 1 and not old.taxes[0].name and old.taxes[0].category in _PLAIN
    if line.tax_rate_percent == old.tax_rate_percent and not is_plain:
        line.tax_rate_percent = ""
        line.taxes.extend(old.taxes)
    if not line.discount_percent and not old.discount_percent and old.discount.minor_units:
        line.discount.CopyFrom(old.discount)
    line.unit_code, line.period_start, line.period_end = old.unit_code, old.period_start, old.period_end


def mistakes(entry: InvoiceEntry, currency: str) -> dict[str, str]:
    """Field of the form to what is wrong with it."""
    wrong: dict[str, str] = {}
    for name in ("invoice_date", "due_date"):
        text = getattr(entry, name)
        if text and read_day(text) is None:
            wrong[name] = _("Please choose a day.")
    if entry.invoice_date and entry.due_date and not wrong and entry.due_date < entry.invoice_date:
        wrong["due_date"] = _("The due date is before the invoice date.")
    if entry.discount_percent and not _PERCENT.fullmatch(plain_number(entry.discount_percent)):
        wrong["whole_discount"] = _("Please write percent like 8 or 5.5.")
    if not entry.used_lines:
        wrong["description-0"] = _("An invoice needs at least one line.")
    for index, line in entry.used_lines:
        wrong |= {f"{name}-{index}": text for name, text in _line_mistakes(line, currency).items()}
    return wrong


def _line_mistakes(line: LineEntry, currency: str) -> dict[str, str]:
    wrong = {}
    if not line.description and not line.item_id:
        wrong["description"] = _("Say what is sold, or choose an item.")
    if line.quantity and not _QUANTITY.fullmatch(plain_number(line.quantity)):
        wrong["quantity"] = _("Please write a number like 2 or 1.5.")
    if line.tax_rate_percent and not _RATE.fullmatch(plain_number(line.tax_rate_percent)):
        wrong["tax_rate_percent"] = _("Please write percent like 8 or 5.5.")
    if line.discount_percent and not _PERCENT.fullmatch(plain_number(line.discount_percent)):
        wrong["discount_percent"] = _("Please write percent like 8 or 5.5.")
    if line.unit_price and read_amount(line.unit_price, currency) is None:
        wrong["unit_price"] = amount_words(line.unit_price, currency)
    if not line.unit_price and not line.item_id:
        wrong["unit_price"] = _("Give a price, or choose an item.")
    return wrong


def refused(fields: Mapping[str, str], entry: InvoiceEntry) -> dict[str, str]:
    """A service's field errors under the form's names; the service counts only the lines it was sent."""
    places = [index for index, _line in entry.used_lines]
    named = {}
    for path, message in fields.items():
        if path.startswith("discount"):
            path = "whole_discount"
        match = _LINE_FIELD.match(path)
        if match and int(match[1]) < len(places):
            named[f"{match[2]}-{places[int(match[1])]}"] = message
        else:
            named[path] = message
    return named

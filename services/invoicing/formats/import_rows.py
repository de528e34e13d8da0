"""Invoices, customers and items out of typed cells."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal, InvalidOperation

from chassis.money import Money
from services.invoicing.domain.invoice_import import ImportKind, Record, Row, TaxPart, breakdown_holds
from services.invoicing.domain.pricing import TaxCategory
from services.invoicing.formats.import_cells import Cells, shown
from services.invoicing.formats.import_fields import plain_name
from services.invoicing.formats.import_problems import WrongCell

_MOST_DAYS = 365
_UNITS: Mapping[str, str] = {
    "": "C62", "stk": "C62", "stuck": "C62", "stueck": "C62", "st": "C62", "pcs": "C62", "pc": "C62", "piece": "C62",
    "pieces": "C62", "each": "C62", "ea": "C62", "h": "HUR", "std": "HUR", "stunde": "HUR", "stunden": "HUR",
    "hour": "HUR", "hours": "HUR", "tag": "DAY", "tage": "DAY", "day": "DAY", "days": "DAY", "monat": "MON",
    "month": "MON", "kg": "KGM", "m": "MTR", "l": "LTR",
}  # fmt: skip


def read_invoice(line: int, cells: Cells, *, kind: ImportKind, currency: str, today: date) -> Row:
    """An invoice. `currency` counts where the row names none; nothing was settled after `today`."""
    invoice_date = cells.day("invoice_date")
    due_date = cells.day("due_date")
    assert invoice_date is not None
    assert due_date is not None
    if due_date < invoice_date:
        raise WrongCell("due_date", "due_before_invoice")
    settled_date = cells.day("settled_date")
    external_id = cells.text("external_id")
    customer = cells.text("customer_external_id")
    total = cells.amount("amount", cells.currency("currency", currency))
    if total.minor_units <= 0:
        raise WrongCell("amount", "not_positive")
    received = _received(cells, total, settled_date)
    row = Row(
        line=line,
        external_id=external_id,
        customer_external_id=customer,
        customer_name=cells.text("customer_name") or customer,
        customer_email=cells.email("customer_email"),
        invoice_date=invoice_date,
        due_date=due_date,
        total=total,
        description=cells.text("description") or f"Invoice {external_id}",
        disputed=cells.yes_or_no("disputed"),
        settled_date=None if received.is_zero else settled_date or max(today, invoice_date),
        received=received,
    )
    _must_fit(kind, row, settled_date, today=today)
    return _with_taxes(row, cells.text("taxes"))


def read_customer(line: int, cells: Cells, *, currency: str) -> Record:
    """A customer's fields as texts: a name, an address, terms."""
    own = cells.currency("currency", currency)
    limit = cells.amount("credit_limit", own)
    if limit.is_negative:
        raise WrongCell("credit_limit", "negative")
    texts = (
        "name", "legal_name", "street", "street_2", "postal_code", "city", "region", "tax_id", "locale", "time_zone",
        "purchase_order_number",
    )  # fmt: skip
    values = {name: cells.text(name) for name in texts}
    labels = (label.strip() for label in cells.text("segments").replace(";", ",").split(","))
    values |= {
        "email": cells.email("email"),
        "country": cells.country("country"),
        "currency": own,
        "payment_terms_days": _days(cells),
        "credit_limit": "" if limit.is_zero else str(limit.to_decimal()),
        "segments": ",".join(label for label in labels if label),
    }
    return Record(line=line, key=cells.text("external_id"), values=_filled(values))


def read_item(line: int, cells: Cells, *, currency: str) -> Record:
    """An item's fields as texts: its price with its currency, its taxes, its unit."""
    own = cells.currency("currency", currency)
    price = cells.amount("unit_price", own)
    rate = cells.number("tax_rate_percent")
    if rate is not None and not (0 <= rate < 100 and rate == round(rate, 4)):
        raise WrongCell("tax_rate_percent", "not_tax_rate", text=shown(str(rate)))
    values = {name: cells.text(name) for name in ("name", "description", "tax_code")}
    values |= {
        "unit_price": str(price.to_decimal()),
        "currency": own,
        "tax_rate_percent": "" if rate is None else f"{rate.normalize():f}",
        "price_includes_tax": "yes" if cells.yes_or_no("price_includes_tax") else "",
        "unit_code": _unit(cells.text("unit_code")),
    }
    return Record(line=line, key=cells.text("sku"), values=_filled(values))


def read_credit_note(line: int, cells: Cells, *, currency: str, today: date) -> Record:
    """A credit note's fields as texts. Files write its amount with a minus or without."""
    issued_on = cells.day("issued_on")
    assert issued_on is not None
    if issued_on > today:
        raise WrongCell("issued_on", "in_future")
    amount = cells.amount("amount", cells.currency("currency", currency))
    if amount.is_zero:
        raise WrongCell("amount", "not_positive")
    values = {
        "invoice_number": cells.text("invoice_number"),
        "issued_on": issued_on.isoformat(),
        "amount": str(amount.to_decimal()).removeprefix("-"),
        "currency": amount.currency,
        "description": cells.text("description"),
    }
    return Record(line=line, key=cells.text("external_id"), values=_filled(values))


def _received(cells: Cells, total: Money, settled_date: date | None) -> Money:
    """What was paid of it before: told as such, by what is open, or by the day on which all of it was paid."""
    paid = cells.amount("paid", total.currency)
    if paid.is_negative:
        raise WrongCell("paid", "negative")
    if paid > total:
        raise WrongCell("paid", "paid_too_much")
    if not cells.text("open_amount"):
        return total if paid.is_zero and settled_date else paid
    is_open = cells.amount("open_amount", total.currency)
    if is_open.is_negative or is_open > total or (not paid.is_zero and paid + is_open != total):
        raise WrongCell("open_amount", "sums_differ")
    return total - is_open


def _must_fit(kind: ImportKind, row: Row, settled_date: date | None, *, today: date) -> None:
    """Open invoices are not settled, history is, and nothing was paid before it was asked for or will be."""
    if kind is ImportKind.OPEN_INVOICES and row.received == row.total:
        raise WrongCell("settled_date", "is_settled")
    if kind is ImportKind.HISTORY and row.received < row.total:
        raise WrongCell("paid", "is_open")
    if settled_date is not None and settled_date < row.invoice_date:
        raise WrongCell("settled_date", "settled_before_invoice")
    if settled_date is not None and settled_date > today:
        raise WrongCell("settled_date", "settled_in_future")


def _with_taxes(row: Row, text: str) -> Row:
    """The row with its breakdown of taxes, if that comes to the total; else its sum is kept, as without one."""
    if not text:
        return row
    try:
        parts = tuple(_tax_part(line.split(), row.total.currency) for line in text.splitlines())
    except (ValueError, InvalidOperation, IndexError):
        return row
    with_taxes = Row(**{name: getattr(row, name) for name in Row.__slots__ if name != "taxes"}, taxes=parts)
    return with_taxes if breakdown_holds(with_taxes) else row


def _tax_part(words: list[str], currency: str) -> TaxPart:
    category, rate, taxable, tax = words
    percent = Decimal(rate)
    if not 0 <= percent < 100:
        raise ValueError("not a rate")
    return TaxPart(TaxCategory(category), percent, Money.parse(taxable, currency), Money.parse(tax, currency))


def _days(cells: Cells) -> str:
    days = cells.number("payment_terms_days")
    if days is None:
        return ""
    if days != int(days) or not 0 <= days <= _MOST_DAYS:
        raise WrongCell("payment_terms_days", "not_days", most=str(_MOST_DAYS))
    return str(int(days))


def _unit(text: str) -> str:
    known = _UNITS.get(plain_name(text))
    if known is None and not (text.isascii() and text.isalnum() and 2 <= len(text) <= 3):
        raise WrongCell("unit_code", "not_unit", text=shown(text))
    return known or text.upper()


def _filled(values: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in values.items() if value}

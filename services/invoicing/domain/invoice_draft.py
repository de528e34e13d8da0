"""Drafts: what somebody asked an invoice to be, before items and terms are filled in."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from chassis.errors import ServiceError, invalid
from chassis.money import Money
from services.invoicing.domain.invoice import Line
from services.invoicing.domain.item import Item


@dataclass(frozen=True, slots=True)
class LineDraft:
    """A line to be. What is empty or None comes from the item."""

    item_id: str
    description: str
    quantity: Decimal
    unit_price: Money | None
    tax_rate_percent: Decimal | None


@dataclass(frozen=True, slots=True, kw_only=True)
class InvoiceDraft:
    """An invoice to be. Dates that are None follow from today and the customer's terms."""

    customer_id: str
    lines: Sequence[LineDraft]
    invoice_date: date | None
    due_date: date | None
    purchase_order_number: str
    memo: str
    external_id: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class InvoiceChanges:
    """Changes to a draft; None leaves a field as it is, and no lines leave the lines."""

    lines: Sequence[LineDraft]
    invoice_date: date | None
    due_date: date | None
    purchase_order_number: str | None
    memo: str | None


def fill_lines(drafts: Sequence[LineDraft], items: Mapping[str, Item], currency: str) -> list[Line]:
    """Lines with everything that items tell. VALIDATION_FAILED for the first one that stays incomplete."""
    return [_fill(index, draft, items, currency) for index, draft in enumerate(drafts)]


def _fill(index: int, draft: LineDraft, items: Mapping[str, Item], currency: str) -> Line:
    item = items.get(draft.item_id) if draft.item_id else None
    if draft.item_id and item is None:
        raise _wrong(index, "item_id", "item", "There is no such item.")
    description = draft.description or (item.name if item else "")
    if not description:
        raise _wrong(index, "description", "required", "Say what is sold, or name an item.")
    unit_price = draft.unit_price or (item.unit_price if item else None)
    if unit_price is None:
        raise _wrong(index, "unit_price", "required", "Give a price, or name an item.")
    if unit_price.currency != currency:
        raise _wrong(index, "unit_price.currency", "currency", f"This invoice is in {currency}.")
    rate = draft.tax_rate_percent
    if rate is None:
        rate = item.tax_rate_percent if item else Decimal(0)
    line = Line(description, draft.quantity, unit_price, rate, draft.item_id or None)
    try:
        _ = line.amount
    except ValueError:
        raise _wrong(index, "quantity", "too_large", "Quantity times price is too much.") from None
    return line


def _wrong(index: int, field: str, code: str, message: str) -> ServiceError:
    return invalid(f"lines[{index}].{field}", code, message)

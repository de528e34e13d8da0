"""Drafts: what somebody asked an invoice to be, before items and terms are filled in."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from chassis.errors import ServiceError, invalid
from chassis.money import LARGEST_BOOKING_MINOR_UNITS, Money
from services.invoicing.domain.invoice import Invoice, Terms
from services.invoicing.domain.item import Item
from services.invoicing.domain.pricing import ONE_PIECE, Line, Tax
from services.invoicing.domain.taxation import Taxation

FARTHEST_INVOICE = timedelta(days=366)
"""An invoice may be dated so far back or ahead: numbers and days go on together."""
LONGEST_TERM = timedelta(days=5 * 366)


@dataclass(frozen=True, slots=True)
class LineDraft:
    """A line to be. What is empty or None comes from the item."""

    item_id: str
    description: str
    quantity: Decimal
    unit_price: Money | None
    tax_rate_percent: Decimal | None
    taxes: tuple[Tax, ...] = ()
    tax_code: str = ""
    discount_percent: Decimal = Decimal(0)
    discount_amount: Money | None = None
    unit_code: str = ""
    period_start: date | None = None
    period_end: date | None = None


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
    terms: Terms = field(default_factory=Terms)


@dataclass(frozen=True, slots=True, kw_only=True)
class InvoiceChanges:
    """Changes to a draft; None leaves a field as it is, and no lines leave the lines."""

    lines: Sequence[LineDraft]
    invoice_date: date | None
    due_date: date | None
    purchase_order_number: str | None
    memo: str | None
    terms: Mapping[str, Any] = field(default_factory=dict)
    """Fields of Terms that change, by name."""


def must_be_dated(invoice: Invoice, today: date) -> None:
    """VALIDATION_FAILED for a draft of days too far from today, due before it is written, or with a discount for paying
    early that ends at no time or at the wrong one.
    """
    written, due, terms = invoice.invoice_date, invoice.due_date, invoice.terms
    if abs(written - today) > FARTHEST_INVOICE:
        raise invalid("invoice_date", "range", "An invoice is dated within a year of today.")
    if due < written:
        raise invalid("due_date", "too_early", "The due date is before the invoice date.")
    if due - written > LONGEST_TERM:
        raise invalid("due_date", "too_late", "An invoice falls due within five years.")
    if not terms.early_discount_percent:
        return
    if terms.early_discount_until is None:
        raise invalid("early_discount_until", "required", "Say until when paying early earns the discount.")
    if not written <= terms.early_discount_until <= due:
        raise invalid(
            "early_discount_until", "range",
            "The discount for paying early ends between the invoice date and the due date.",
        )  # fmt: skip


def fill_lines(
    drafts: Sequence[LineDraft],
    items: Mapping[str, Item],
    currency: str,
    taxation: Taxation,
    *,
    prices_include_tax: bool = False,
) -> list[Line]:
    """Lines with everything that items and tax codes tell. VALIDATION_FAILED for the first that stays incomplete."""
    for index, draft in enumerate(drafts):
        item = items.get(draft.item_id)
        if item and draft.unit_price is None and item.price_includes_tax != prices_include_tax:
            raise _wrong(
                index, "item_id", "tax_inclusive",
                "This item's prices and this invoice's differ in whether tax is included. Please enter a price.",
            )  # fmt: skip
    return [_fill(index, draft, items, currency, taxation) for index, draft in enumerate(drafts)]


def _fill(index: int, draft: LineDraft, items: Mapping[str, Item], currency: str, taxation: Taxation) -> Line:
    item = items.get(draft.item_id) if draft.item_id else None
    if draft.item_id and item is None:
        raise _wrong(index, "item_id", "item", "There is no such item.")
    description = draft.description or (item.name if item else "")
    if not description:
        raise _wrong(index, "description", "required", "Say what is sold, or name an item.")
    unit_price = draft.unit_price or (item.price_in(currency) if item else None)
    if unit_price is None:
        text = f"This item has no price in {currency}." if item else "Give a price, or name an item."
        raise _wrong(index, "unit_price", "required", text)
    if unit_price.currency != currency:
        raise _wrong(index, "unit_price.currency", "currency", f"This invoice is in {currency}.")
    taxes, rate = _taxes(index, draft, item, taxation)
    line = Line(
        description, draft.quantity, unit_price, rate, draft.item_id or None, taxes=taxes,
        discount_percent=draft.discount_percent, discount_amount=draft.discount_amount,
        sku=item.sku if item else "", unit_code=draft.unit_code or (item.unit_code if item else ONE_PIECE),
        period_start=draft.period_start, period_end=draft.period_end,
    )  # fmt: skip
    _must_make_sense(index, line)
    return line


def _taxes(
    index: int, draft: LineDraft, item: Item | None, taxation: Taxation
) -> tuple[tuple[Tax, ...], Decimal]:
    """Taxes and their rate: what somebody said, else what the tax code means, else the item's rate.

    A mere rate, whoever said it, is not for buyers who bear none.
    """
    rate = draft.tax_rate_percent
    taxes = draft.taxes if rate is None else ()
    code = draft.tax_code or (item.tax_code if item else "")
    if not taxes and rate is None and code:
        found = taxation.by_code(code)
        if found is None:
            raise _wrong(index, "tax_code", "tax_code", f"There is no tax code {code} on {taxation.day}.")
        taxes = found
    if not taxes:
        if rate is None:
            rate = item.tax_rate_percent if item else Decimal(0)
        taxes = taxation.by_rate(rate)
        if not taxes:
            return (), rate
    return taxes, sum((tax.rate_percent for tax in taxes), Decimal(0))


def _must_make_sense(index: int, line: Line) -> None:
    discount = line.discount_amount
    if discount is not None and discount.currency != line.unit_price.currency:
        raise _wrong(
            index, "discount.currency", "currency", f"This invoice is in {line.unit_price.currency}."
        )
    try:
        full = line.full_amount
    except ValueError:
        full = None
    if full is None or abs(full.minor_units) > LARGEST_BOOKING_MINOR_UNITS:
        raise _wrong(index, "quantity", "too_large", "Quantity times price is too much.")
    if discount is not None and not 0 <= discount.minor_units <= max(0, full.minor_units):
        raise _wrong(index, "discount", "range", "A discount is at most what the line comes to.")
    if line.period_start and line.period_end and line.period_end < line.period_start:
        raise _wrong(index, "period_end", "too_early", "The period ends before it begins.")


def _wrong(index: int, field: str, code: str, message: str) -> ServiceError:
    return invalid(f"lines[{index}].{field}", code, message)

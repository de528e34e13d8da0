"""Lines, taxes and terms of invoices, credit notes and schedules."""

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from chassis.errors import invalid
from chassis.money import Money
from services.invoicing.domain.credit_note import SERIES as CREDIT_NOTE_SERIES
from services.invoicing.domain.invoice import Terms
from services.invoicing.domain.invoice_draft import LineDraft
from services.invoicing.domain.pricing import Line, Tax, TaxCategory, TaxTotal
from services.invoicing.translate.values import (
    from_proto_day,
    from_proto_decimal,
    from_proto_money,
    from_proto_text,
    to_proto_decimal,
    to_proto_money,
)
from tallyport.common.v1 import money_pb2
from tallyport.invoicing.v1 import invoices_pb2 as pb

_CATEGORY: Mapping[TaxCategory, pb.TaxCategory.ValueType] = {
    TaxCategory.STANDARD: pb.TAX_CATEGORY_STANDARD,
    TaxCategory.ZERO: pb.TAX_CATEGORY_ZERO,
    TaxCategory.EXEMPT: pb.TAX_CATEGORY_EXEMPT,
    TaxCategory.REVERSE_CHARGE: pb.TAX_CATEGORY_REVERSE_CHARGE,
    TaxCategory.INTRA_COMMUNITY: pb.TAX_CATEGORY_INTRA_COMMUNITY,
    TaxCategory.EXPORT: pb.TAX_CATEGORY_EXPORT,
    TaxCategory.OUTSIDE_SCOPE: pb.TAX_CATEGORY_OUTSIDE_SCOPE,
}
_FROM_CATEGORY = {value: category for category, value in _CATEGORY.items()}
_REQUEST = pb.CreateInvoiceRequest | pb.UpdateInvoiceRequest


def from_proto_lines(inputs: Iterable[pb.InvoiceLineInput]) -> list[LineDraft]:
    """Lines to be. VALIDATION_FAILED names the line and what is wrong with it."""
    return [_line_draft(f"lines[{index}]", line) for index, line in enumerate(inputs)]


def _line_draft(field: str, line: pb.InvoiceLineInput) -> LineDraft:
    if line.discount_percent and line.HasField("discount"):
        raise invalid(
            f"{field}.discount", "ambiguous", "Give a discount in percent or as an amount, not both."
        )
    if bool(line.tax_rate_percent) + bool(line.taxes) + bool(line.tax_code) > 1:
        raise invalid(f"{field}.taxes", "ambiguous", "Give a tax rate, taxes or a tax code, not several.")
    return LineDraft(
        item_id=line.item_id,
        description=from_proto_text(f"{field}.description", line.description),
        quantity=from_proto_decimal(line.quantity, "1"),
        unit_price=_money(f"{field}.unit_price", line, "unit_price"),
        tax_rate_percent=from_proto_decimal(line.tax_rate_percent, "0") if line.tax_rate_percent else None,
        taxes=from_proto_taxes(f"{field}.taxes", line.taxes),
        tax_code=line.tax_code,
        discount_percent=from_proto_decimal(line.discount_percent, "0"),
        discount_amount=_money(f"{field}.discount", line, "discount"),
        unit_code=line.unit_code,
        period_start=from_proto_day(f"{field}.period_start", line.period_start),
        period_end=from_proto_day(f"{field}.period_end", line.period_end),
    )


def from_proto_taxes(field: str, messages: Iterable[pb.LineTax]) -> tuple[Tax, ...]:
    """Taxes that are due on the same sum. VALIDATION_FAILED unless all are of one category."""
    taxes = tuple(_from_proto_tax(f"{field}[{at}]", tax) for at, tax in enumerate(messages))
    if len({tax.category for tax in taxes}) > 1:
        raise invalid(field, "category", "All taxes of a line are of one category.")
    return taxes


def _from_proto_tax(field: str, message: pb.LineTax) -> Tax:
    rate = from_proto_decimal(message.rate_percent, "0")
    plain = TaxCategory.STANDARD if rate else TaxCategory.ZERO
    category = _FROM_CATEGORY.get(message.category, plain)
    if rate and category is not TaxCategory.STANDARD:
        raise invalid(f"{field}.rate_percent", "range", "Only the standard category has a rate above zero.")
    name = from_proto_text(f"{field}.name", message.name)
    return Tax(name, rate, category, from_proto_text(f"{field}.exemption_reason", message.exemption_reason))


def to_proto_line(line: Line, price: Money) -> pb.InvoiceLine:
    """`price` is what the line came to with its share of discount and tax."""
    return pb.InvoiceLine(
        item_id=line.item_id or "",
        description=line.description,
        quantity=to_proto_decimal(line.quantity),
        unit_price=to_proto_money(line.unit_price),
        tax_rate_percent=to_proto_decimal(line.tax_rate_percent),
        amount=to_proto_money(line.amount),
        amount_with_tax=to_proto_money(price),
        discount_percent=to_proto_percent(line.discount_percent),
        discount=to_proto_money(line.discount),
        taxes=to_proto_line_taxes(line.all_taxes),
        sku=line.sku,
        unit_code=line.unit_code,
        period_start=line.period_start.isoformat() if line.period_start else "",
        period_end=line.period_end.isoformat() if line.period_end else "",
    )


def to_proto_line_taxes(taxes: Iterable[Tax]) -> list[pb.LineTax]:
    return [
        pb.LineTax(
            name=tax.name,
            rate_percent=to_proto_decimal(tax.rate_percent),
            category=_CATEGORY[tax.category],
            exemption_reason=tax.exemption_reason,
        )
        for tax in taxes
    ]


def to_proto_taxes(taxes: Sequence[TaxTotal]) -> list[pb.TaxTotal]:
    return [
        pb.TaxTotal(
            rate_percent=to_proto_decimal(tax.rate_percent),
            taxable=to_proto_money(tax.taxable),
            tax=to_proto_money(tax.tax),
            name=tax.name,
            category=_CATEGORY[tax.category],
            exemption_reason=tax.exemption_reason,
        )
        for tax in taxes
    ]


def from_proto_terms(request: pb.CreateInvoiceRequest) -> Terms:
    """Terms of a draft. VALIDATION_FAILED for two discounts at once and for a period that ends before it begins."""
    return Terms(**_terms(request))


def from_proto_term_changes(request: pb.UpdateInvoiceRequest) -> Mapping[str, Any]:
    """Those terms that the request names."""
    given = _terms(request)
    named = {name for name in given if name in _FIELDS and request.HasField(_FIELDS[name])}
    if {"discount_percent", "discount_amount"} & named:
        named |= {"discount_percent", "discount_amount"}
    if request.metadata:
        named.add("metadata")
    return {name: given[name] for name in named}


_FIELDS: Mapping[str, Any] = {
    "discount_percent": "discount_percent",
    "discount_amount": "discount",
    "prices_include_tax": "prices_include_tax",
    "series": "series",
    "early_discount_percent": "early_discount_percent",
    "early_discount_until": "early_discount_until",
    "period_start": "period_start",
    "period_end": "period_end",
}


def _terms(request: _REQUEST) -> dict[str, Any]:
    if request.discount_percent and request.HasField("discount"):
        raise invalid("discount", "ambiguous", "Give a discount in percent or as an amount, not both.")
    start = from_proto_day("period_start", request.period_start)
    end = from_proto_day("period_end", request.period_end)
    if start and end and end < start:
        raise invalid("period_end", "too_early", "The period ends before it begins.")
    if request.series == CREDIT_NOTE_SERIES:
        raise invalid("series", "reserved", "This series is that of credit notes. Please choose another one.")
    return {
        "discount_percent": from_proto_decimal(request.discount_percent, "0"),
        "discount_amount": _money("discount", request, "discount"),
        "prices_include_tax": request.prices_include_tax,
        "series": request.series,
        "early_discount_percent": from_proto_decimal(request.early_discount_percent, "0"),
        "early_discount_until": from_proto_day("early_discount_until", request.early_discount_until),
        "period_start": start,
        "period_end": end,
        "metadata": {key: from_proto_text(f"metadata.{key}", text) for key, text in request.metadata.items()},
    }


def to_proto_terms(terms: Terms) -> dict[str, Any]:
    """Fields of an invoice's message."""
    return {
        "relates_to_invoice_id": terms.relates_to,
        "series": terms.series,
        "discount_percent": to_proto_percent(terms.discount_percent),
        "prices_include_tax": terms.prices_include_tax,
        "early_discount_percent": to_proto_percent(terms.early_discount_percent),
        "early_discount_until": terms.early_discount_until.isoformat() if terms.early_discount_until else "",
        "period_start": terms.period_start.isoformat() if terms.period_start else "",
        "period_end": terms.period_end.isoformat() if terms.period_end else "",
        "schedule_id": terms.schedule_id,
        "metadata": dict(terms.metadata),
    }


def to_proto_percent(percent: Decimal) -> str:
    """The number, nothing for zero."""
    return to_proto_decimal(percent) if percent else ""


def _money(field: str, message: Any, name: str) -> Money | None:
    given: money_pb2.Money = getattr(message, name)
    return from_proto_money(field, given) if message.HasField(name) else None

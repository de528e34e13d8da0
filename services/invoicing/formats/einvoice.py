"""Invoices for machines: EN 16931 in both of its syntaxes, CII (as Factur-X embeds it) and UBL 2.1.

The terms BT-… and BG-… are those of EN 16931-1. The document says what was invoiced, not what was paid since: it never
changes after the invoice is final.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Any

from chassis.money import Money
from services.invoicing.domain.invoice import Buyer, Invoice
from services.invoicing.domain.organization import Organization
from services.invoicing.domain.pricing import Line, TaxCategory, TaxGroup, round_half_up
from services.invoicing.domain.transfer_slip import TransferSlip

COMMERCIAL_INVOICE = "380"
CREDIT_NOTE = "381"
_CREDIT_TRANSFER = "30"
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_HUNDRED = Decimal(100)
_MOST_DECIMALS = 2
"""BR-DEC-01 and following."""
_REASON_CODES = {
    TaxCategory.REVERSE_CHARGE: "VATEX-EU-AE",
    TaxCategory.INTRA_COMMUNITY: "VATEX-EU-IC",
    TaxCategory.EXPORT: "VATEX-EU-G",
    TaxCategory.OUTSIDE_SCOPE: "VATEX-EU-O",
}
_USUAL_REASONS = {
    TaxCategory.EXEMPT: "Exempt from tax",
    TaxCategory.REVERSE_CHARGE: "Reverse charge",
    TaxCategory.INTRA_COMMUNITY: "Intra-community supply",
    TaxCategory.EXPORT: "Export outside the European Union",
    TaxCategory.OUTSIDE_SCOPE: "Not subject to tax",
}
_NEEDS_BOTH_TAX_IDS = frozenset({TaxCategory.REVERSE_CHARGE, TaxCategory.INTRA_COMMUNITY})


class Syntax(StrEnum):
    """How EN 16931 is written."""

    CII = "factur-x"
    UBL = "ubl-2.1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """What an e-invoice tells. `corrects` is the number and day of the invoice that a credit note is about."""

    type_code: str
    number: str
    issued_on: date
    due_on: date | None
    lines: Sequence[Line]
    groups: Sequence[TaxGroup]
    prices_include_tax: bool
    buyer: Buyer
    note: str = ""
    purchase_order_number: str = ""
    period_start: date | None = None
    period_end: date | None = None
    payment_terms: str = ""
    corrects: tuple[str, date] | None = None


def of_invoice(invoice: Invoice) -> Document:
    """The document of a final invoice."""
    terms = invoice.terms
    early = ""
    if terms.early_discount_until is not None and terms.early_discount_percent:
        early = f"{terms.early_discount_percent.normalize():f} % discount until {terms.early_discount_until}"
    return Document(
        type_code=COMMERCIAL_INVOICE, number=invoice.number or "", issued_on=invoice.invoice_date,
        due_on=invoice.due_date, lines=invoice.lines, groups=invoice.sums().groups,
        prices_include_tax=terms.prices_include_tax, buyer=invoice.buyer, note=invoice.memo,
        purchase_order_number=invoice.purchase_order_number, period_start=terms.period_start,
        period_end=terms.period_end, payment_terms=early,
    )  # fmt: skip


def missing(document: Document, seller: Organization) -> list[str]:
    """What EN 16931 demands and nobody has entered, in words; empty when an e-invoice can be made."""
    categories = {group.category for group in document.groups}
    wanted = [
        (document.groups[0].taxable.exponent <= _MOST_DECIMALS, "a currency with at most two decimals"),
        (seller.country, "the country of your own address"),
        (document.buyer.country, "the customer's country"),
        (seller.tax_id or categories <= {TaxCategory.OUTSIDE_SCOPE}, "your tax id"),
        (_vat_id(_tax_ids(document.buyer)) or not categories & _NEEDS_BOTH_TAX_IDS, "the customer's VAT id"),
        (_vat_id([seller.tax_id]) or not categories & _NEEDS_BOTH_TAX_IDS, "your VAT id with its country"),
    ]
    return [what for there, what in wanted if not there]


def einvoice(
    document: Document, seller: Organization, syntax: Syntax, slip: TransferSlip | None = None
) -> bytes:
    """The XML, checked against its schema. ValueError if `missing` names something."""
    if lacking := missing(document, seller):
        raise ValueError(f"an e-invoice needs {', '.join(lacking)}")
    from facturx import generate_xml

    xml: bytes = generate_xml(
        _written(terms_of(document, seller, slip)),
        flavor=syntax.value,
        level="en16931",
        check_schematron=None,
    )
    return xml


def terms_of(document: Document, seller: Organization, slip: TransferSlip | None = None) -> dict[str, Any]:
    """The business terms by their names in the standard."""
    lines_total, allowances, terms_of_lines = _lines(document)
    taxable = sum((group.taxable.to_decimal() for group in document.groups), Decimal(0))
    tax = sum((group.tax.to_decimal() for group in document.groups), Decimal(0))
    outside = {group.category for group in document.groups} == {TaxCategory.OUTSIDE_SCOPE}
    intra = any(group.category is TaxCategory.INTRA_COMMUNITY for group in document.groups)
    terms: dict[str, Any] = {
        "BT-1": document.number,
        "BT-2": document.issued_on,
        "BT-3": document.type_code,
        "BT-5": document.groups[0].taxable.currency,
        "BT-9": document.due_on,
        "BT-10": document.purchase_order_number,
        "BT-13": document.purchase_order_number,
        "BT-20": document.payment_terms,
        "BT-72": document.period_end or document.issued_on,
        "BT-73": document.period_start,
        "BT-74": document.period_end,
        "BT-106": lines_total,
        "BT-107": sum((one["amount"] for one in allowances), Decimal(0)),
        "BT-109": taxable,
        "BT-110": tax,
        "BT-112": taxable + tax,
        "BT-115": taxable + tax,
        "BG-1": [{"BT-22": document.note}] if document.note else None,
        "BG-4": _seller(seller, outside=outside),
        "BG-7": _buyer(document.buyer, outside=outside),
        "BG-13": _buyer(document.buyer, outside=True) if intra else None,
        "BG-20": allowances,
        "BG-23": [_breakdown(group) for group in document.groups],
        "BG-25": terms_of_lines,
        **_payment(slip),
    }
    if document.corrects is not None:
        terms["BG-3"] = [{"BT-25": document.corrects[0], "BT-26": document.corrects[1]}]
    return {name: value for name, value in terms.items() if value not in (None, "", [])}


def _written(terms: Any) -> Any:
    """As the library wants it: numbers written out, so that none passes through a float, texts as XML allows them."""
    if isinstance(terms, dict):
        return {name: _written(value) for name, value in terms.items()}
    if isinstance(terms, list):
        return [_written(value) for value in terms]
    if isinstance(terms, str):
        return _NOT_XML.sub("", terms)
    return f"{terms:f}" if isinstance(terms, Decimal) else terms


def _lines(document: Document) -> tuple[Decimal, list[dict[str, Any]], list[dict[str, Any]]]:
    """Sum of the lines without tax (BT-106), allowances of the whole (BG-20) and the lines (BG-25)."""
    groups = {group.taxes: group for group in document.groups}
    reached = {group.taxes: 0 for group in document.groups}
    found = []
    for number, line in enumerate(document.lines, start=1):
        group = groups[line.all_taxes]
        before = reached[group.taxes]
        reached[group.taxes] += line.amount.minor_units
        inclusive = document.prices_include_tax
        net = _net(reached[group.taxes], group, inclusive) - _net(before, group, inclusive)
        found.append(_line(str(number), line, net, inclusive=inclusive))
    lines_total, allowances = Decimal(0), []
    for group in document.groups:
        net = _net(group.lines_total.minor_units, group, document.prices_include_tax)
        lines_total += net.to_decimal()
        if net != group.taxable:
            allowances.append(
                {
                    "amount": (net - group.taxable).to_decimal(), "reason": "Discount", "reason_code": "95",
                    "vat_category_code": group.category.value, "vat_rate": _rate(group.category, group),
                }
            )  # fmt: skip
    return lines_total, allowances, found


def _net(minor_units: int, group: TaxGroup, inclusive: bool) -> Money:
    currency = group.taxable.currency
    if not inclusive or group.rate_percent == 0:
        return Money(minor_units, currency)
    return round_half_up(minor_units * _HUNDRED / (_HUNDRED + group.rate_percent), currency)


def _line(number: str, line: Line, net: Money, *, inclusive: bool) -> dict[str, Any]:
    """A price is never below zero: the quantity bears the sign. With tax included, the price follows from the net."""
    price, quantity, allowances = line.unit_price.to_decimal(), line.quantity, []
    if inclusive:
        price = (net.to_decimal() / quantity).quantize(Decimal("1.000000")) if quantity else Decimal(0)
    elif not line.discount.is_zero:
        allowances = [
            {"amount": line.discount.to_decimal(), "reason": "Discount", "reason_code": "95"}
        ]  # fmt: skip
    if price < 0:
        price, quantity = -price, -quantity
    category = line.all_taxes[0].category
    terms = {
        "BT-126": number,
        "BT-129": quantity,
        "BT-130": line.unit_code,
        "BT-131": net.to_decimal(),
        "BT-134": line.period_start,
        "BT-135": line.period_end,
        "BT-146": price,
        "BT-151": category.value,
        "BT-152": None if category is TaxCategory.OUTSIDE_SCOPE else line.tax_rate_percent,
        "BT-153": line.description,
        "BT-155": line.sku,
        "BG-27": allowances,
    }
    return {name: value for name, value in terms.items() if value not in (None, "", [])}


def _breakdown(group: TaxGroup) -> dict[str, Any]:
    reason = group.taxes[0].exemption_reason or _USUAL_REASONS.get(group.category, "")
    terms = {
        "BT-116": group.taxable.to_decimal(),
        "BT-117": group.tax.to_decimal(),
        "BT-118": group.category.value,
        "BT-119": _rate(group.category, group),
        "BT-120": reason,
        "BT-121": _REASON_CODES.get(group.category, ""),
    }
    return {name: value for name, value in terms.items() if value not in (None, "")}


def _rate(category: TaxCategory, group: TaxGroup) -> Decimal | None:
    """No rate at all outside the scope of the tax."""
    return None if category is TaxCategory.OUTSIDE_SCOPE else group.rate_percent


def _seller(seller: Organization, *, outside: bool) -> dict[str, Any]:
    contact = {"name": seller.display_name, "phone": seller.contact_phone, "email": seller.contact_email}
    registration = _registration([seller.tax_id], outside=outside)
    party = {
        "name": seller.name,
        # A supplier is known by a VAT id or by an id of any kind (BR-CO-26).
        "identifiers": {}
        if "vat_identifier" in registration
        else {"": seller.tax_id or seller.organization_id},
        **_address(seller.address_lines, seller.city, seller.postal_code, seller.country),
        "country_subdivision": seller.region,
        "contacts": [{name: value for name, value in contact.items() if value}],
        **registration,
    }
    return {name: value for name, value in party.items() if value}


def _buyer(buyer: Buyer, *, outside: bool) -> dict[str, Any]:
    party = {
        "name": buyer.legal_name or buyer.name,
        **_address(buyer.address_lines, buyer.city, buyer.postal_code, buyer.country),
        "country_subdivision": buyer.region,
        **_registration(_tax_ids(buyer), outside=outside),
    }
    return {name: value for name, value in party.items() if value}


def _address(lines: Sequence[str], city: str, postal_code: str, country: str) -> dict[str, str]:
    """Three lines at most: what is more goes into the third."""
    first, second, *rest = (*lines, "", "")
    return {
        "addr_l1": first, "addr_l2": second, "addr_l3": ", ".join(line for line in rest if line), "city": city,
        "postcode": postal_code, "country_code": country,
    }  # fmt: skip


def _registration(tax_ids: Sequence[str], *, outside: bool) -> dict[str, str]:
    """A VAT id begins with its country (BR-CO-9); any other is a tax id of the country. None outside the scope."""
    vat = _vat_id(tax_ids)
    if outside:
        return {}
    other = next((one for one in tax_ids if one and one != vat), "")
    return {"vat_identifier": vat} if vat else {"tax_identifier": other}


def _tax_ids(buyer: Buyer) -> list[str]:
    return [*(value for _, value in buyer.tax_ids), buyer.tax_id]


def _vat_id(tax_ids: Sequence[str]) -> str:
    return next((one for one in tax_ids if len(one) > 4 and one[:2].isalpha() and one[:2].isupper()), "")


def _payment(slip: TransferSlip | None) -> dict[str, Any]:
    if slip is None:
        return {}
    terms = {
        "BT-81": _CREDIT_TRANSFER,
        "BT-83": slip.reference,
        "BT-84": slip.account_number,
        "BT-85": slip.account_holder,
        "BT-86": slip.bic,
    }
    return {name: value for name, value in terms.items() if value}

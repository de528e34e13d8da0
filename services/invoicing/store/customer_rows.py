"""Customers as rows of their table."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Row

from chassis.money import Money
from services.invoicing.domain.billing import Address, OrderRule, OrderRuleKind, TaxStanding, TaxTreatment
from services.invoicing.domain.customer import Customer
from services.invoicing.domain.tax_id import TaxId

_SAME = (
    "customer_id", "name", "email", "external_id", "currency", "locale", "country", "tax_id",
    "payment_terms_days", "created_at", "version", "legal_name", "city", "region", "postal_code",
    "purchase_order_number", "due_at_month_end", "early_discount_percent", "early_discount_days", "on_hold",
    "hold_reason", "time_zone", "account_manager_id",
)  # fmt: skip
_LISTS = ("address_lines", "segments", "ancestor_ids")
_MAPS = ("external_ids", "metadata")


def values_of(customer: Customer) -> dict[str, Any]:
    """What is written of a customer, by column."""
    values: dict[str, Any] = {name: getattr(customer, name) for name in _SAME}
    values |= {name: list(getattr(customer, name)) for name in _LISTS}
    values |= {name: dict(getattr(customer, name)) for name in _MAPS}
    shipping, limit = customer.shipping, customer.credit_limit
    return values | {
        "shipping": None if shipping is None else address_document(shipping),
        "tax_ids": [[one.country, one.kind, one.value] for one in customer.tax_ids],
        "order_rule": customer.order_rule.kind.value,
        "order_pattern": customer.order_rule.pattern,
        "credit_limit_minor_units": None if limit is None else limit.minor_units,
        "tax_treatment": customer.taxes.treatment.value,
        "exemption_certificate": customer.taxes.exemption_certificate,
        "exemption_valid_until": customer.taxes.exemption_valid_until,
        "parent_customer_id": customer.parent_customer_id,
    }


def customer_of(row: Row[Any]) -> Customer:
    """A customer from all columns of its row."""
    values: dict[str, Any] = {name: getattr(row, name) for name in _SAME}
    values |= {name: tuple(getattr(row, name)) for name in _LISTS}
    values |= {name: getattr(row, name) for name in _MAPS}
    limit = row.credit_limit_minor_units
    return Customer(
        **values,
        shipping=None if row.shipping is None else _address(row.shipping),
        tax_ids=tuple(TaxId(*one) for one in row.tax_ids),
        order_rule=OrderRule(OrderRuleKind(row.order_rule), row.order_pattern),
        credit_limit=None if limit is None else Money(limit, row.currency),
        taxes=TaxStanding(
            TaxTreatment(row.tax_treatment), row.exemption_certificate, row.exemption_valid_until
        ),
    )


def address_document(address: Address) -> dict[str, Any]:
    """An address as it is kept in a JSON column."""
    return {
        "lines": list(address.lines),
        "city": address.city,
        "region": address.region,
        "postal_code": address.postal_code,
        "country": address.country,
    }


def _address(document: Mapping[str, Any]) -> Address:
    return Address(**{**document, "lines": tuple(document["lines"])})

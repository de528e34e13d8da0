"""Rows of files as they wait to be imported."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from sqlalchemy import Row as SqlRow

from chassis.money import Money
from services.invoicing.domain.invoice_import import Record, Row, TaxPart
from services.invoicing.domain.pricing import TaxCategory


def row_values(import_id: str, row: Row | Record) -> dict[str, Any]:
    """The columns of a row; a customer or an item is a document."""
    if isinstance(row, Record):
        return {
            "import_id": import_id, "line": row.line, "external_id": row.key, "customer_external_id": "",
            "customer_name": "", "customer_email": "", "currency": "", "description": "", "disputed": False,
            "handled": False, "document": dict(row.values),
        }  # fmt: skip
    return {
        "import_id": import_id,
        "line": row.line,
        "external_id": row.external_id,
        "customer_external_id": row.customer_external_id,
        "customer_name": row.customer_name,
        "customer_email": row.customer_email,
        "invoice_date": row.invoice_date,
        "due_date": row.due_date,
        "total_minor_units": row.total.minor_units,
        "currency": row.total.currency,
        "description": row.description,
        "disputed": row.disputed,
        "settled_date": row.settled_date,
        "handled": False,
        "document": {
            "taxes": [_tax_values(part) for part in row.taxes],
            "received_minor_units": row.received.minor_units,
        },
    }


def row_of(row: SqlRow[Any]) -> Row | Record:
    """A row as it was understood."""
    if row.invoice_date is None:
        return Record(line=row.line, key=row.external_id, values=row.document)
    document = row.document or {}
    parts = document.get("taxes", ())
    before = (
        row.total_minor_units if row.settled_date else 0
    )  # rows that waited when nothing was told of parts
    return Row(
        line=row.line,
        external_id=row.external_id,
        customer_external_id=row.customer_external_id,
        customer_name=row.customer_name,
        customer_email=row.customer_email,
        invoice_date=row.invoice_date,
        due_date=row.due_date,
        total=Money(row.total_minor_units, row.currency),
        description=row.description,
        disputed=row.disputed,
        settled_date=row.settled_date,
        received=Money(document.get("received_minor_units", before), row.currency),
        taxes=tuple(_tax_part(part, row.currency) for part in parts),
    )


def _tax_values(part: TaxPart) -> dict[str, Any]:
    return {
        "category": part.category.value, "rate_percent": str(part.rate_percent),
        "taxable_minor_units": part.taxable.minor_units, "tax_minor_units": part.tax.minor_units,
    }  # fmt: skip


def _tax_part(values: Mapping[str, Any], currency: str) -> TaxPart:
    return TaxPart(
        TaxCategory(values["category"]), Decimal(values["rate_percent"]),
        Money(values["taxable_minor_units"], currency), Money(values["tax_minor_units"], currency),
    )  # fmt: skip

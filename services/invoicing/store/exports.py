"""Rows of exports, page by page behind the last one that was read."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Row, text

from chassis.database import ReadTx
from chassis.money import Money
from services.invoicing.domain.export import COLUMNS, Column, ColumnType, ExportKind, Record, Value
from services.invoicing.store.invoice_lists import InvoiceFilter

Key = tuple[Any, ...]
"""Where a row stands in its export."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportQuery:
    """What to read. `customer_ids` of None are everybody's; `since` and `before` bound what has a moment, not a day."""

    kind: ExportKind
    customer_ids: Sequence[str] | None
    first_day: date
    last_day: date
    since: datetime
    before: datetime
    time_zone: str
    today: date
    filter: InvoiceFilter = InvoiceFilter.ALL


@dataclass(frozen=True, slots=True)
class _Source:
    """A query without its order: `{mine}` narrows customers, `{filter}` invoices; `keys` order and `types` them."""

    query: str
    keys: tuple[str, ...]
    types: tuple[str, ...]


async def page_of(
    tx: ReadTx, query: ExportQuery, *, after: Key | None, limit: int
) -> tuple[list[Record], Key | None]:
    """At most `limit` rows behind a key, and the key of the last one; None when that was the last page."""
    params = _params(tx, query) | {"limit": limit}
    if after is not None:
        params |= {f"key_{at}": value for at, value in enumerate(after)}
    found = (await tx.execute(text(_statement(query, is_first=after is None)), params)).all()
    columns = COLUMNS[query.kind]
    key = tuple(found[-1][: len(_SOURCES[query.kind].keys)]) if len(found) == limit else None
    return [_record(row, columns) for row in found], key


def _params(tx: ReadTx, query: ExportQuery) -> dict[str, Any]:
    return {
        "organization_id": tx.organization_id,
        "customer_ids": None if query.customer_ids is None else list(query.customer_ids),
        "first_day": query.first_day,
        "last_day": query.last_day,
        "since": query.since,
        "before": query.before,
        "zone": query.time_zone,
        "today": query.today,
    }


def _statement(query: ExportQuery, *, is_first: bool) -> str:
    source = _SOURCES[query.kind]
    keys = ", ".join(source.keys)
    places = ", ".join(f"CAST(:key_{at} AS {kind})" for at, kind in enumerate(source.types))
    named = ", ".join(f"{key} AS key_{at}" for at, key in enumerate(source.keys))
    behind = "" if is_first else f"AND ({keys}) > ({places})"
    body = source.query.format(filter=_FILTERS[query.filter], mine=_MINE)
    return f"SELECT {named}, {body} {behind} ORDER BY {keys} LIMIT :limit"


def _record(row: Row[Any], columns: Sequence[Column]) -> Record:
    values = row._mapping
    return [_value(values, column) for column in columns]


def _value(values: Any, column: Column) -> Value:
    if column.type is ColumnType.MONEY:
        units = values[f"{column.name}_minor_units"]
        return None if units is None else Money(int(units), values["currency"]).to_decimal()
    value: Value = values[column.name]
    return value


_MINE = "AND (CAST(:customer_ids AS text[]) IS NULL OR i.customer_id = ANY(CAST(:customer_ids AS text[])))"
_PAYABLE = "i.status IN ('open', 'partly_paid')"
_FILTERS = {
    InvoiceFilter.ALL: "AND i.status <> 'draft'",
    InvoiceFilter.PAYABLE: f"AND {_PAYABLE}",
    InvoiceFilter.OVERDUE: f"AND {_PAYABLE} AND i.due_date < CAST(:today AS date)",
    InvoiceFilter.PAID: "AND i.status = 'paid'",
    InvoiceFilter.DRAFT: "AND i.status = 'draft'",
    InvoiceFilter.DISPUTED: "AND i.disputed",
    InvoiceFilter.UNCOLLECTIBLE: "AND i.status = 'uncollectible'",
}
_IN_PERIOD = "i.invoice_date BETWEEN CAST(:first_day AS date) AND CAST(:last_day AS date)"

_SOURCES = {
    ExportKind.INVOICES: _Source(
        f"""coalesce(i.number, '') AS number, i.kind, i.status, i.invoice_date, i.due_date, i.customer_id,
            coalesce(c.external_id, '') AS customer_external_id, i.customer_name, i.currency, i.subtotal_minor_units,
            i.tax_minor_units, i.total_minor_units, i.paid_minor_units, i.credited_minor_units,
            i.disputed_minor_units, i.purchase_order_number, coalesce(i.external_id, '') AS external_id, i.invoice_id,
            CASE WHEN i.status = 'void' THEN 0
                 ELSE i.total_minor_units - i.paid_minor_units - i.credited_minor_units END AS due_minor_units
        FROM invoices i
        JOIN customers c ON c.organization_id = i.organization_id AND c.customer_id = i.customer_id
        WHERE i.organization_id = :organization_id AND {_IN_PERIOD} {{filter}} {{mine}}""",
        ("i.invoice_date", "i.invoice_id"),
        ("date", "text"),
    ),
    ExportKind.INVOICE_LINES: _Source(
        f"""coalesce(i.number, '') AS invoice_number, i.invoice_date, i.status, i.customer_name, l.line_no, l.sku,
            l.description, l.quantity, i.currency, l.unit_price_minor_units, l.tax_rate_percent, l.amount_minor_units,
            i.invoice_id
        FROM invoices i
        JOIN invoice_lines l ON l.organization_id = i.organization_id AND l.invoice_id = i.invoice_id
        WHERE i.organization_id = :organization_id AND {_IN_PERIOD} {{filter}} {{mine}}""",
        ("i.invoice_date", "i.invoice_id", "l.line_no"),
        ("date", "text", "integer"),
    ),
    ExportKind.PAYMENTS: _Source(
        """p.received_on, p.receipt_number, payer.name AS payer_name, i.number AS invoice_number, i.customer_name,
            i.currency, part.amount_minor_units, part.payment_id <> part.source_payment_id AS from_credit,
            part.payment_id, i.invoice_id
        FROM (
            SELECT payment_id, payment_id AS source_payment_id, invoice_id, amount_minor_units
            FROM allocations WHERE organization_id = :organization_id
            UNION ALL
            SELECT payment_id, source_payment_id, invoice_id, amount_minor_units
            FROM credit_allocations WHERE organization_id = :organization_id
        ) part
        JOIN payment_applications p ON p.organization_id = :organization_id AND p.payment_id = part.payment_id
        JOIN invoices i ON i.organization_id = :organization_id AND i.invoice_id = part.invoice_id
        JOIN customers payer
            ON payer.organization_id = :organization_id AND payer.customer_id = p.customer_id
        WHERE p.received_on BETWEEN CAST(:first_day AS date) AND CAST(:last_day AS date) {mine}""",
        ("p.received_on", "part.payment_id", "part.source_payment_id", "part.invoice_id"),
        ("date", "text", "text", "text"),
    ),
    ExportKind.CREDIT_NOTES: _Source(
        """n.number, n.issued_on, coalesce(i.number, '') AS invoice_number, i.customer_name, n.currency,
            n.subtotal_minor_units, n.tax_minor_units, n.total_minor_units, n.to_credit_minor_units, n.reason_code,
            n.reason, n.credit_note_id, n.invoice_id
        FROM credit_notes n
        JOIN invoices i ON i.organization_id = n.organization_id AND i.invoice_id = n.invoice_id
        WHERE n.organization_id = :organization_id
          AND n.issued_on BETWEEN CAST(:first_day AS date) AND CAST(:last_day AS date) {mine}""",
        ("n.issued_on", "n.credit_note_id"),
        ("date", "text"),
    ),
    ExportKind.CUSTOMERS: _Source(
        """i.customer_id, coalesce(i.external_id, '') AS external_id, i.name, i.legal_name, i.email, i.currency,
            i.locale, i.postal_code, i.city, i.region, i.country, i.tax_id, i.payment_terms_days, i.on_hold,
            array_to_string(i.address_lines, ', ') AS address,
            coalesce(i.ancestor_ids[1], '') AS parent_customer_id,
            CAST(i.created_at AT TIME ZONE CAST(:zone AS text) AS date) AS created_on
        FROM customers i WHERE i.organization_id = :organization_id {mine}""",
        ("i.customer_id",),
        ("text",),
    ),
    ExportKind.LEDGER: _Source(
        """CAST(e.occurred_at AT TIME ZONE CAST(:zone AS text) AS date) AS day, e.entry_id, l.line_no, e.source,
            e.source_id, e.kind, e.description, l.account, l.owner, l.currency,
            CASE l.side WHEN 'D' THEN l.amount_minor_units END AS debit_minor_units,
            CASE l.side WHEN 'C' THEN l.amount_minor_units END AS credit_minor_units
        FROM ledger_entries e
        JOIN ledger_lines l ON l.organization_id = e.organization_id AND l.entry_id = e.entry_id
        WHERE e.organization_id = :organization_id AND e.occurred_at >= :since AND e.occurred_at < :before
          AND (CAST(:customer_ids AS text[]) IS NULL OR l.owner = ANY(CAST(:customer_ids AS text[])))""",
        ("e.occurred_at", "e.entry_id", "l.line_no"),
        ("timestamptz", "text", "smallint"),
    ),
}

"""What customers owed on a day and what happened in between, read off the ledger of receivables."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Row, text

from chassis.database import ReadTx
from chassis.money import Money
from services.invoicing.domain.organization import Organization
from services.invoicing.domain.statement import OpenOnDay, Standing, StatementRow, row_kind


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """Of whom and of when: from a moment until right before another."""

    customer_ids: Sequence[str]
    since: datetime
    before: datetime


async def standings(tx: ReadTx, window: Window) -> dict[str, Standing]:
    """Opening, owed and credit by currency."""
    return {
        row.currency: Standing(
            opening=Money(int(row.opening), row.currency),
            owed=Money(int(row.owed), row.currency),
            credit=Money(int(row.credit), row.currency),
        )
        for row in await tx.execute(_STANDINGS, _params(tx, window))
    }


async def rows_of(
    tx: ReadTx, window: Window, organization: Organization, *, after: StatementRow | None, limit: int
) -> list[StatementRow]:
    """At most `limit` rows below a row, by currency and then as they happened; balances are not worked out."""
    params = _params(tx, window) | {
        "limit": limit,
        "currency": after.amount.currency if after else "",
        "occurred_at": after.occurred_at if after else None,
        "entry_id": after.entry_id if after else "",
    }
    return [_row(row, organization) for row in await tx.execute(_ROWS, params)]


async def open_on(tx: ReadTx, window: Window) -> dict[str, list[OpenOnDay]]:
    """What was due of each invoice right before the window's end, by currency.

    What is in dispute is what is now: of a window that ended before now nothing is.
    """
    found: dict[str, list[OpenOnDay]] = {}
    has_ended = window.before <= tx.now()
    for row in await tx.execute(_OPEN, _params(tx, window)):
        disputed = 0 if has_ended else max(0, min(row.disputed_minor_units, int(row.due)))
        item = OpenOnDay(
            row.invoice_id, Money(int(row.due), row.currency), row.due_date, Money(disputed, row.currency)
        )
        found.setdefault(row.currency, []).append(item)
    return found


async def names_of(tx: ReadTx, customer_ids: Sequence[str]) -> dict[str, str]:
    """Names by id."""
    params = {"organization_id": tx.organization_id, "customer_ids": list(customer_ids)}
    return {row.customer_id: row.name for row in await tx.execute(_NAMES, params)}


def _params(tx: ReadTx, window: Window) -> dict[str, Any]:
    return {
        "organization_id": tx.organization_id,
        "customer_ids": list(window.customer_ids),
        "since": window.since,
        "before": window.before,
    }


def _row(row: Row[Any], organization: Organization) -> StatementRow:
    amount = Money(int(row.amount), row.currency)
    due_date: date | None = row.due_date if row.source == "invoice" else None
    return StatementRow(
        entry_id=row.entry_id,
        occurred_at=row.occurred_at,
        on=organization.date_of(row.occurred_at),
        kind=row_kind(row.source, row.kind, row.invoice_kind or "", amount),
        number=row.number or "",
        document_id=row.document_id,
        customer_id=row.owner if row.owners == 1 else row.customer_id or row.owner,
        amount=amount,
        balance=amount,
        due_date=due_date,
    )


_OF_THEM = """
    FROM ledger_lines l
    JOIN ledger_entries e ON e.organization_id = l.organization_id AND e.entry_id = l.entry_id
    WHERE l.organization_id = :organization_id AND l.account IN ('receivable', 'customer_credit')
      AND l.owner = ANY(CAST(:customer_ids AS text[]))
"""
_SIGNED = "CASE l.side WHEN 'D' THEN l.amount_minor_units ELSE -l.amount_minor_units END"
_STANDINGS = text(f"""
    SELECT l.currency,
        coalesce(sum({_SIGNED}) FILTER (WHERE e.occurred_at < :since), 0) AS opening,
        coalesce(sum({_SIGNED}) FILTER (WHERE e.occurred_at < :before AND l.account = 'receivable'), 0) AS owed,
        -coalesce(sum({_SIGNED}) FILTER (WHERE e.occurred_at < :before AND l.account = 'customer_credit'), 0)
            AS credit
    {_OF_THEM}
    GROUP BY l.currency ORDER BY l.currency
""")
_ROWS = text(f"""
    WITH page AS (
        SELECT e.entry_id, e.occurred_at, e.source, e.source_id, e.kind, l.currency, sum({_SIGNED}) AS amount,
            min(l.owner) AS owner, count(DISTINCT l.owner) AS owners
        {_OF_THEM} AND e.occurred_at >= :since AND e.occurred_at < :before
        GROUP BY e.organization_id, e.entry_id, l.currency
        HAVING sum({_SIGNED}) <> 0
           AND (l.currency, e.occurred_at, e.entry_id) > (
               :currency, coalesce(CAST(:occurred_at AS timestamptz), '-infinity'), :entry_id)
        ORDER BY l.currency, e.occurred_at, e.entry_id LIMIT :limit
    )
    SELECT page.*, invoice.kind AS invoice_kind, invoice.due_date,
        coalesce(note.number, invoice.number, adjusted.number, payment.receipt_number) AS number,
        coalesce(note.credit_note_id, adjusted.invoice_id, page.source_id) AS document_id,
        coalesce(invoice.customer_id, adjusted.customer_id, payment.customer_id) AS customer_id
    FROM page
    LEFT JOIN invoices invoice ON page.source = 'invoice'
        AND invoice.organization_id = :organization_id AND invoice.invoice_id = page.source_id
    LEFT JOIN payment_applications payment ON page.source = 'payment'
        AND payment.organization_id = :organization_id AND payment.payment_id = page.source_id
    LEFT JOIN invoice_adjustments adjustment ON page.source = 'adjustment'
        AND adjustment.organization_id = :organization_id AND adjustment.adjustment_id = page.source_id
    LEFT JOIN invoices adjusted ON adjusted.organization_id = :organization_id
        AND adjusted.invoice_id = adjustment.invoice_id
    LEFT JOIN credit_notes note ON adjustment.kind = 'credit_note'
        AND note.organization_id = :organization_id AND note.credit_note_id = adjustment.source_id
    ORDER BY page.currency, page.occurred_at, page.entry_id
""")  # noqa: S608 - constants only


def _later(source: str, source_id: str, kind: str) -> str:
    """Whether an entry was booked for the window's end or later."""
    return f"""EXISTS (
        SELECT FROM ledger_entries later
        WHERE later.organization_id = :organization_id AND later.source = '{source}'
          AND later.source_id = {source_id} AND later.kind = {kind} AND later.occurred_at >= :before
    )"""


_OPEN = text(f"""
    WITH mine AS (
        SELECT invoice_id, currency, due_date, disputed_minor_units,
            CASE WHEN status = 'void' AND NOT {_later("invoice", "invoices.invoice_id", "'voided'")} THEN 0
                 ELSE total_minor_units - paid_minor_units - credited_minor_units END AS due
        FROM invoices
        WHERE organization_id = :organization_id AND customer_id = ANY(CAST(:customer_ids AS text[]))
          AND status <> 'draft' AND NOT {_later("invoice", "invoices.invoice_id", "'finalized'")}
    ), undone AS (
        SELECT part.invoice_id, part.amount_minor_units AS amount
        FROM mine JOIN allocations part
            ON part.organization_id = :organization_id AND part.invoice_id = mine.invoice_id
        WHERE {_later("payment", "part.payment_id", "'applied'")}
        UNION ALL
        SELECT part.invoice_id, part.amount_minor_units
        FROM mine JOIN credit_allocations part
            ON part.organization_id = :organization_id AND part.invoice_id = mine.invoice_id
        WHERE {_later("payment", "part.payment_id", "'applied'")}
        UNION ALL
        SELECT made.invoice_id, made.amount_minor_units
        FROM mine JOIN invoice_adjustments made
            ON made.organization_id = :organization_id AND made.invoice_id = mine.invoice_id
        WHERE {_later("adjustment", "made.adjustment_id", "made.kind")}
        UNION ALL
        SELECT made.invoice_id, -part.amount_minor_units
        FROM mine JOIN invoice_adjustments made
            ON made.organization_id = :organization_id AND made.invoice_id = mine.invoice_id
           AND made.kind = 'credit_note'
        JOIN credit_note_parts part
            ON part.organization_id = :organization_id AND part.credit_note_id = made.source_id
        WHERE {_later("adjustment", "made.adjustment_id", "made.kind")}
          AND NOT {_later("payment", "part.payment_id", "'applied'")}
        UNION ALL
        SELECT part.invoice_id, part.amount_minor_units * (
            CASE WHEN {_later("payment", "back.payment_id", "'reinstated:' || back.reversal_id")} THEN 1 ELSE 0 END
            - CASE WHEN {_later("payment", "back.payment_id", "'reversed:' || back.reversal_id")} THEN 1 ELSE 0 END)
        FROM mine JOIN reversal_parts part
            ON part.organization_id = :organization_id AND part.invoice_id = mine.invoice_id
        JOIN payment_reversals back
            ON back.organization_id = :organization_id AND back.reversal_id = part.reversal_id
        WHERE NOT back.forgiven AND NOT {_later("payment", "part.payment_id", "'applied'")}
    ), sums AS (
        SELECT invoice_id, sum(amount) AS amount FROM undone GROUP BY invoice_id
    )
    SELECT mine.invoice_id, mine.currency, mine.due_date, mine.disputed_minor_units,
        mine.due + coalesce(sums.amount, 0) AS due
    FROM mine LEFT JOIN sums USING (invoice_id)
    WHERE mine.due + coalesce(sums.amount, 0) <> 0
    ORDER BY mine.currency, mine.due_date
""")  # noqa: S608 - constants only
_NAMES = text("""
    SELECT customer_id, name FROM customers
    WHERE organization_id = :organization_id AND customer_id = ANY(CAST(:customer_ids AS text[]))
""")

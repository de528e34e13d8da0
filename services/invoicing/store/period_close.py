"""What should be looked at before a period is closed."""

from collections.abc import Mapping
from datetime import date, datetime

from sqlalchemy import text

from chassis.database import ReadTx
from chassis.money import Money
from services.invoicing.domain.period_close import MOST_FOUND, CloseCheck, CloseCheckKind


async def open_points(tx: ReadTx, *, until: date, before: datetime) -> list[CloseCheck]:
    """One for each kind that is a matter of rows, in their order."""
    params = {"organization_id": tx.organization_id, "until": until, "before": before}
    checks = []
    for kind, query in _QUERIES.items():
        rows = (await tx.execute(text(query), params)).all()
        amounts = [Money(int(row.amount), row.currency) for row in rows if row.amount]
        found = [name for row in rows for name in row.found or ()]
        checks.append(CloseCheck(kind, sum(row.how_many for row in rows), amounts, found[:MOST_FOUND]))
    return checks


_SIGNED = "CASE l.side WHEN 'D' THEN l.amount_minor_units ELSE -l.amount_minor_units END"
_LINES = """
    FROM ledger_lines l
    JOIN ledger_entries e ON e.organization_id = l.organization_id AND e.entry_id = l.entry_id
    WHERE l.organization_id = :organization_id AND e.occurred_at < :before
"""
_QUERIES: Mapping[CloseCheckKind, str] = {
    CloseCheckKind.DRAFTS: """
        SELECT currency, count(*) AS how_many, sum(total_minor_units) AS amount,
            (array_agg(customer_name ORDER BY invoice_date, invoice_id))[1:5] AS found
        FROM invoices
        WHERE organization_id = :organization_id AND status = 'draft' AND invoice_date <= :until
        GROUP BY currency ORDER BY currency
    """,
    CloseCheckKind.UNAPPLIED_CREDIT: f"""
        SELECT lot.currency, count(*) AS how_many, sum(lot.amount) AS amount,
            (array_agg(c.name ORDER BY lot.amount DESC, c.name))[1:5] AS found
        FROM (
            SELECT l.currency, l.owner, -sum({_SIGNED}) AS amount {_LINES} AND l.account = 'customer_credit'
            GROUP BY l.currency, l.owner HAVING sum({_SIGNED}) <> 0
        ) AS lot
        JOIN customers c ON c.organization_id = :organization_id AND c.customer_id = lot.owner
        GROUP BY lot.currency ORDER BY lot.currency
    """,  # noqa: S608 - constants only
    CloseCheckKind.DISPUTES: """
        SELECT currency, count(*) AS how_many, sum(disputed_minor_units) AS amount,
            (array_agg(number ORDER BY invoice_date, number))[1:5] AS found
        FROM invoices
        WHERE organization_id = :organization_id AND disputed AND invoice_date <= :until
          AND status IN ('open', 'partly_paid')
        GROUP BY currency ORDER BY currency
    """,
    CloseCheckKind.PAYMENTS_UNDER_WAY: """
        SELECT i.currency, count(DISTINCT r.payment_id) AS how_many, sum(r.amount_minor_units) AS amount,
            (array_agg(DISTINCT i.number))[1:5] AS found
        FROM reservations r
        JOIN invoices i ON i.organization_id = r.organization_id AND i.invoice_id = r.invoice_id
        WHERE r.organization_id = :organization_id AND r.state = 'held' AND r.created_at < :before
        GROUP BY i.currency ORDER BY i.currency
    """,
    CloseCheckKind.SUSPENSE: f"""
        SELECT l.currency, 1 AS how_many, sum({_SIGNED}) AS amount, CAST(NULL AS text[]) AS found
        {_LINES} AND l.account = 'suspense'
        GROUP BY l.currency HAVING sum({_SIGNED}) <> 0 ORDER BY l.currency
    """,
}

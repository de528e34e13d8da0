"""What of payments should be looked at before a period is closed."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime

from sqlalchemy import text

from chassis.database import ReadTx
from chassis.money import Money

MOST_FOUND = 5


@dataclass(frozen=True, slots=True)
class CloseFact:
    """How many there are, what they come to by currency, and some of them."""

    count: int = 0
    amounts: tuple[Money, ...] = ()
    found: tuple[str, ...] = field(default=())


async def unmatched_receipts(tx: ReadTx, *, until: date, before: datetime) -> CloseFact:
    """Lines of the bank up to a day that nobody has matched, and what of payouts our books could not explain."""
    return await _fact(tx, _UNMATCHED, {"until": until, "before": before})


async def unclear_payments(tx: ReadTx, *, before: datetime) -> CloseFact:
    """Payments whose attempt has no end yet that anybody knows; what waits for its payer is none of them."""
    return await _fact(tx, _UNCLEAR, {"before": before})


async def _fact(tx: ReadTx, query: str, params: Mapping[str, object]) -> CloseFact:
    rows = (await tx.execute(text(query), {"organization_id": tx.organization_id, **params})).all()
    return CloseFact(
        sum(row.how_many for row in rows),
        tuple(Money(int(row.amount), row.currency) for row in rows),
        tuple(name for row in rows for name in row.found or ())[:MOST_FOUND],
    )


_UNMATCHED = """
    SELECT currency, sum(how_many) AS how_many, sum(amount) AS amount, (array_agg(found))[1:5] AS found
    FROM (
        SELECT currency, 1 AS how_many, amount_minor_units AS amount, booked_on,
            coalesce(nullif(counterparty_name, ''), booked_on::text) AS found
        FROM bank_lines
        WHERE organization_id = :organization_id AND status = 'unmatched' AND booked_on <= :until
        UNION ALL
        SELECT l.currency, 1, sum(CASE l.side WHEN 'C' THEN l.amount_minor_units ELSE -l.amount_minor_units END),
            NULL, l.owner
        FROM ledger_lines l
        JOIN ledger_entries e ON e.organization_id = l.organization_id AND e.entry_id = l.entry_id
        WHERE l.organization_id = :organization_id AND l.account = 'unmatched_receipts' AND e.occurred_at < :before
        GROUP BY l.currency, l.owner
        HAVING sum(CASE l.side WHEN 'C' THEN l.amount_minor_units ELSE -l.amount_minor_units END) <> 0
        ORDER BY booked_on
    ) AS waiting
    GROUP BY currency ORDER BY currency
"""
_UNCLEAR = """
    SELECT currency, count(*) AS how_many, sum(amount_minor_units) AS amount,
        (array_agg(payment_id ORDER BY created_at, payment_id))[1:5] AS found
    FROM payment_attempts
    WHERE organization_id = :organization_id AND state IN ('submitting', 'unknown', 'review')
      AND created_at < :before
    GROUP BY currency ORDER BY currency
"""

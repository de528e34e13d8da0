"""The entries of the cash ledger as they are read."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text

from chassis.database import ReadTx
from chassis.money import Money
from chassis.paging import Position


@dataclass(frozen=True, slots=True)
class LedgerLine:
    """One side of an entry; `is_debit` or else credit."""

    account: str
    owner: str
    is_debit: bool
    amount: Money


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerEntry:
    """An entry with its lines."""

    entry_id: str
    source: str
    source_id: str
    kind: str
    occurred_at: datetime
    posted_at: datetime
    lines: Sequence[LedgerLine]


async def entries(tx: ReadTx, *, payment_id: str, after: Position | None, limit: int) -> list[LedgerEntry]:
    """At most `limit` entries below a position; with `payment_id` only those about that payment."""
    about = _ABOUT_PAYMENT if payment_id else ""
    below = "AND (e.posted_at, e.entry_id) < (:posted_at, :entry_id)" if after else ""
    params = {
        "organization_id": tx.organization_id,
        "payment_id": payment_id,
        "posted_at": after[0] if after else None,
        "entry_id": after[1] if after else None,
        "limit": limit,
    }
    statement = text(_ENTRIES.format(about=about, below=below))
    return [
        LedgerEntry(
            entry_id=row.entry_id,
            source=row.source,
            source_id=row.source_id,
            kind=row.kind,
            occurred_at=row.occurred_at,
            posted_at=row.posted_at,
            lines=tuple(
                LedgerLine(account, owner, side == "D", Money(units, currency))
                for account, owner, side, units, currency in zip(
                    row.accounts, row.owners, row.sides, row.amounts, row.currencies, strict=True
                )
            ),
        )
        for row in await tx.execute(statement, params)
    ]


_ABOUT_PAYMENT = """
    AND (e.source_id = :payment_id
         OR e.source_id IN (SELECT refund_id FROM refunds
                            WHERE organization_id = :organization_id AND payment_id = :payment_id)
         OR e.source_id IN (SELECT chargeback_id FROM chargebacks
                            WHERE organization_id = :organization_id AND payment_id = :payment_id)
         OR e.source_id IN (SELECT return_id FROM returns
                            WHERE organization_id = :organization_id AND payment_id = :payment_id))
"""
_ENTRIES = """
    SELECT e.entry_id, e.source, e.source_id, e.kind, e.occurred_at, e.posted_at,
           array_agg(l.account ORDER BY l.line_no) AS accounts, array_agg(l.owner ORDER BY l.line_no) AS owners,
           array_agg(l.side ORDER BY l.line_no) AS sides,
           array_agg(l.amount_minor_units ORDER BY l.line_no) AS amounts,
           array_agg(l.currency ORDER BY l.line_no) AS currencies
    FROM ledger_entries e
    JOIN ledger_lines l ON l.organization_id = e.organization_id AND l.entry_id = e.entry_id
    WHERE e.organization_id = :organization_id {about} {below}
    GROUP BY e.organization_id, e.entry_id
    ORDER BY e.posted_at DESC, e.entry_id DESC LIMIT :limit
"""

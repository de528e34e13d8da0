"""Closing the books of a service: balances at the end of a day, and locks, of which only the newest can be taken away.

What is booked into a locked period counts from the first moment after it (`migrations.create_period_locks`): money that
came late is never refused, and no figure of a closed period changes.
"""

from datetime import date, datetime

from sqlalchemy import text

from chassis.book_figures import AccountBalance, PeriodLock
from chassis.database import ReadTx, WriteTx
from chassis.money import Money


async def balances(tx: ReadTx, *, before: datetime) -> list[AccountBalance]:
    """All accounts, owners left out, with what happened before a moment."""
    rows = await tx.execute(_BALANCES, {"organization_id": tx.organization_id, "before": before})
    return [
        AccountBalance(
            row.account, Money(int(row.debits), row.currency), Money(int(row.credits), row.currency)
        )
        for row in rows
    ]


async def period_lock(tx: ReadTx) -> PeriodLock | None:
    """The newest lock."""
    row = (await tx.execute(_LOCK, {"organization_id": tx.organization_id})).first()
    return None if row is None else PeriodLock(row.until, row.locked_by, row.locked_at)


async def lock_period(tx: WriteTx, lock: PeriodLock, *, locked_before: datetime) -> None:
    """Lock the books up to a day that ends at `locked_before`."""
    await tx.execute(
        _INSERT_LOCK,
        {
            "organization_id": tx.organization_id,
            "until": lock.until,
            "locked_before": locked_before,
            "locked_by": lock.locked_by,
            "locked_at": lock.locked_at,
        },
    )


async def unlock_period(tx: WriteTx, until: date) -> bool:
    """Take the newest lock away if it ends with that day; whether it was so. What was booked late keeps its day."""
    found = await tx.execute(_DELETE_LOCK, {"organization_id": tx.organization_id, "until": until})
    return bool(found.rowcount)


_BALANCES = text("""
    SELECT l.account, l.currency,
           coalesce(sum(l.amount_minor_units) FILTER (WHERE l.side = 'D'), 0) AS debits,
           coalesce(sum(l.amount_minor_units) FILTER (WHERE l.side = 'C'), 0) AS credits
    FROM ledger_lines l
    JOIN ledger_entries e ON e.organization_id = l.organization_id AND e.entry_id = l.entry_id
    WHERE l.organization_id = :organization_id AND e.occurred_at < :before
    GROUP BY l.account, l.currency ORDER BY l.currency, l.account
""")
_LOCK = text("""
    SELECT until, locked_by, locked_at FROM period_locks WHERE organization_id = :organization_id
    ORDER BY until DESC LIMIT 1
""")
_INSERT_LOCK = text("""
    INSERT INTO period_locks (organization_id, until, locked_before, locked_by, locked_at)
    VALUES (:organization_id, :until, :locked_before, :locked_by, :locked_at)
""")
_DELETE_LOCK = text("""
    DELETE FROM period_locks AS l WHERE organization_id = :organization_id AND until = :until
      AND NOT EXISTS (
          SELECT 1 FROM period_locks AS later
          WHERE later.organization_id = l.organization_id AND later.until > l.until
      )
""")

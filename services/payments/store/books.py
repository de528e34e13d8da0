"""The cash ledger as it is read, and the locks on its periods."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import text

from chassis.database import ReadTx, WriteTx
from chassis.money import Money
from chassis.paging import Position


@dataclass(frozen=True, slots=True)
class AccountBalance:
    """What was booked on an account in one currency."""

    account: str
    debits: Money
    credits: Money

    @property
    def balance(self) -> Money:
        """Debits less credits."""
        return self.debits - self.credits


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


@dataclass(frozen=True, slots=True)
class PeriodLock:
    """Nothing is booked with a day up to `until` any more."""

    until: date
    locked_by: str
    locked_at: datetime


async def balances(tx: ReadTx, *, before: datetime) -> list[AccountBalance]:
    """All accounts, owners left out, with what happened before a moment."""
    rows = await tx.execute(_BALANCES, {"organization_id": tx.organization_id, "before": before})
    return [
        AccountBalance(
            row.account, Money(int(row.debits), row.currency), Money(int(row.credits), row.currency)
        )
        for row in rows
    ]


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


_BALANCES = text("""
    SELECT l.account, l.currency,
           coalesce(sum(l.amount_minor_units) FILTER (WHERE l.side = 'D'), 0) AS debits,
           coalesce(sum(l.amount_minor_units) FILTER (WHERE l.side = 'C'), 0) AS credits
    FROM ledger_lines l
    JOIN ledger_entries e ON e.organization_id = l.organization_id AND e.entry_id = l.entry_id
    WHERE l.organization_id = :organization_id AND e.occurred_at < :before
    GROUP BY l.account, l.currency ORDER BY l.currency, l.account
""")
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
_LOCK = text("""
    SELECT until, locked_by, locked_at FROM period_locks WHERE organization_id = :organization_id
    ORDER BY until DESC LIMIT 1
""")
_INSERT_LOCK = text("""
    INSERT INTO period_locks (organization_id, until, locked_before, locked_by, locked_at)
    VALUES (:organization_id, :until, :locked_before, :locked_by, :locked_at)
""")

"""What our books know of payouts' lines, and what waits."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import text

from chassis.database import ReadTx
from chassis.money import Money
from services.payments.domain.payout import Known, LineKind, PayoutLine


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitingLines:
    """Bank lines that wait, in one currency."""

    count: int
    oldest_on: date
    amount: Money


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenClearing:
    """A clearing account that is not zero, and when the oldest of what stands on it came there."""

    account: str
    owner: str
    balance: Money
    oldest_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """Other things that wait, and who matched lines lately."""

    open_claims: int
    payout_differences: int
    by_itself: int
    by_hand: int


async def known(tx: ReadTx, line: PayoutLine) -> Known | None:
    """What our books have of a payout's line."""
    match line.kind:
        case LineKind.CHARGE:
            return await _charge(tx, line)
        case LineKind.RETURN:
            return await _return(tx, line)
        case LineKind.REFUND:
            return await _refund(tx, line)
        case LineKind.CHARGEBACK | LineKind.CHARGEBACK_REVERSAL:
            return await _chargeback(tx, line)
        case _:
            return None


async def waiting_lines(tx: ReadTx) -> list[WaitingLines]:
    """By currency."""
    rows = await tx.execute(_WAITING, {"organization_id": tx.organization_id})
    return [
        WaitingLines(count=row.lines, oldest_on=row.oldest_on, amount=Money(int(row.amount), row.currency))
        for row in rows
    ]


async def open_clearing(tx: ReadTx, accounts: Sequence[str]) -> list[OpenClearing]:
    """Those of the accounts that are not zero. What came first is taken to have left first."""
    rows = await tx.execute(_CLEARING, {"organization_id": tx.organization_id, "accounts": list(accounts)})
    return [
        OpenClearing(
            account=row.account,
            owner=row.owner,
            balance=Money(int(row.balance), row.currency),
            oldest_at=row.oldest_at,
        )
        for row in rows
    ]


async def counts(tx: ReadTx, *, since: datetime) -> Counts:
    """Claims and differences that are open, and matches since a moment."""
    row = (await tx.execute(_COUNTS, {"organization_id": tx.organization_id, "since": since})).one()
    return Counts(
        open_claims=row.open_claims,
        payout_differences=row.payout_differences,
        by_itself=row.by_itself,
        by_hand=row.by_hand,
    )


async def _charge(tx: ReadTx, line: PayoutLine) -> Known | None:
    row = (await tx.execute(_CHARGE, _params(tx, line))).first()
    if row is None:
        return None
    state = (
        "" if row.state == "succeeded" else f"Our books hold this payment as {row.state.replace('_', ' ')}."
    )
    return Known(row.payment_id, Money(row.amount_minor_units, row.currency), row.finished_at, state)


async def _return(tx: ReadTx, line: PayoutLine) -> Known | None:
    row = (await tx.execute(_CHARGE, _params(tx, line))).first()
    if row is None:
        return None
    state = "" if row.return_code else "Our books do not know that this debit came back."
    return Known(row.payment_id, Money(-row.amount_minor_units, row.currency), None, state)


async def _refund(tx: ReadTx, line: PayoutLine) -> Known | None:
    """A refund that failed is paid out again: one line takes it, another gives it back."""
    row = (await tx.execute(_REFUND, _params(tx, line))).first()
    if row is None:
        return None
    came_back = line.amount.minor_units > 0
    state = "Our books do not know that this refund failed." if came_back and row.status != "failed" else ""
    units = row.amount_minor_units if came_back else -row.amount_minor_units
    return Known(row.payment_id, Money(units, row.currency), None, state)


async def _chargeback(tx: ReadTx, line: PayoutLine) -> Known | None:
    row = (await tx.execute(_CHARGEBACK, _params(tx, line))).first()
    if row is None:
        return None
    if line.kind == LineKind.CHARGEBACK_REVERSAL:
        state = "" if row.state == "won" else "Our books do not know that this chargeback was won."
        return Known(row.payment_id, Money(row.amount_minor_units, row.currency), None, state)
    return Known(row.payment_id, Money(-row.amount_minor_units - row.fee_minor_units, row.currency))


def _params(tx: ReadTx, line: PayoutLine) -> dict[str, str]:
    return {
        "organization_id": tx.organization_id,
        "attempt_id": line.attempt_id,
        "reference": line.provider_reference,
    }


_CHARGE = text("""
    SELECT p.payment_id, a.state, a.currency, p.finished_at, p.return_code,
        CASE WHEN a.state = 'succeeded' AND p.method = 'stablecoin'  -- coins count as they came, not as asked for
            THEN p.amount_minor_units ELSE a.amount_minor_units END AS amount_minor_units
    FROM payment_attempts a
    JOIN payments p ON p.organization_id = a.organization_id AND p.payment_id = a.payment_id
    WHERE a.organization_id = :organization_id AND a.attempt_id = :attempt_id
""")
_REFUND = text("""
    SELECT r.payment_id, r.amount_minor_units, r.currency, r.status
    FROM refunds r
    JOIN payment_attempts a ON a.organization_id = r.organization_id AND a.payment_id = r.payment_id
    WHERE r.organization_id = :organization_id AND a.attempt_id = :attempt_id AND r.provider_reference = :reference
""")
_CHARGEBACK = text("""
    SELECT c.payment_id, c.amount_minor_units, c.fee_minor_units, c.currency, c.state
    FROM chargebacks c
    JOIN payment_attempts a ON a.organization_id = c.organization_id AND a.payment_id = c.payment_id
    WHERE c.organization_id = :organization_id AND a.attempt_id = :attempt_id AND c.provider_reference = :reference
""")
_WAITING = text(
    "SELECT currency, count(*) AS lines, min(booked_on) AS oldest_on, sum(amount_minor_units) AS amount"
    " FROM bank_lines WHERE organization_id = :organization_id AND status = 'unmatched' GROUP BY currency"
    " ORDER BY currency"
)
_CLEARING = text("""
    WITH lines AS (
        SELECT l.account, l.owner, l.currency, l.entry_id, l.line_no, e.occurred_at,
               CASE l.side WHEN 'D' THEN l.amount_minor_units ELSE -l.amount_minor_units END AS amount
        FROM ledger_lines l
        JOIN ledger_entries e ON e.organization_id = l.organization_id AND e.entry_id = l.entry_id
        WHERE l.organization_id = :organization_id AND l.account = ANY(CAST(:accounts AS text[]))
    ), balances AS (
        SELECT account, owner, currency, sum(amount) AS balance FROM lines
        GROUP BY account, owner, currency HAVING sum(amount) <> 0
    ), newest_first AS (
        SELECT account, owner, currency, balance, occurred_at, abs(amount) AS amount,
               sum(abs(amount)) OVER (
                   PARTITION BY account, owner, currency ORDER BY occurred_at DESC, entry_id DESC, line_no
               ) AS running
        FROM lines JOIN balances USING (account, owner, currency)
        WHERE sign(lines.amount) = sign(balances.balance)
    )
    SELECT account, owner, currency, balance, min(occurred_at) AS oldest_at FROM newest_first
    WHERE running - amount < abs(balance)
    GROUP BY account, owner, currency, balance ORDER BY account, owner, currency
""")
_COUNTS = text("""
    SELECT
        (SELECT count(*) FROM transfer_claims
         WHERE organization_id = :organization_id AND status = 'open') AS open_claims,
        (SELECT count(*) FROM payout_lines
         WHERE organization_id = :organization_id AND difference <> '') AS payout_differences,
        count(*) FILTER (WHERE matched_by IN ('automatic', 'rule')) AS by_itself,
        count(*) FILTER (WHERE matched_by NOT IN ('automatic', 'rule')) AS by_hand
    FROM bank_matches
    WHERE organization_id = :organization_id AND matched_at >= :since AND undone_at IS NULL
""")

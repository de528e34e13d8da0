"""Chargebacks, and succeeded payments that are watched for what the bank may still do."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, text

from chassis.database import ReadTx, WriteTx
from chassis.errors import not_found
from chassis.money import Money
from services.payments.domain.chargeback import Chargeback
from services.payments.domain.outcome import DisputeState


@dataclass(frozen=True, slots=True)
class Watch:
    """A succeeded attempt that is asked about until `ends_at`."""

    organization_id: str
    attempt_id: str
    ends_at: datetime


async def load(tx: ReadTx, chargeback_id: str) -> Chargeback:
    """A chargeback of this organization; CHARGEBACK_NOT_FOUND."""
    params = {"organization_id": tx.organization_id, "chargeback_id": chargeback_id}
    row = (await tx.execute(_LOAD, params)).first()
    if row is None:
        raise not_found("chargeback")
    return _chargeback(row)


async def of_payment(tx: ReadTx, payment_id: str) -> list[Chargeback]:
    """All chargebacks of a payment, in the order in which they count."""
    params = {"organization_id": tx.organization_id, "payment_id": payment_id}
    return [_chargeback(row) for row in await tx.execute(_OF_PAYMENT, params)]


async def page(
    tx: ReadTx, *, payment_id: str, open_only: bool, after: tuple[datetime, str] | None, limit: int
) -> list[Chargeback]:
    """At most `limit` chargebacks below a position, the newest first."""
    conditions = ["organization_id = :organization_id"]
    if payment_id:
        conditions.append("payment_id = :payment_id")
    if open_only:
        conditions.append("state IN ('open', 'under_review')")
    if after is not None:
        conditions.append("(opened_at, chargeback_id) < (:opened_at, :chargeback_id)")
    statement = text(
        f"SELECT * FROM chargebacks WHERE {' AND '.join(conditions)}"  # noqa: S608
        " ORDER BY opened_at DESC, chargeback_id DESC LIMIT :limit"
    )
    params = {
        "organization_id": tx.organization_id,
        "payment_id": payment_id,
        "opened_at": after[0] if after else None,
        "chargeback_id": after[1] if after else None,
        "limit": limit,
    }
    return [_chargeback(row) for row in await tx.execute(statement, params)]


async def save(tx: WriteTx, chargeback: Chargeback) -> None:
    """Write a new chargeback or its later state. Under the lock of its payment."""
    await tx.execute(
        _SAVE,
        {
            "organization_id": tx.organization_id,
            "chargeback_id": chargeback.chargeback_id,
            "payment_id": chargeback.payment_id,
            "customer_id": chargeback.customer_id,
            "provider": chargeback.provider,
            "provider_reference": chargeback.provider_reference,
            "state": chargeback.state.value,
            "amount": chargeback.amount.minor_units,
            "fee": chargeback.fee.minor_units,
            "currency": chargeback.amount.currency,
            "fee_currency": chargeback.fee.currency,
            "reason": chargeback.reason,
            "evidence": chargeback.evidence,
            "opened_at": chargeback.opened_at,
            "evidence_due_at": chargeback.evidence_due_at,
            "closed_at": chargeback.closed_at,
        },
    )


async def watch(tx: WriteTx, *, attempt_id: str, payment_id: str, first: datetime, ends_at: datetime) -> None:
    """Ask about a succeeded attempt from `first` on; one that is watched already is asked sooner and longer."""
    await tx.execute(
        _WATCH,
        {
            "organization_id": tx.organization_id,
            "attempt_id": attempt_id,
            "payment_id": payment_id,
            "first": first,
            "ends_at": ends_at,
        },
    )


async def watches_due(tx: ReadTx, *, now: datetime, limit: int) -> list[Watch]:
    """Attempts of all organizations that are to be asked about now. In a sweep."""
    rows = await tx.execute(_WATCHES_DUE, {"now": now, "limit": limit})
    return [Watch(row.organization_id, row.attempt_id, row.ends_at) for row in rows]


async def claim_watch(tx: WriteTx, attempt_id: str, *, next_check_at: datetime) -> bool:
    """Take a due check, so that it comes again only later; one whose time is over is forgotten after this check."""
    params = {
        "organization_id": tx.organization_id, "attempt_id": attempt_id, "now": tx.now(), "next": next_check_at,
    }  # fmt: skip
    taken = (await tx.execute(_CLAIM_WATCH, params)).first() is not None
    if taken:
        await tx.execute(_FORGET_WATCH, params)
    return taken


def _chargeback(row: Row[Any]) -> Chargeback:
    return Chargeback(
        chargeback_id=row.chargeback_id,
        payment_id=row.payment_id,
        customer_id=row.customer_id,
        provider=row.provider,
        provider_reference=row.provider_reference,
        state=DisputeState(row.state),
        amount=Money(row.amount_minor_units, row.currency),
        fee=Money(row.fee_minor_units, row.fee_currency),
        reason=row.reason,
        opened_at=row.opened_at,
        evidence_due_at=row.evidence_due_at,
        closed_at=row.closed_at,
        evidence=row.evidence,
    )


_LOAD = text(
    "SELECT * FROM chargebacks WHERE organization_id = :organization_id AND chargeback_id = :chargeback_id"
)
_OF_PAYMENT = text(
    "SELECT * FROM chargebacks WHERE organization_id = :organization_id AND payment_id = :payment_id"
    " ORDER BY opened_at, provider_reference"
)
_SAVE = text("""
    INSERT INTO chargebacks (
        organization_id, chargeback_id, payment_id, customer_id, provider, provider_reference, state,
        amount_minor_units, fee_minor_units, currency, fee_currency, reason, evidence, opened_at,
        evidence_due_at, closed_at
    ) VALUES (
        :organization_id, :chargeback_id, :payment_id, :customer_id, :provider, :provider_reference, :state,
        :amount, :fee, :currency, :fee_currency, :reason, :evidence, :opened_at, :evidence_due_at, :closed_at
    ) ON CONFLICT (organization_id, chargeback_id) DO UPDATE
    SET state = excluded.state, amount_minor_units = excluded.amount_minor_units,
        fee_minor_units = excluded.fee_minor_units, fee_currency = excluded.fee_currency,
        evidence = excluded.evidence, evidence_due_at = excluded.evidence_due_at, closed_at = excluded.closed_at
""")
_WATCH = text("""
    INSERT INTO payment_watches (organization_id, attempt_id, payment_id, next_check_at, ends_at)
    VALUES (:organization_id, :attempt_id, :payment_id, :first, :ends_at)
    ON CONFLICT (organization_id, attempt_id) DO UPDATE
    SET ends_at = greatest(payment_watches.ends_at, excluded.ends_at),
        next_check_at = least(payment_watches.next_check_at, excluded.next_check_at)
    WHERE payment_watches.ends_at < excluded.ends_at
       OR payment_watches.next_check_at > excluded.next_check_at
""")
_WATCHES_DUE = text(
    "SELECT organization_id, attempt_id, ends_at FROM payment_watches WHERE next_check_at <= :now"
    " ORDER BY next_check_at LIMIT :limit"
)
_THIS = "organization_id = :organization_id AND attempt_id = :attempt_id"
_CLAIM_WATCH = text(
    f"UPDATE payment_watches SET next_check_at = :next WHERE {_THIS} AND next_check_at <= :now RETURNING 1"  # noqa: S608
)
_FORGET_WATCH = text(f"DELETE FROM payment_watches WHERE {_THIS} AND ends_at < :now")  # noqa: S608

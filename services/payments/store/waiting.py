"""Payments that have not begun: scheduled ones, and those that wait for approval."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text

from chassis.database import ReadTx, WriteTx
from services.payments.domain.attempt import Attempt
from services.payments.domain.payment import Payment
from services.payments.store import cases, statements


@dataclass(frozen=True, slots=True)
class DuePayment:
    """A scheduled payment whose time has come."""

    organization_id: str
    payment_id: str


async def due(tx: ReadTx, *, now: datetime, limit: int) -> list[DuePayment]:
    """Scheduled payments of all organizations that are due, the longest waiting first. In a sweep."""
    rows = await tx.execute(_DUE, {"now": now, "limit": limit})
    return [DuePayment(row.organization_id, row.payment_id) for row in rows]


async def claim_start(tx: WriteTx, payment_id: str, *, again_at: datetime) -> bool:
    """Take a due payment, so that it comes again only later, whatever happens now."""
    params = {
        "organization_id": tx.organization_id,
        "payment_id": payment_id,
        "now": tx.now(),
        "starts_at": again_at,
    }
    return (await tx.execute(_CLAIM_START, params)).first() is not None


async def postpone(tx: WriteTx, payment: Payment, *, until: datetime) -> bool:
    """Let a waiting payment be begun at a later moment; False if somebody else has changed it."""
    params = {
        "organization_id": tx.organization_id,
        "payment_id": payment.payment_id,
        "expected_version": payment.version,
        "starts_at": until,
    }
    return (await tx.execute(_POSTPONE, params)).first() is not None


async def start(tx: WriteTx, payment: Payment, attempt: Attempt) -> bool:
    """Write a payment that has waited, with what it comes to now, and its attempt; False as above.

    `payment` is its next version: parts that are not in it any more were paid before.
    """
    params = cases.new_row(tx, payment, attempt) | {"expected_version": payment.version - 1}
    return (await tx.execute(_START, params)).first() is not None


_START = text(f"""
    WITH payment AS (
        UPDATE payments
        SET status = :status, version = version + 1, amount_minor_units = :amount,
            credit_used_minor_units = :credit_used, surcharge_minor_units = :surcharge, starts_at = NULL
        WHERE organization_id = :organization_id AND payment_id = :payment_id AND version = :expected_version
          AND status IN ('scheduled', 'awaiting_approval')
        RETURNING payment_id
    ), parts AS (
        UPDATE payment_parts SET amount_minor_units = given.amount, expected_version = 0
        FROM payment, unnest(CAST(:invoice_ids AS text[]), CAST(:part_amounts AS bigint[]))
            AS given (invoice_id, amount)
        WHERE payment_parts.organization_id = :organization_id
          AND payment_parts.payment_id = payment.payment_id AND payment_parts.invoice_id = given.invoice_id
    ), paid_before AS (
        DELETE FROM payment_parts USING payment
        WHERE payment_parts.organization_id = :organization_id
          AND payment_parts.payment_id = payment.payment_id
          AND NOT (payment_parts.invoice_id = ANY(CAST(:invoice_ids AS text[])))
    ), attempt AS (
        {statements.NEW_ATTEMPT_FROM.format(source="payment")}
    )
    SELECT 1 FROM payment
""")  # noqa: S608 - constants only
_POSTPONE = text("""
    UPDATE payments SET status = 'scheduled', starts_at = :starts_at,
        version = version + CASE status WHEN 'scheduled' THEN 0 ELSE 1 END
    WHERE organization_id = :organization_id AND payment_id = :payment_id AND version = :expected_version
      AND status IN ('scheduled', 'awaiting_approval')
    RETURNING version
""")
_DUE = text(
    "SELECT organization_id, payment_id FROM payments WHERE status = 'scheduled' AND starts_at <= :now"
    " ORDER BY starts_at LIMIT :limit"
)
_CLAIM_START = text(
    "UPDATE payments SET starts_at = :starts_at WHERE organization_id = :organization_id"
    " AND payment_id = :payment_id AND status = 'scheduled' AND starts_at <= :now RETURNING 1"
)

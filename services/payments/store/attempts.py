"""Attempts that wait to be asked about."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import text

from chassis.database import ReadTx, WriteTx
from services.payments.domain.attempt import SLOW_CHECK


@dataclass(frozen=True, slots=True)
class Due:
    """An attempt that there is a reason to ask about."""

    organization_id: str
    attempt_id: str


async def due(tx: ReadTx, *, now: datetime, limit: int) -> list[Due]:
    """Attempts of all organizations whose check is due, the longest waiting first. In a sweep."""
    rows = await tx.execute(_DUE, {"now": now, "limit": limit})
    return [Due(row.organization_id, row.attempt_id) for row in rows]


async def find_at_provider(tx: ReadTx, provider: str, reference: str) -> Due | None:
    """The attempt that a provider knows by that id. In a sweep; only for providers that the index is for."""
    statement = _AT_PROVIDER.get(provider)
    if statement is None:
        return None
    row = (await tx.execute(statement, {"reference": reference})).first()
    return None if row is None else Due(row.organization_id, row.attempt_id)


async def claim_check(
    tx: WriteTx, attempt_id: str, *, delays_seconds: Sequence[int], expires_seconds: int
) -> bool:
    """Take a due check, so that it comes again only after its delay, whatever happens now.

    One that waits for the payer comes again no later than its hosted page expires.
    """
    row = await tx.execute(
        _CLAIM,
        {
            "organization_id": tx.organization_id,
            "attempt_id": attempt_id,
            "now": tx.now(),
            "delays": list(delays_seconds),
            "expires_seconds": expires_seconds,
            "slow_seconds": SLOW_CHECK.total_seconds(),
        },
    )
    return row.first() is not None


async def check_soon(tx: WriteTx, attempt_id: str) -> None:
    """Let the reconciler ask about a live attempt at its next turn."""
    params = {"organization_id": tx.organization_id, "attempt_id": attempt_id, "now": tx.now()}
    await tx.execute(_SOON, params)


async def count_overdue(
    tx: ReadTx, *, now: datetime, older_than: timedelta, slow_older_than: timedelta
) -> int:
    """Attempts whose outcome has been uncertain for too long, in all organizations. In a sweep."""
    return int(
        (
            await tx.execute(_OVERDUE, {"before": now - older_than, "slow_before": now - slow_older_than})
        ).scalar_one()
    )


_DUE = text(
    "SELECT organization_id, attempt_id FROM payment_attempts WHERE next_check_at <= :now"
    " ORDER BY next_check_at LIMIT :limit"
)
_AT_PROVIDER = {
    "stripe": text(
        "SELECT organization_id, attempt_id FROM payment_attempts"
        " WHERE provider = 'stripe' AND provider_reference = :reference LIMIT 1"
    )
}
"""By provider, since the index is partial: those whose events do not always name our attempt."""
_CLAIM = text("""
    WITH timed AS (
        SELECT :now + CASE WHEN state = 'processing' AND kind IN ('bank_debit', 'stablecoin')
               THEN make_interval(secs => :slow_seconds) ELSE make_interval(
                   secs => (CAST(:delays AS integer[]))[least(checks + 2, cardinality(CAST(:delays AS integer[])))]
               ) END AS next_at,
               created_at + make_interval(secs => :expires_seconds) AS expires_at
        FROM payment_attempts
        WHERE organization_id = :organization_id AND attempt_id = :attempt_id
    )
    UPDATE payment_attempts
    SET checks = checks + 1,
        next_check_at = CASE
            WHEN state = 'requires_action' AND expires_at > :now THEN least(next_at, expires_at) ELSE next_at
        END
    FROM timed
    WHERE organization_id = :organization_id AND attempt_id = :attempt_id AND next_check_at <= :now
    RETURNING 1
""")
_SOON = text(
    "UPDATE payment_attempts SET next_check_at = :now"
    " WHERE organization_id = :organization_id AND attempt_id = :attempt_id AND next_check_at > :now"
)
_OVERDUE = text(
    "SELECT count(*) FROM payment_attempts WHERE next_check_at IS NOT NULL AND created_at < :before"
    " AND state IN ('submitting', 'unknown', 'processing', 'review')"
    " AND NOT (state = 'processing' AND kind IN ('bank_debit', 'stablecoin') AND created_at > :slow_before)"
)

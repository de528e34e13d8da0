"""Rows of the guards against card testing."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, text

from chassis.database import ReadTx, WriteTx
from services.payments.domain.guard import DAY, HOUR, SURGE_WINDOW, UNKNOWN_PAYERS, Count


async def begin_try(
    tx: WriteTx, payment_id: str, subjects: Sequence[str], *, is_known: bool
) -> dict[str, Count]:
    """Note a try, and count the refused ones of each of its subjects and of unknown payers (last ten minutes).

    Tries of an unknown payer, the first subject, begin one after the other, and one that has no answer yet counts as
    refused: otherwise a hundred at once would all be the first. An open page counts as two, since nobody knows yet how
    many numbers were tried there.
    """
    params = {
        "organization_id": tx.organization_id,
        "payment_id": payment_id,
        "subjects": list(subjects),
        "payer": subjects[0],
        "unknown": UNKNOWN_PAYERS,
        "is_known": is_known,
        "now": tx.now(),
        "hour": tx.now() - HOUR,
        "day": tx.now() - DAY,
        "surge": tx.now() - SURGE_WINDOW,
    }
    if is_known:
        return _counts(await tx.execute(_BEGIN, params))
    tx.enqueue(_ONE_BY_ONE, params)
    rows, unanswered = await tx.execute_all((_BEGIN, params), (_UNANSWERED, params))
    counts, open_tries = _counts(rows), int(unanswered.scalar_one())
    if open_tries:
        before = counts.get(subjects[0], Count())
        counts[subjects[0]] = Count(before.last_hour + open_tries, before.last_day + open_tries)
    return counts


def _counts(rows: Iterable[Row[Any]]) -> dict[str, Count]:
    return {row.subject: Count(row.last_hour, row.last_day) for row in rows}


async def tries_of_unknown(tx: ReadTx, *, at_most: int) -> int:
    """Tries of unknown payers in the last ten minutes, counted up to a number that decides."""
    params = {"organization_id": tx.organization_id, "since": tx.now() - SURGE_WINDOW, "at_most": at_most}
    return int((await tx.execute(_TRIES, params)).scalar_one())


async def has_paid(tx: ReadTx, customer_id: str) -> bool:
    """Whether money of a customer has ever come through a provider."""
    params = {"organization_id": tx.organization_id, "customer_id": customer_id}
    return bool((await tx.execute(_HAS_PAID, params)).scalar_one())


async def note_failure(tx: WriteTx, payment_id: str, *, tries: int = 1) -> None:
    """Count each refused try of a payment against everything it has in common with others; once, however often told."""
    params = {
        "organization_id": tx.organization_id,
        "payment_id": payment_id,
        "unknown": UNKNOWN_PAYERS,
        "now": tx.now(),
        "tries": tries,
    }
    await tx.execute(_FAIL, params)


async def organizations_with_old(tx: ReadTx, *, before: datetime, limit: int) -> list[str]:
    """Organizations that have rows which no rule looks at any more. In a sweep."""
    rows = await tx.execute(_OLD, {"before": before, "limit": limit})
    return [row.organization_id for row in rows]


async def delete_old(tx: WriteTx, *, before: datetime, limit: int) -> int:
    """Forget old tries and failures of this organization; how many tries went."""
    params = {"organization_id": tx.organization_id, "before": before, "limit": limit}
    await tx.execute(_DELETE_FAILURES, params)
    return (await tx.execute(_DELETE_TRIES, params)).rowcount


_ONE_BY_ONE = text(
    "SELECT pg_advisory_xact_lock(hashtextextended(CAST(:organization_id AS text) || CAST(:payer AS text), 0))"
)
_UNANSWERED = text("""
    SELECT coalesce(sum(CASE WHEN p.status = 'submitting' THEN 1 ELSE 2 END), 0)
    FROM payments p JOIN guarded_payments g USING (organization_id, payment_id)
    WHERE p.organization_id = :organization_id AND p.status IN ('submitting', 'requires_action')
      AND p.created_at > :hour
      AND g.subjects[1] = :payer
""")
_BEGIN = text("""
    WITH tried AS (
        INSERT INTO guarded_payments (organization_id, payment_id, subjects, is_known, created_at)
        VALUES (:organization_id, :payment_id, :subjects, :is_known, :now)
        ON CONFLICT DO NOTHING
    )
    SELECT subject, count(*) FILTER (WHERE failed_at > :hour) AS last_hour, count(*) AS last_day
    FROM guard_failures
    WHERE organization_id = :organization_id
      AND ((subject = ANY(CAST(:subjects AS text[])) AND failed_at > :day)
           OR (subject = :unknown AND failed_at > :surge))
    GROUP BY subject
""")
_TRIES = text("""
    SELECT count(*) FROM (
        SELECT 1 FROM guarded_payments
        WHERE organization_id = :organization_id AND NOT is_known AND created_at > :since LIMIT :at_most
    ) AS tries
""")
_HAS_PAID = text("""
    SELECT EXISTS (
        SELECT 1 FROM payments p JOIN payment_attempts a USING (organization_id, payment_id)
        WHERE p.organization_id = :organization_id AND p.customer_id = :customer_id AND p.status = 'succeeded'
    )
""")
_FAIL = text("""
    INSERT INTO guard_failures (organization_id, subject, payment_id, failed_at)
    SELECT organization_id, unnest(CASE WHEN is_known THEN subjects ELSE subjects || CAST(:unknown AS text) END),
           payment_id || CASE WHEN number > 1 THEN '/' || number ELSE '' END, :now
    FROM guarded_payments, generate_series(1, CAST(:tries AS integer)) AS number
    WHERE organization_id = :organization_id AND payment_id = :payment_id
    ON CONFLICT DO NOTHING
""")
_OLD = text("SELECT DISTINCT organization_id FROM guarded_payments WHERE created_at < :before LIMIT :limit")
_DELETE_FAILURES = text("""
    DELETE FROM guard_failures WHERE organization_id = :organization_id AND failed_at < :before
""")
_DELETE_TRIES = text("""
    DELETE FROM guarded_payments WHERE organization_id = :organization_id AND payment_id IN (
        SELECT payment_id FROM guarded_payments
        WHERE organization_id = :organization_id AND created_at < :before LIMIT :limit
    )
""")

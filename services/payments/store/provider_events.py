"""What providers told us, as it came, once each."""

from dataclasses import dataclass

from sqlalchemy import text

from chassis.database import WriteTx

UNKNOWN_ORGANIZATION = "unknown"
"""Keeps events that belong to nobody we know."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HeardEvent:
    """A verified event. `attempt_id` is what it claims to be about."""

    provider: str
    event_id: str
    type: str
    attempt_id: str | None
    body: bytes


async def keep(tx: WriteTx, event: HeardEvent) -> bool:
    """Store an event. True if there is still something to do about it: it is new or was not finished."""
    row = await tx.execute(
        _KEEP,
        {
            "organization_id": tx.organization_id,
            "provider": event.provider,
            "event_id": event.event_id,
            "type": event.type,
            "attempt_id": event.attempt_id,
            "body": event.body,
            "now": tx.now(),
        },
    )
    return bool(row.scalar_one())


async def mark_processed(tx: WriteTx, event: HeardEvent) -> None:
    """Note that what an event hinted at has been looked up."""
    await tx.execute(
        _PROCESSED,
        {
            "organization_id": tx.organization_id,
            "provider": event.provider,
            "event_id": event.event_id,
            "now": tx.now(),
        },
    )


_KEEP = text("""
    WITH kept AS (
        INSERT INTO provider_events (
            organization_id, provider, event_id, type, attempt_id, body, received_at
        ) VALUES (:organization_id, :provider, :event_id, :type, :attempt_id, :body, :now)
        ON CONFLICT DO NOTHING RETURNING 1
    )
    SELECT EXISTS (SELECT 1 FROM kept) OR EXISTS (
        SELECT 1 FROM provider_events
        WHERE organization_id = :organization_id AND provider = :provider AND event_id = :event_id
          AND processed_at IS NULL
    )
""")
_PROCESSED = text(
    "UPDATE provider_events SET processed_at = :now"
    " WHERE organization_id = :organization_id AND provider = :provider AND event_id = :event_id"
)

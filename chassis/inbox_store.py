"""The inbox's rows: which events were applied, how far each aggregate is, and what could not be applied."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import text

from chassis.database import ReadTx, WriteTx

RETRYING, DEAD, PARKED = "retrying", "dead", "parked"
"""States of a dead letter: being tried again; given up; waiting behind a dead one of its aggregate."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One event as it arrived, its payload still sealed."""

    source: str
    event_id: str
    type: str
    organization_id: str
    aggregate_type: str
    aggregate_id: str
    aggregate_version: int
    stream_seq: int
    occurred_at: datetime
    payload: bytes
    traceparent: str = ""
    request_id: str = ""
    attempt: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetter:
    """What an operator must know of an event that was not applied; `state` is one of the three above."""

    source: str
    event_id: str
    type: str
    organization_id: str
    aggregate_id: str
    aggregate_version: int
    state: str
    attempts: int
    error: str
    failed_at: datetime


@dataclass(slots=True)
class Position:
    """How far a consumer is in one aggregate's events; a blocked one waits for an operator."""

    last_version: int = 0
    blocked: bool = False


class Inbox:
    """The rows of one consumer (a service)."""

    def __init__(self, consumer: str) -> None:
        self.consumer = consumer

    async def lock_positions(
        self, tx: WriteTx, source: str, organization_id: str, aggregate_ids: Iterable[str]
    ) -> dict[str, Position]:
        """The positions of these aggregates, locked to the end of the transaction."""
        params = {
            "consumer": self.consumer,
            "source": source,
            "organization_id": organization_id,
            "aggregate_ids": sorted(set(aggregate_ids)),
        }
        rows = await tx.execute(_POSITIONS, params)
        return {row.aggregate_id: Position(row.last_version, row.blocked) for row in rows}

    async def claim(self, tx: WriteTx, organization_id: str, event_ids: Sequence[str]) -> set[str]:
        """Enter events into the inbox; returns those that were not there yet."""
        params = {
            "consumer": self.consumer,
            "organization_id": organization_id,
            "event_ids": sorted(event_ids),
            "now": tx.now(),
        }
        return {row.event_id for row in await tx.execute(_CLAIM, params)}

    async def advance(self, tx: WriteTx, deliveries: Sequence[Delivery]) -> None:
        """Move each aggregate's position to its newest of these events (all of one source, organization)."""
        newest = {delivery.aggregate_id: delivery for delivery in deliveries}
        ordered = [newest[aggregate_id] for aggregate_id in sorted(newest)]
        tx.enqueue(
            _ADVANCE,
            {
                "consumer": self.consumer,
                "source": ordered[0].source,
                "organization_id": ordered[0].organization_id,
                "aggregate_ids": [delivery.aggregate_id for delivery in ordered],
                "aggregate_types": [delivery.aggregate_type for delivery in ordered],
                "versions": [delivery.aggregate_version for delivery in ordered],
            },
        )

    async def keep(self, tx: WriteTx, delivery: Delivery, *, state: str, error: str) -> int:
        """Keep an event that was not applied, with its bytes; returns how often it has been tried."""
        params = {name: getattr(delivery, name) for name in _KEPT}
        params |= {"consumer": self.consumer, "state": state, "error": error[:4000], "now": tx.now()}
        return int((await tx.execute(_KEEP, params)).scalar_one())

    async def block(self, tx: WriteTx, delivery: Delivery) -> None:
        """Hold back the aggregate's later events until its dead letters are retried."""
        names = ("source", "organization_id", "aggregate_id", "aggregate_type")
        params = {name: getattr(delivery, name) for name in names}
        await tx.execute(_BLOCK, {"consumer": self.consumer, **params})

    async def unblock(self, tx: WriteTx, delivery: Delivery) -> None:
        """Let the aggregate's events through again, unless one was parked meanwhile."""
        names = ("source", "organization_id", "aggregate_id")
        params = {name: getattr(delivery, name) for name in names}
        await tx.execute(_UNBLOCK, {"consumer": self.consumer, **params})

    async def forget(self, tx: WriteTx, delivery: Delivery) -> None:
        """Remove an applied event from the dead letters."""
        params = {"source": delivery.source, "event_id": delivery.event_id}
        await tx.execute(_FORGET, {"consumer": self.consumer, **params})

    async def dead_letters(self, tx: ReadTx, organization_id: str, aggregate_id: str) -> list[Delivery]:
        """What waits for an operator in one aggregate, in order."""
        params = {
            "consumer": self.consumer, "organization_id": organization_id, "aggregate_id": aggregate_id,
        }  # fmt: skip
        rows: Iterable[Any] = await tx.execute(_DEAD_LETTERS, params)
        return [Delivery(**{**dict(row._mapping), "payload": bytes(row.payload)}) for row in rows]

    async def list_dead_letters(self, tx: ReadTx, *, limit: int) -> list[DeadLetter]:
        """All that was not applied, by aggregate and in order. In Database.transport()."""
        rows: Iterable[Any] = await tx.execute(_LIST, {"consumer": self.consumer, "limit": limit})
        return [DeadLetter(**row._mapping) for row in rows]


_KEPT = (
    "source", "event_id", "organization_id", "aggregate_type", "aggregate_id", "aggregate_version",
    "stream_seq", "type", "payload", "occurred_at",
)  # fmt: skip
_AGGREGATE = (
    "consumer = :consumer AND source = :source AND organization_id = :organization_id"
    " AND aggregate_id = :aggregate_id"
)
_POSITIONS = text("""
    SELECT aggregate_id, last_version, blocked FROM inbox_positions
    WHERE consumer = :consumer AND source = :source AND organization_id = :organization_id
      AND aggregate_id = ANY (CAST(:aggregate_ids AS text[]))
    ORDER BY aggregate_id FOR UPDATE
""")
_CLAIM = text("""
    INSERT INTO inbox (consumer, event_id, organization_id, received_at)
    SELECT :consumer, event_id, :organization_id, :now
    FROM unnest(CAST(:event_ids AS uuid[])) AS new (event_id)
    ON CONFLICT DO NOTHING RETURNING CAST(event_id AS text) AS event_id
""")
_ADVANCE = text("""
    INSERT INTO inbox_positions (
        consumer, source, organization_id, aggregate_id, aggregate_type, last_version
    )
    SELECT :consumer, :source, :organization_id, aggregate_id, aggregate_type, version
    FROM unnest(
        CAST(:aggregate_ids AS text[]), CAST(:aggregate_types AS text[]), CAST(:versions AS bigint[])
    ) AS new (aggregate_id, aggregate_type, version)
    ON CONFLICT (consumer, source, organization_id, aggregate_id) DO UPDATE
    SET last_version = greatest(inbox_positions.last_version, excluded.last_version)
""")
_KEEP = text("""
    INSERT INTO dead_letters (
        consumer, source, event_id, organization_id, aggregate_type, aggregate_id, aggregate_version,
        stream_seq, type, payload, occurred_at, state, attempts, error, failed_at
    ) VALUES (
        :consumer, :source, :event_id, :organization_id, :aggregate_type, :aggregate_id, :aggregate_version,
        :stream_seq, :type, :payload, :occurred_at, :state, 1, :error, :now
    )
    ON CONFLICT (consumer, source, event_id) DO UPDATE
    SET attempts = dead_letters.attempts + CASE excluded.state WHEN 'retrying' THEN 1 ELSE 0 END,
        state = CASE dead_letters.state WHEN 'dead' THEN 'dead' ELSE excluded.state END,
        error = CASE dead_letters.state WHEN 'dead' THEN dead_letters.error ELSE excluded.error END,
        failed_at = excluded.failed_at
    RETURNING attempts
""")
_BLOCK = text("""
    INSERT INTO inbox_positions (
        consumer, source, organization_id, aggregate_id, aggregate_type, last_version, blocked
    ) VALUES (:consumer, :source, :organization_id, :aggregate_id, :aggregate_type, 0, true)
    ON CONFLICT (consumer, source, organization_id, aggregate_id) DO UPDATE SET blocked = true
""")
_UNBLOCK = text(
    f"UPDATE inbox_positions SET blocked = false WHERE {_AGGREGATE}"  # noqa: S608
    f" AND NOT EXISTS (SELECT 1 FROM dead_letters WHERE {_AGGREGATE})"
)
_FORGET = text(
    "DELETE FROM dead_letters WHERE consumer = :consumer AND source = :source AND event_id = :event_id"
)
_DEAD_LETTERS = text(
    f"SELECT {', '.join(_KEPT)} FROM dead_letters WHERE consumer = :consumer"  # noqa: S608
    " AND organization_id = :organization_id AND aggregate_id = :aggregate_id"
    " ORDER BY source, aggregate_version"
)
_LIST = text(
    "SELECT source, event_id, type, organization_id, aggregate_id, aggregate_version, state, attempts, error,"
    " failed_at FROM dead_letters WHERE consumer = :consumer"
    " ORDER BY organization_id, aggregate_id, source, aggregate_version LIMIT :limit"
)

"""Events that leave with the state they describe: written in the same transaction, published by the relay.

The outbox is the record and JetStream only its transport: rows stay after publishing, and any stream can be
made again from them.
"""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from google.protobuf.message import Message
from sqlalchemy import text

from chassis.caller import current_call_or_none
from chassis.database import ReadTx, WriteTx
from chassis.ids import new_uuid7
from chassis.relay import CHANNEL, Relay, republish
from chassis.telemetry import current_traceparent
from chassis.wire import Statement, driver_sql

__all__ = ["Relay", "StoredEvent", "append", "events_of", "events_since", "republish"]

FLUSH_ORDER = 20
SCHEMA_VERSION = 1
_SUBJECT_TOKEN = re.compile(r"[A-Za-z0-9_-]+")


@dataclass(frozen=True, slots=True)
class StoredEvent:
    """An event as its producer keeps it; `payload` is the serialized message named by `type`."""

    event_id: str
    type: str
    organization_id: str
    aggregate_type: str
    aggregate_id: str
    aggregate_version: int
    stream_seq: int
    occurred_at: datetime
    payload: bytes


@dataclass(frozen=True, slots=True)
class _NewEvent:
    event_id: str
    type: str
    aggregate_type: str
    aggregate_id: str
    aggregate_version: int
    payload: bytes
    traceparent: str
    request_id: str


def append(
    tx: WriteTx, message: Message, *, aggregate_type: str, aggregate_id: str, aggregate_version: int
) -> str:
    """Announce `message` when the transaction commits; returns the event's id.

    `aggregate_version` counts the events of one aggregate from 1 without gaps: consumers wait for a missing
    one. A version used twice violates the constraint uq_outbox_version. ValueError for an aggregate type or
    organization that cannot be part of a subject.
    """
    for word in (tx.organization_id, aggregate_type):
        if not _SUBJECT_TOKEN.fullmatch(word):
            raise ValueError(f"{word!r} cannot be part of an event's subject")
    call = current_call_or_none()
    event = _NewEvent(
        event_id=new_uuid7(),
        type=message.DESCRIPTOR.full_name,
        aggregate_type=aggregate_type,
        aggregate_id=aggregate_id,
        aggregate_version=aggregate_version,
        payload=message.SerializeToString(deterministic=True),
        traceparent=current_traceparent() or "",
        request_id=call.request_id if call else "",
    )
    tx.collect(FLUSH_ORDER, _flush, event)
    tx.wake(CHANNEL)
    return event.event_id


def _flush(tx: WriteTx, events: list[Any]) -> list[Statement]:
    """One statement: the counter row is locked from here to COMMIT, so sequence order is commit order."""
    return [
        (
            _INSERT,
            {
                "organization_id": tx.organization_id,
                "count": len(events),
                "occurred_at": tx.now(),
                "schema_version": SCHEMA_VERSION,
                "event_ids": [event.event_id for event in events],
                "types": [event.type for event in events],
                "aggregate_types": [event.aggregate_type for event in events],
                "aggregate_ids": [event.aggregate_id for event in events],
                "aggregate_versions": [event.aggregate_version for event in events],
                "payloads": [event.payload for event in events],
                "traceparents": [event.traceparent for event in events],
                "request_ids": [event.request_id for event in events],
            },
        )
    ]


async def events_since(
    tx: ReadTx, organization_id: str, *, from_sequence: int, limit: int = 100
) -> list[StoredEvent]:
    """One organization's events in commit order, from a stream sequence on. For EventLog.ListEvents."""
    params = {"organization_id": organization_id, "from": from_sequence, "limit": limit}
    return _stored(await tx.execute(_SINCE, params))


async def events_of(
    tx: ReadTx, organization_id: str, aggregate_id: str, *, from_version: int, limit: int = 100
) -> list[StoredEvent]:
    """One aggregate's events from a version on. For EventLog.ListEvents."""
    params = {
        "organization_id": organization_id, "aggregate_id": aggregate_id,
        "from": from_version, "limit": limit,
    }  # fmt: skip
    return _stored(await tx.execute(_OF_AGGREGATE, params))


def _stored(rows: Any) -> list[StoredEvent]:
    return [StoredEvent(*row) for row in rows]


_INSERT = driver_sql(
    text("""
    WITH counter AS (
        INSERT INTO outbox_counters (organization_id, last_seq) VALUES (:organization_id, :count)
        ON CONFLICT (organization_id) DO UPDATE SET last_seq = outbox_counters.last_seq + :count
        RETURNING last_seq
    ), written AS (
        INSERT INTO outbox (
            event_id, organization_id, stream_seq, aggregate_type, aggregate_id, aggregate_version,
            type, schema_version, payload, traceparent, request_id, occurred_at
        )
        SELECT event_id, :organization_id, last_seq - :count + position, aggregate_type, aggregate_id,
               aggregate_version, type, :schema_version, payload, traceparent, request_id, :occurred_at
        FROM counter, unnest(
            CAST(:event_ids AS uuid[]), CAST(:types AS text[]), CAST(:aggregate_types AS text[]),
            CAST(:aggregate_ids AS text[]), CAST(:aggregate_versions AS bigint[]), CAST(:payloads AS bytea[]),
            CAST(:traceparents AS text[]), CAST(:request_ids AS text[])
        ) WITH ORDINALITY AS new (event_id, type, aggregate_type, aggregate_id, aggregate_version, payload,
                                  traceparent, request_id, position)
        ORDER BY position
    )
    SELECT last_seq FROM counter
""")
)

_COLUMNS = (
    "event_id::text, type, organization_id, aggregate_type, aggregate_id, aggregate_version,"
    " stream_seq, occurred_at, payload"
).replace("::", r"\:\:")

_SINCE = text(
    f"SELECT {_COLUMNS} FROM outbox WHERE organization_id = :organization_id AND stream_seq >= :from"  # noqa: S608
    " ORDER BY stream_seq LIMIT :limit"
)

_OF_AGGREGATE = text(
    f"SELECT {_COLUMNS} FROM outbox WHERE organization_id = :organization_id"  # noqa: S608
    " AND aggregate_id = :aggregate_id AND aggregate_version >= :from"
    " ORDER BY aggregate_version LIMIT :limit"
)

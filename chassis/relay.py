"""The relay: takes unpublished events from the outbox to JetStream, at least once and in order.

One relay works per database (a session advisory lock); a second one would only publish duplicates, which
consumers drop. Rows are marked after JetStream's ack; a crash between makes a duplicate, never a loss.
A stream that was wiped, or lost its tail, is filled again from the outbox.
"""

import asyncio
from typing import Any

import psycopg
import structlog
from opentelemetry import propagate, trace
from prometheus_client import Counter, Gauge
from sqlalchemy import Row, text
from sqlalchemy.exc import SQLAlchemyError

from chassis.bus import Bus, BusUnavailableError, PublishAck, StreamState, stream_of, subject_of
from chassis.crashpoints import crashpoint
from chassis.database import Database
from chassis.errors import ServiceError

CHANNEL = "outbox"
"""NOTIFY channel on which the outbox wakes the relay."""
POLL_SECONDS = 1.0
STREAM_CHECK_SECONDS = 5.0
BATCH = 500
WINDOW = 256
"""Events on their way to JetStream without an ack yet."""
REPUBLISH_BATCH = 5_000
_ADVISORY_LOCK = 0x7461_6C6C_7972_656C  # "tallyrel"

_OLDEST_AGE = Gauge(
    "tallyport_outbox_oldest_unpublished_seconds",
    "Age of the oldest event that JetStream has not acknowledged; alarm above 60.",
    ["service"],
)
_PUBLISHED = Counter(
    "tallyport_outbox_published_events_total", "Events acknowledged by JetStream.", ["service"]
)
_REFILLED = Counter(
    "tallyport_outbox_refilled_events_total", "Events sent again because their stream lost them.", ["service"]
)
_log = structlog.get_logger(__name__)
_tracer = trace.get_tracer(__name__)


class Relay:
    """Publishes one service's outbox for as long as `run` runs."""

    def __init__(self, db: Database, bus: Bus, service: str, *, poll_seconds: float = POLL_SECONDS) -> None:
        self._db = db
        self._bus = bus
        self._service = service
        self._stream = stream_of(service)
        self._poll_seconds = poll_seconds
        self._stream_checked_at: float | None = None
        self._stuck: set[str] = set()
        self._window = asyncio.Semaphore(WINDOW)

    async def run(self) -> None:
        """Relay until cancelled; outages of PostgreSQL and NATS are waited out."""
        while True:
            try:
                async with self._db.direct() as connection:
                    await self._lead(connection)
            except (psycopg.Error, SQLAlchemyError, ServiceError, OSError) as error:
                _log.warning("relay.interrupted", error=str(error) or type(error).__name__)
            await asyncio.sleep(self._poll_seconds)

    async def _lead(self, connection: psycopg.AsyncConnection[Any]) -> None:
        while not await _locked(connection):  # noqa: ASYNC110  another process holds it
            await asyncio.sleep(self._poll_seconds)
        await connection.execute(f"LISTEN {CHANNEL}")
        self._stream_checked_at = None
        while True:
            try:
                await self._check_stream()
                more = await self._publish_batch()
            except BusUnavailableError as error:
                _log.info("relay.waits_for_bus", error=str(error))
                self._stream_checked_at = None
                await self._measure_age()
                more = False
            if not more:
                async for _ in connection.notifies(timeout=self._poll_seconds, stop_after=1):
                    pass

    async def _check_stream(self) -> None:
        """Notice a stream that is not the one we filled, and unmark what it has lost."""
        now = asyncio.get_running_loop().time()
        if self._stream_checked_at is not None and now < self._stream_checked_at + STREAM_CHECK_SECONDS:
            return
        self._stuck.clear()
        state = await self._bus.ensure_stream()
        async with self._db.transport() as tx:
            known = (await tx.execute(_STATE, {"stream": self._stream})).first()
        if known is None or known.stream_created_at != state.created:
            await self._refill(state, above_seq=0, keep_seq=0)
        elif state.last_seq < known.last_seq:
            await self._refill(state, above_seq=state.last_seq, keep_seq=state.last_seq)
        self._stream_checked_at = now

    async def _refill(self, state: StreamState, *, above_seq: int, keep_seq: int) -> None:
        # The new state is stored last: a crash before it starts the refill again.
        count = await _unmark(self._db, organization_id=None, since_seq=1, above_puback_seq=above_seq)
        if count:
            _REFILLED.labels(self._service).inc(count)
            _log.warning("relay.stream_refilled", stream=self._stream, events=count, above_seq=above_seq)
        async with self._db.transport() as tx:
            params = {"stream": self._stream, "created": state.created, "last_seq": keep_seq}
            await tx.execute(_SAVE_STATE, params)

    async def _publish_batch(self) -> bool:
        """Publish and mark one batch; True if there is probably more."""
        async with self._db.transport() as tx:
            params = {"limit": BATCH, "stuck": sorted(self._stuck)}
            rows = (await tx.execute(_UNPUBLISHED, params)).all()
        if not rows:
            _OLDEST_AGE.labels(self._service).set(0)
            return False
        self._set_age(rows[0])
        crashpoint("relay.after_read")
        chains: dict[tuple[str, str], list[Row[Any]]] = {}
        for row in rows:
            chains.setdefault((row.organization_id, row.aggregate_id), []).append(row)
        results = await asyncio.gather(*(self._publish_chain(chain) for chain in chains.values()))
        acked = [pair for chain in results for pair in chain]
        crashpoint("relay.after_puback")
        if acked:
            await self._mark(acked)
        if len(acked) < len(rows):
            self._stream_checked_at = None
            return False
        return len(rows) == BATCH

    async def _publish_chain(self, rows: list[Row[Any]]) -> list[tuple[Row[Any], PublishAck]]:
        """Publish one aggregate's events one after the other; the first failure stops the aggregate."""
        acked = []
        for row in rows:
            try:
                async with self._window:
                    ack = await self._publish(row)
            except BusUnavailableError as error:
                _log.warning("relay.publish_failed", event_id=row.event_id, error=str(error))
                if self._bus.connected:
                    self._stuck.add(row.aggregate_id)
                break
            if ack.stream != self._stream:
                raise RuntimeError(f"{ack.stream} took an event of {self._stream}: its subjects overlap")
            acked.append((row, ack))
        return acked

    async def _publish(self, row: Row[Any]) -> PublishAck:
        subject = subject_of(self._service, row.organization_id, row.aggregate_type, row.type)
        if row.traceparent.endswith("-00"):  # nobody records this trace
            return await self._bus.publish(subject, bytes(row.payload), _headers(row))
        parent = propagate.extract({"traceparent": row.traceparent}) if row.traceparent else None
        with _tracer.start_as_current_span(
            f"publish {row.type}", context=parent, kind=trace.SpanKind.PRODUCER
        ):
            headers = _headers(row)
            propagate.inject(headers)
            return await self._bus.publish(subject, bytes(row.payload), headers)

    async def _mark(self, acked: list[tuple[Row[Any], PublishAck]]) -> None:
        async with self._db.transport() as tx:
            await tx.execute(
                _MARK,
                {
                    "now": tx.now(),
                    "stream": self._stream,
                    "outbox_ids": [row.outbox_id for row, _ in acked],
                    "seqs": [ack.seq for _, ack in acked],
                    "last_seq": max(ack.seq for _, ack in acked),
                },
            )
        _PUBLISHED.labels(self._service).inc(len(acked))

    async def _measure_age(self) -> None:
        async with self._db.transport() as tx:
            row = (await tx.execute(_OLDEST)).first()
        if row is None:
            _OLDEST_AGE.labels(self._service).set(0)
        else:
            self._set_age(row)

    def _set_age(self, row: Row[Any]) -> None:
        age = (self._db.clock.now() - row.occurred_at).total_seconds()
        _OLDEST_AGE.labels(self._service).set(max(0.0, age))


async def republish(db: Database, organization_id: str | None = None, since_seq: int = 1) -> int:
    """Mark published events as unpublished, so that the relay sends them again; returns how many.

    Of one organization from a stream sequence on, or of all. Consumers drop what they have already applied.
    """
    return await _unmark(db, organization_id=organization_id, since_seq=since_seq, above_puback_seq=0)


async def _unmark(db: Database, *, organization_id: str | None, since_seq: int, above_puback_seq: int) -> int:
    after, total = 0, 0
    while True:
        params = {
            "organization_id": organization_id, "since_seq": since_seq, "above_puback_seq": above_puback_seq,
            "after": after, "limit": REPUBLISH_BATCH,
        }  # fmt: skip
        async with db.transport() as tx:
            row = (await tx.execute(_UNMARK, params)).one()
        if row.last_outbox_id is None:
            return total
        after, total = row.last_outbox_id, total + row.marked


async def _locked(connection: psycopg.AsyncConnection[Any]) -> bool:
    row = await (await connection.execute("SELECT pg_try_advisory_lock(%s)", [_ADVISORY_LOCK])).fetchone()
    return row is not None and bool(row[0])


def _headers(row: Row[Any]) -> dict[str, str]:
    return {
        "Nats-Msg-Id": row.event_id,
        "tallyport-type": row.type,
        "tallyport-organization-id": row.organization_id,
        "tallyport-aggregate-type": row.aggregate_type,
        "tallyport-aggregate-id": row.aggregate_id,
        "tallyport-aggregate-version": str(row.aggregate_version),
        "tallyport-stream-seq": str(row.stream_seq),
        "tallyport-schema-version": str(row.schema_version),
        "tallyport-occurred-at": row.occurred_at.isoformat(),
        "tallyport-request-id": row.request_id,
        "traceparent": row.traceparent,
    }


_UNPUBLISHED = text("""
    SELECT outbox_id, CAST(event_id AS text) AS event_id, organization_id, stream_seq, aggregate_type,
           aggregate_id, aggregate_version, type, schema_version, payload, traceparent, request_id, occurred_at
    FROM outbox
    WHERE published_at IS NULL AND aggregate_id <> ALL (CAST(:stuck AS text[]))
    ORDER BY outbox_id LIMIT :limit
""")
_OLDEST = text("SELECT occurred_at FROM outbox WHERE published_at IS NULL ORDER BY outbox_id LIMIT 1")
_MARK = text("""
    WITH marked AS (
        UPDATE outbox SET published_at = :now, puback_seq = acked.seq
        FROM unnest(CAST(:outbox_ids AS bigint[]), CAST(:seqs AS bigint[])) AS acked (outbox_id, seq)
        WHERE outbox.outbox_id = acked.outbox_id
    )
    UPDATE relay_state SET last_seq = greatest(last_seq, :last_seq) WHERE stream = :stream
""")
_STATE = text("SELECT stream_created_at, last_seq FROM relay_state WHERE stream = :stream")
_SAVE_STATE = text("""
    INSERT INTO relay_state (stream, stream_created_at, last_seq) VALUES (:stream, :created, :last_seq)
    ON CONFLICT (stream) DO UPDATE SET stream_created_at = :created, last_seq = :last_seq
""")
_UNMARK = text("""
    WITH page AS (
        SELECT outbox_id FROM outbox
        WHERE outbox_id > :after AND published_at IS NOT NULL AND stream_seq >= :since_seq
          AND puback_seq > :above_puback_seq
          AND (CAST(:organization_id AS text) IS NULL OR organization_id = :organization_id)
        ORDER BY outbox_id LIMIT :limit
    ), marked AS (
        UPDATE outbox SET published_at = NULL, puback_seq = NULL
        FROM page WHERE outbox.outbox_id = page.outbox_id RETURNING outbox.outbox_id
    )
    SELECT max(outbox_id) AS last_outbox_id, count(*) AS marked FROM marked
""")

"""Through this the owner of test clocks moves a service's copy of them, and sees when the service has come to rest.

Every service serves it without a line of its own: `clock_port(settings, db, handlers)` is empty where no test clocks
are allowed.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping
from datetime import UTC
from typing import Any, Final

from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp
from sqlalchemy import Row, text
from sqlalchemy.exc import IntegrityError

from chassis.caller import current_call
from chassis.database import Database, WriteTx, violated_constraint
from chassis.errors import Kind, ServiceError, not_found
from chassis.organization_clocks import CHANNEL
from chassis.settings import BaseServiceSettings
from tallyport.common.v1 import clock_port_pb2, clock_port_pb2_grpc

HEADS_AT_ONCE: Final = 5_000
WAIT_SECONDS: Final = 2.0
POLL_SECONDS: Final = 0.01
LONGEST_POLL_SECONDS: Final = 0.1

Removed = Callable[[str], Awaitable[None]]
"""Told of the organization whose clock is gone."""


class ClockPort(clock_port_pb2_grpc.ClockPortServicer):
    """One service's clocks."""

    def __init__(
        self,
        db: Database,
        *,
        sources: Collection[str] = (),
        aggregate_types: Mapping[str, Collection[str]] | None = None,
        removed: Removed | None = None,
    ) -> None:
        self._db = db
        self._sources = frozenset(sources)
        self._aggregate_types = aggregate_types or {}
        self._removed = removed

    async def SetClock(
        self, request: clock_port_pb2.SetClockRequest, context: Any
    ) -> clock_port_pb2.SetClockResponse:
        params = {
            "organization_id": request.organization_id,
            "frozen_at": request.frozen_at.ToDatetime(tzinfo=UTC),
            "held": request.held,
            "live_mode": request.live_mode,
        }

        async def write(tx: WriteTx) -> None:
            await tx.execute(_SET, params)
            tx.wake(CHANNEL)

        try:
            await self._db.run_write(request.organization_id, write)
        except IntegrityError as error:
            if violated_constraint(error) == "ck_organization_clocks_live_mode":
                raise in_live_mode() from error
            raise
        self._db.look_for_clock(request.organization_id)
        return clock_port_pb2.SetClockResponse()

    async def RemoveClock(
        self, request: clock_port_pb2.RemoveClockRequest, context: Any
    ) -> clock_port_pb2.RemoveClockResponse:
        async with self._db.write(request.organization_id) as tx:
            await tx.execute(_REMOVE, {"organization_id": request.organization_id})
        if self._removed is not None:
            await self._removed(request.organization_id)
        return clock_port_pb2.RemoveClockResponse()

    async def RunRound(
        self, request: clock_port_pb2.RunRoundRequest, context: Any
    ) -> clock_port_pb2.RunRoundResponse:
        number = request.round or await self._ask_for_round(request.organization_id)
        loop, pause = asyncio.get_running_loop(), POLL_SECONDS
        remaining = current_call().remaining_seconds()
        ends = loop.time() + min(WAIT_SECONDS, WAIT_SECONDS if remaining is None else remaining * 0.7)
        while True:
            row = await self._clock(request.organization_id)
            if row.rounds_done >= number:
                return _round_of(number, row)
            if loop.time() + pause > ends:
                return clock_port_pb2.RunRoundResponse(round=number)
            await asyncio.sleep(pause)
            pause = min(pause * 1.5, LONGEST_POLL_SECONDS)

    async def GetTraffic(
        self, request: clock_port_pb2.GetTrafficRequest, context: Any
    ) -> clock_port_pb2.GetTrafficResponse:
        params = {
            "organization_id": request.organization_id,
            "after": request.after_sequence,
            "limit": HEADS_AT_ONCE,
        }
        async with self._db.transport() as tx:
            unpublished = (await tx.execute(_UNPUBLISHED, params)).scalar_one()
            rows = (await tx.execute(_NEWS, params)).all()
        heads: dict[str, clock_port_pb2.Head] = {}
        for row in rows:
            heads[row.aggregate_id] = clock_port_pb2.Head(
                aggregate_type=row.aggregate_type,
                aggregate_id=row.aggregate_id,
                aggregate_version=row.aggregate_version,
            )
        last = rows[-1].stream_seq if rows else request.after_sequence
        return clock_port_pb2.GetTrafficResponse(
            last_sequence=last, unpublished=unpublished, heads=list(heads.values())
        )

    async def CountUnhandled(
        self, request: clock_port_pb2.CountUnhandledRequest, context: Any
    ) -> clock_port_pb2.CountUnhandledResponse:
        wanted = self._aggregate_types.get(request.source, ())
        heads = [head for head in request.heads if not wanted or head.aggregate_type in wanted]
        if request.source not in self._sources or not heads:
            return clock_port_pb2.CountUnhandledResponse()
        params = {
            "consumer": self._db.name,
            "source": request.source,
            "organization_id": request.organization_id,
            "aggregate_ids": [head.aggregate_id for head in heads],
            "versions": [head.aggregate_version for head in heads],
        }
        async with self._db.transport() as tx:
            row = (await tx.execute(_UNHANDLED, params)).one()
        return clock_port_pb2.CountUnhandledResponse(unhandled=row.unhandled, blocked=row.blocked)

    async def _ask_for_round(self, organization_id: str) -> int:
        async def write(tx: WriteTx) -> int:
            number = (await tx.execute(_ASK, {"organization_id": organization_id})).scalar_one_or_none()
            if number is None:
                raise not_found("test_clock")
            tx.wake(CHANNEL)
            return int(number)

        return await self._db.run_write(organization_id, write)

    async def _clock(self, organization_id: str) -> Row[Any]:
        async with self._db.read(organization_id) as tx:
            row = (await tx.execute(_CLOCK, {"organization_id": organization_id})).first()
        if row is None:
            raise not_found("test_clock")
        return row


def clock_port(
    settings: BaseServiceSettings,
    db: Database,
    handlers: Iterable[type[Message]] = (),
    *,
    aggregate_types: Mapping[str, Collection[str]] | None = None,
    removed: Removed | None = None,
) -> list[tuple[Any, ClockPort]]:
    """What Server takes. `handlers` and `aggregate_types` are those of the service's Consumers."""
    if not settings.test_clocks:
        return []
    sources = {kind.DESCRIPTOR.full_name.split(".")[1] for kind in handlers}
    port = ClockPort(db, sources=sources, aggregate_types=aggregate_types, removed=removed)
    return [(clock_port_pb2_grpc.add_ClockPortServicer_to_server, port)]


def in_live_mode() -> ServiceError:
    """The refusal of a clock where money is real."""
    return ServiceError(
        Kind.PERMISSION_DENIED,
        "TEST_CLOCK_IN_LIVE_MODE",
        "Only organizations in test mode can have a test clock.",
    )


def _round_of(number: int, row: Row[Any]) -> clock_port_pb2.RunRoundResponse:
    response = clock_port_pb2.RunRoundResponse(
        round=number, done=True, handled=row.handled, failure=row.failure
    )
    if row.next_due_at is not None:
        next_due_at = Timestamp()
        next_due_at.FromDatetime(row.next_due_at)
        response.next_due_at.CopyFrom(next_due_at)
    return response


_SET = text("""
    INSERT INTO organization_clocks (
        organization_id, frozen_at, held, round, rounds_done, handled, failure, live_mode
    ) VALUES (:organization_id, :frozen_at, :held, 0, 0, 0, '', :live_mode)
    ON CONFLICT (organization_id) DO UPDATE
    SET frozen_at = greatest(organization_clocks.frozen_at, excluded.frozen_at), held = excluded.held,
        live_mode = excluded.live_mode
""")
_REMOVE = text("DELETE FROM organization_clocks WHERE organization_id = :organization_id")
_ASK = text(
    "UPDATE organization_clocks SET round = round + 1 WHERE organization_id = :organization_id RETURNING round"
)
_CLOCK = text(
    "SELECT rounds_done, handled, next_due_at, failure FROM organization_clocks"
    " WHERE organization_id = :organization_id"
)
_UNPUBLISHED = text(
    "SELECT count(*) FROM outbox WHERE published_at IS NULL AND organization_id = :organization_id"
)
_NEWS = text(
    "SELECT stream_seq, aggregate_type, aggregate_id, aggregate_version FROM outbox"
    " WHERE organization_id = :organization_id AND stream_seq > :after ORDER BY stream_seq LIMIT :limit"
)
_UNHANDLED = text("""
    SELECT count(*) FILTER (WHERE NOT coalesce(p.blocked, false) AND coalesce(p.last_version, 0) < head.version)
               AS unhandled,
           count(*) FILTER (WHERE coalesce(p.blocked, false)) AS blocked
    FROM unnest(CAST(:aggregate_ids AS text[]), CAST(:versions AS bigint[])) AS head (aggregate_id, version)
    LEFT JOIN inbox_positions p
        ON p.consumer = :consumer AND p.source = :source AND p.organization_id = :organization_id
           AND p.aggregate_id = head.aggregate_id
""")

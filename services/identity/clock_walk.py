"""One walk of a test clock: from stop to stop, and at each of them until every service has come to rest.

At rest means: no job finds anything to do, every event has left and has had its effect. Services take their turns
one after the other, so that the same walk has the same outcome each time.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final, TypeVar

import structlog
from google.protobuf.message import Message

from chassis.errors import Kind, ServiceError
from chassis.rpc.client import as_service
from tallyport.common.v1 import clock_port_pb2, clock_port_pb2_grpc

TURNS: Final = ("invoicing", "payments", "notifications")
"""Services with jobs, in the order of their turns: what is owed, what is paid of it, what is told."""
MOST_PASSES: Final = 60
PATIENCE_SECONDS: Final = 60.0
"""For so long a service may be away, a worker may be silent, or events may be on their way."""
FAILED_ROUNDS: Final = 3
POLL_SECONDS: Final = 0.01
LONGEST_POLL_SECONDS: Final = 0.25
_PASSING: Final = frozenset({Kind.UNAVAILABLE, Kind.ABORTED, Kind.RESOURCE_EXHAUSTED, Kind.DEADLINE_EXCEEDED})
_log = structlog.get_logger("identity.clocks")

Ports = Mapping[str, "clock_port_pb2_grpc.ClockPortAsyncStub"]
"""The clock ports of all services, by name; identity's own is one of them."""
Request = TypeVar("Request", bound=Message)
Response = TypeVar("Response", bound=Message)


class NotAtRest(Exception):
    """The walk cannot go on; the text says why."""


@dataclass(slots=True)
class Walk:
    """The walk of one organization's clock."""

    organization_id: str
    ports: Ports
    _seen: dict[str, int] = field(default_factory=dict)
    _heads: dict[str, dict[str, clock_port_pb2.Head]] = field(default_factory=dict)
    _next_due: dict[str, datetime | None] = field(default_factory=dict)

    async def set(self, at: datetime, *, held: bool) -> None:
        """Have every service live at that moment."""
        request = clock_port_pb2.SetClockRequest(organization_id=self.organization_id, held=held)
        request.frozen_at.FromDatetime(at)
        await asyncio.gather(*(_patiently(name, port.SetClock, request) for name, port in self._all()))

    async def remove(self) -> None:
        """Have every service live by the machine's clock again."""
        request = clock_port_pb2.RemoveClockRequest(organization_id=self.organization_id)
        await asyncio.gather(*(_patiently(name, port.RemoveClock, request) for name, port in self._all()))

    async def come_to_rest(self) -> None:
        """Let everything happen that is due now. Raises NotAtRest."""
        for _ in range(MOST_PASSES):
            if not await self._pass():
                return
        raise NotAtRest(f"after {MOST_PASSES} rounds there was still something to do")

    def next_stop(self, after: datetime, target: datetime) -> datetime:
        """Where something is due next, or the target."""
        due = [moment for moment in self._next_due.values() if moment is not None and moment > after]
        return min([*due, target])

    async def _pass(self) -> bool:
        """Each service's turn; whether anything happened."""
        happened = await self._traffic_settles()
        for service in TURNS:
            outcome = await self._round(service)
            at = outcome.next_due_at.ToDatetime(tzinfo=UTC) if outcome.HasField("next_due_at") else None
            self._next_due[service] = at
            happened = outcome.handled > 0 or happened
            happened = await self._traffic_settles() or happened
        return happened

    async def _round(self, service: str) -> clock_port_pb2.RunRoundResponse:
        for tries_left in range(FAILED_ROUNDS - 1, -1, -1):
            outcome = await self._one_round(service)
            if not outcome.failure:
                return outcome
            if tries_left:
                await asyncio.sleep(LONGEST_POLL_SECONDS)
        raise NotAtRest(f"{service}: {outcome.failure}")

    async def _one_round(self, service: str) -> clock_port_pb2.RunRoundResponse:
        loop = asyncio.get_running_loop()
        ends, number = loop.time() + PATIENCE_SECONDS, 0
        while loop.time() < ends:
            request = clock_port_pb2.RunRoundRequest(organization_id=self.organization_id, round=number)
            port = self.ports[service]
            outcome = await _patiently(service, port.RunRound, request)
            if outcome.done:
                return outcome
            number = outcome.round
        raise NotAtRest(f"{service}: its worker does not answer")

    async def _traffic_settles(self) -> bool:
        """Wait until all events have left and have had their effect; whether there were any."""
        loop, pause, happened = asyncio.get_running_loop(), POLL_SECONDS, False
        ends = loop.time() + PATIENCE_SECONDS
        while True:
            is_news, unpublished = await self._look()
            happened = happened or is_news
            if not is_news and not unpublished and not await self._unhandled():
                self._heads.clear()
                return happened
            if loop.time() > ends:
                raise NotAtRest("events are still on their way")
            if not is_news:
                await asyncio.sleep(pause)
                pause = min(pause * 1.5, LONGEST_POLL_SECONDS)

    async def _look(self) -> tuple[bool, int]:
        answers = await asyncio.gather(*(self._traffic_of(name, port) for name, port in self._all()))
        return any(is_news for is_news, _ in answers), sum(unpublished for _, unpublished in answers)

    async def _traffic_of(
        self, source: str, port: "clock_port_pb2_grpc.ClockPortAsyncStub"
    ) -> tuple[bool, int]:
        request = clock_port_pb2.GetTrafficRequest(
            organization_id=self.organization_id, after_sequence=self._seen.get(source, 0)
        )
        answer = await _patiently(source, port.GetTraffic, request)
        self._seen[source] = answer.last_sequence
        self._heads.setdefault(source, {}).update({head.aggregate_id: head for head in answer.heads})
        return bool(answer.heads), answer.unpublished

    async def _unhandled(self) -> int:
        counts = await asyncio.gather(
            *(
                self._unhandled_by(name, port, source)
                for name, port in self._all()
                for source, heads in self._heads.items()
                if heads and source != name
            )
        )
        return sum(counts)

    async def _unhandled_by(
        self, consumer: str, port: "clock_port_pb2_grpc.ClockPortAsyncStub", source: str
    ) -> int:
        request = clock_port_pb2.CountUnhandledRequest(
            organization_id=self.organization_id, source=source, heads=self._heads[source].values()
        )
        answer = await _patiently(consumer, port.CountUnhandled, request)
        if answer.blocked:
            raise NotAtRest(f"{consumer}: an event of {source} could not be applied")
        return int(answer.unhandled)

    def _all(self) -> "list[tuple[str, clock_port_pb2_grpc.ClockPortAsyncStub]]":
        return list(self.ports.items())


async def _patiently(
    service: str, method: Callable[[Request], Awaitable[Response]], request: Request
) -> Response:
    """Ask again while the service is away for a moment. Everything asked here may be asked twice."""
    loop, pause = asyncio.get_running_loop(), 0.1
    ends = loop.time() + PATIENCE_SECONDS
    while True:
        try:
            return await as_service(method)(request)
        except ServiceError as error:
            if error.kind not in _PASSING or loop.time() > ends:
                raise NotAtRest(f"{service}: {error.reason}") from error
            _log.info("clock waits for a service", service=service, reason=error.reason)
        await asyncio.sleep(pause)
        pause = min(pause * 2, 2.0)

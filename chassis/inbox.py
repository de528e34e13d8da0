"""Consumers: each event of the other services has its effect here once, in the order of its aggregate.

The effect and the inbox row are one transaction, and the ack comes after it. An event that cannot be applied
blocks its own aggregate only: it is kept with its error, later events of the aggregate wait behind it.
"""

import asyncio
import contextlib
import dataclasses
import itertools
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import partial

import structlog
from google.protobuf.message import DecodeError, Message
from nats.aio.msg import Msg
from nats.js import JetStreamContext
from opentelemetry import trace
from prometheus_client import Counter, Histogram
from sqlalchemy.exc import SQLAlchemyError

from chassis.bus import BACKOFF_SECONDS, BUS_ERRORS, Bus, BusUnavailableError
from chassis.clock import Clock
from chassis.crashpoints import crashpoint
from chassis.database import Database, WriteTx
from chassis.errors import Kind, ServiceError
from chassis.handlers import Batch as Batch
from chassis.handlers import Event as Event
from chassis.handlers import Handler as Handler
from chassis.handlers import continuing as continuing
from chassis.inbox_delivery import MalformedEventError, PendingAcks, delivery_of, forged
from chassis.inbox_store import DEAD, PARKED, RETRYING, Delivery, Inbox, Position
from chassis.outbox import StoredEvent

FETCH_BATCH = 128
FETCH_WAIT_SECONDS = 2.0
RECONNECT_SECONDS = 0.5
TRANSACTION_EVENTS = 64
"""Events of one organization applied in one transaction while all goes well."""
CONCURRENT_TRANSACTIONS = 4
MAX_ATTEMPTS = 5
GAP_RETRY_SECONDS = 1.0
GAP_PATIENCE_SECONDS = 30.0

_TRANSIENT = frozenset(
    {Kind.UNAVAILABLE, Kind.ABORTED, Kind.RESOURCE_EXHAUSTED, Kind.DEADLINE_EXCEEDED, Kind.UNAUTHENTICATED}
)
_EVENTS = Counter("tallyport_consumer_events_total", "Events by outcome.", ["service", "source", "outcome"])
_DELAY = Histogram(
    "tallyport_consumer_delay_seconds",
    "Time from an event to its effect here.",
    ["service", "source"],
    buckets=(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 5, 15, 60, 300),
)
_log = structlog.get_logger(__name__)
_tracer = trace.get_tracer(__name__)


FetchGap = Callable[[str, str, str, int], Awaitable[Sequence[StoredEvent]]]
"""(service, organization_id, aggregate_id, from_version) -> the producer's events of that aggregate."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovery:
    """What to do about failures and missing events; `chassis.gaps.gap_fetcher` asks producers by RPC."""

    fetch_gap: FetchGap | None = None
    backoff_seconds: Sequence[float] = BACKOFF_SECONDS
    gap_patience_seconds: float = GAP_PATIENCE_SECONDS


class _Outcome(Enum):
    APPLIED = "applied"
    DUPLICATE = "duplicate"
    SKIPPED = "skipped"
    PARKED = "parked"
    DEAD = "dead"
    GAP = "gap"
    RETRY = "retry"


class Consumers:
    """All that one service consumes: one durable consumer for each service whose events it handles."""

    def __init__(
        self,
        db: Database,
        bus: Bus,
        service: str,
        handlers: Mapping[type[Message], Handler | Batch],
        clock: Clock,
        *,
        recovery: Recovery | None = None,
        aggregate_types: Mapping[str, Collection[str]] | None = None,
    ) -> None:
        """`aggregate_types`: of a source named here, only the events of these aggregates are asked for."""
        self._db = db
        self._bus = bus
        self._service = service
        self._handlers = {kind.DESCRIPTOR.full_name: (kind, handler) for kind, handler in handlers.items()}
        self._clock = clock
        self._recovery = recovery or Recovery()
        self._aggregate_types = aggregate_types or {}
        self._gaps: dict[tuple[str, str], float] = {}
        self._inbox = Inbox(service)
        self._transactions = asyncio.Semaphore(CONCURRENT_TRANSACTIONS)

    @property
    def sources(self) -> list[str]:
        """The services whose events are handled, by the package of the messages."""
        return sorted({name.split(".")[1] for name in self._handlers})

    async def run(self) -> None:
        """Consume until cancelled; outages of PostgreSQL and NATS are waited out."""
        async with asyncio.TaskGroup() as group:
            for source in self.sources:
                group.create_task(self._consume(source), name=f"consume {source}")

    async def _consume(self, source: str) -> None:
        while True:
            try:
                subscription = await self._bus.subscribe(
                    source, self._service, aggregate_types=self._aggregate_types.get(source, ())
                )
                await self._drain(subscription, source)
            except (BusUnavailableError, *BUS_ERRORS) as error:
                _log.debug("consumer.waits", source=source, error=str(error) or type(error).__name__)
            except (SQLAlchemyError, ServiceError) as error:
                _log.warning("consumer.interrupted", source=source, error=str(error))
            await asyncio.sleep(RECONNECT_SECONDS)

    async def _drain(self, subscription: JetStreamContext.PullSubscription, source: str) -> None:
        try:
            while True:
                _end_if_cancelled()
                try:
                    messages = await subscription.fetch(FETCH_BATCH, timeout=FETCH_WAIT_SECONDS)
                except TimeoutError:
                    await subscription.consumer_info()  # raises if the stream or the consumer was wiped
                    continue
                await self._process(source, messages)
        finally:
            with contextlib.suppress(*BUS_ERRORS):
                await subscription.unsubscribe()

    async def _process(self, source: str, messages: list[Msg]) -> None:
        async with PendingAcks(messages) as pending:
            by_organization: dict[str, list[tuple[Delivery, Msg]]] = {}
            for message in messages:
                try:
                    delivery = delivery_of(source, message)
                except MalformedEventError as error:
                    await self._quarantine(
                        forged(source, message, self._clock.now()), str(error), block=False
                    )
                    await pending.ack(message)
                else:
                    by_organization.setdefault(delivery.organization_id, []).append((delivery, message))
            chunks = [chunk for pairs in by_organization.values() for chunk in _chunks(pairs)]
            async with asyncio.TaskGroup() as group:
                for together in _transactions(chunks):
                    group.create_task(self._settle(together, pending))

    async def _settle(self, chunks: list[list[tuple[Delivery, Msg]]], pending: PendingAcks) -> None:
        """Apply events, each chunk those of another organization, then tell JetStream."""
        async with self._transactions:
            outcomes = await self._apply_chunks([[delivery for delivery, _ in chunk] for chunk in chunks])
        crashpoint("consumer.before_ack")
        settled = zip(itertools.chain(*chunks), itertools.chain(*outcomes), strict=True)
        for (delivery, message), (outcome, delay_seconds) in settled:
            _EVENTS.labels(self._service, delivery.source, outcome.value).inc()
            if outcome in (_Outcome.GAP, _Outcome.RETRY):
                await pending.nak(message, delay_seconds)
            else:
                await pending.ack(message)

    async def _apply_chunks(self, chunks: list[list[Delivery]]) -> list[list[tuple[_Outcome, float]]]:
        """All organizations with one COMMIT; if anything fails there, each by itself."""
        if len(chunks) > 1:
            work = {chunk[0].organization_id: partial(self._apply_in, deliveries=chunk) for chunk in chunks}
            try:
                applied = await self._db.write_together(work)
            except Exception as error:  # whatever it is, the transactions of each will tell
                _log.info(
                    "consumer.parted", organizations=len(chunks), error=str(error) or type(error).__name__
                )
            else:
                crashpoint("consumer.after_commit")
                return [await self._mind_gaps(chunk, applied[chunk[0].organization_id]) for chunk in chunks]
        return [await self._apply_all(chunk) for chunk in chunks]

    async def _apply_all(self, deliveries: list[Delivery]) -> list[tuple[_Outcome, float]]:
        """All in one transaction; if anything fails there, one by one, so that only the faulty one fails."""
        if len(deliveries) > 1:
            try:
                async with self._db.write(deliveries[0].organization_id) as tx:
                    outcomes = await self._apply_in(tx, deliveries)
            except Exception as error:  # whatever it is, the single transactions will tell
                _log.info("consumer.batch_split", error=str(error) or type(error).__name__)
            else:
                crashpoint("consumer.after_commit")
                return await self._mind_gaps(deliveries, outcomes)
        return await self._apply_singly(deliveries)

    async def _apply_in(self, tx: WriteTx, deliveries: list[Delivery]) -> list[_Outcome]:
        crashpoint("consumer.before_tx")
        return await self._apply(tx, deliveries)

    async def _mind_gaps(
        self, deliveries: list[Delivery], outcomes: list[_Outcome]
    ) -> list[tuple[_Outcome, float]]:
        """The outcomes, with another try for events that came too early."""
        early = [d for d, outcome in zip(deliveries, outcomes, strict=True) if outcome is _Outcome.GAP]
        minded = iter(await self._apply_singly(early))
        return [next(minded) if outcome is _Outcome.GAP else (outcome, 0.0) for outcome in outcomes]

    async def _apply_singly(self, deliveries: list[Delivery]) -> list[tuple[_Outcome, float]]:
        found: list[tuple[_Outcome, float]] = []
        waiting: dict[str, float] = {}
        for delivery in deliveries:
            if (delay_seconds := waiting.get(delivery.aggregate_id)) is not None:
                found.append((_Outcome.RETRY, delay_seconds))
                continue
            outcome, delay_seconds = await self._apply_one(delivery)
            if outcome in (_Outcome.GAP, _Outcome.RETRY):
                waiting[delivery.aggregate_id] = delay_seconds
            found.append((outcome, delay_seconds))
        return found

    async def _apply_one(self, delivery: Delivery) -> tuple[_Outcome, float]:
        async def work(tx: WriteTx) -> _Outcome:
            return (await self._apply_in(tx, [delivery]))[0]

        try:
            outcome = await self._db.run_write(delivery.organization_id, work)
        except MalformedEventError as error:
            await self._quarantine(delivery, str(error), block=True)
            return _Outcome.DEAD, 0.0
        except Exception as error:
            return await self._after_failure(delivery, error)
        crashpoint("consumer.after_commit")
        if outcome is _Outcome.GAP:
            await self._mind_gap(delivery)
            return outcome, GAP_RETRY_SECONDS
        self._gaps.pop((delivery.source, delivery.aggregate_id), None)
        return outcome, 0.0

    async def _apply(
        self, tx: WriteTx, deliveries: list[Delivery], *, retrying: bool = False
    ) -> list[_Outcome]:
        """Run what is next in its aggregate; the inbox rows and positions are part of the transaction."""
        first = deliveries[0]
        ids = [delivery.aggregate_id for delivery in deliveries]
        positions = await self._inbox.lock_positions(tx, first.source, first.organization_id, ids)
        outcomes = [self._step(positions, delivery, retrying=retrying) for delivery in deliveries]
        wanted = [
            delivery
            for delivery, outcome in zip(deliveries, outcomes, strict=True)
            if outcome is _Outcome.APPLIED and delivery.type in self._handlers
        ]
        new: set[str] = set()
        if wanted:
            event_ids = [delivery.event_id for delivery in wanted]
            new = await self._inbox.claim(tx, first.organization_id, event_ids)
        fresh: list[Delivery] = []
        for index, delivery in enumerate(deliveries):
            if outcomes[index] is _Outcome.PARKED:
                await self._inbox.keep(tx, delivery, state=PARKED, error="waits behind a dead letter")
            elif outcomes[index] is _Outcome.APPLIED and delivery.type in self._handlers:
                if delivery.event_id in new:
                    fresh.append(delivery)
                else:
                    outcomes[index] = _Outcome.DUPLICATE
        for event_type, run in itertools.groupby(fresh, key=lambda delivery: delivery.type):
            await self._handle(tx, event_type, list(run))
        moved = (_Outcome.APPLIED, _Outcome.DUPLICATE)
        advanced = [d for d, outcome in zip(deliveries, outcomes, strict=True) if outcome in moved]
        if advanced:
            await self._inbox.advance(tx, advanced)
        return outcomes

    def _step(self, positions: dict[str, Position], delivery: Delivery, *, retrying: bool) -> _Outcome:
        position = positions.setdefault(delivery.aggregate_id, Position())
        if delivery.aggregate_version <= position.last_version:
            return _Outcome.SKIPPED
        if position.blocked and not retrying:
            return _Outcome.PARKED
        if delivery.aggregate_version > position.last_version + 1:
            return _Outcome.GAP
        position.last_version = delivery.aggregate_version
        return _Outcome.APPLIED

    async def _handle(self, tx: WriteTx, event_type: str, deliveries: list[Delivery]) -> None:
        """Run the handler for events of one type that follow each other: one by one, or all at once."""
        kind, handler = self._handlers[event_type]
        events = [self._event(kind, delivery) for delivery in deliveries]
        if isinstance(handler, Batch):
            # The statements of a batch are seen in its first event's trace; what it emits, in each event's own.
            with continuing(events[0]):
                await handler.handle(tx, events)
        else:
            for event in events:
                with continuing(event):
                    await handler(tx, event)
        for delivery in deliveries:
            if delivery.attempt > 1:
                await self._inbox.forget(tx, delivery)
            age = (self._clock.now() - delivery.occurred_at).total_seconds()
            _DELAY.labels(self._service, delivery.source).observe(max(0.0, age))

    def _event(self, kind: type[Message], delivery: Delivery) -> Event:
        try:
            message = kind.FromString(delivery.payload)
        except DecodeError as error:
            raise MalformedEventError(f"the payload is not a {delivery.type}: {error}") from error
        own = ("message", "service", "consumer")
        names = (field.name for field in dataclasses.fields(Event) if field.name not in own)
        fields = {name: getattr(delivery, name) for name in names}
        return Event(**fields, service=delivery.source, consumer=self._service, message=message)

    async def _after_failure(self, delivery: Delivery, error: Exception) -> tuple[_Outcome, float]:
        """Count a handler's failure; an outage of something else is only waited out."""
        described = f"{type(error).__name__}: {error}"
        if isinstance(error, ServiceError) and error.kind in _TRANSIENT:
            _log.warning("consumer.postponed", event_id=delivery.event_id, error=described)
            return _Outcome.RETRY, self._delay_seconds(delivery.attempt)
        async with self._db.transport() as tx:
            attempts = await self._inbox.keep(tx, delivery, state=RETRYING, error=described)
        if attempts >= MAX_ATTEMPTS:
            await self._quarantine(delivery, described, block=True)
            return _Outcome.DEAD, 0.0
        _log.warning(
            "consumer.failed", event_id=delivery.event_id, type=delivery.type, attempts=attempts,
            error=described, exc_info=error,
        )  # fmt: skip
        return _Outcome.RETRY, self._delay_seconds(attempts)

    async def _quarantine(self, delivery: Delivery, error: str, *, block: bool) -> None:
        async with self._db.transport() as tx:
            await self._inbox.keep(tx, delivery, state=DEAD, error=error)
            if block:
                await self._inbox.block(tx, delivery)
        if not block:
            _EVENTS.labels(self._service, delivery.source, _Outcome.DEAD.value).inc()
        _log.error(
            "consumer.dead_letter", event_id=delivery.event_id, type=delivery.type,
            aggregate_id=delivery.aggregate_id, error=error,
        )  # fmt: skip

    def _delay_seconds(self, attempts: int) -> float:
        return self._recovery.backoff_seconds[min(attempts, len(self._recovery.backoff_seconds)) - 1]

    async def _mind_gap(self, delivery: Delivery) -> None:
        """A missing version most often arrives within seconds; after that, ask the producer for it."""
        key = (delivery.source, delivery.aggregate_id)
        now = asyncio.get_running_loop().time()
        since = self._gaps.setdefault(key, now)
        fetch_gap = self._recovery.fetch_gap
        if fetch_gap is None or now - since < self._recovery.gap_patience_seconds:
            return
        async with self._db.transport() as tx:
            positions = await self._inbox.lock_positions(
                tx, delivery.source, delivery.organization_id, [delivery.aggregate_id]
            )
        last_version = positions.get(delivery.aggregate_id, Position()).last_version
        try:
            events = await fetch_gap(
                delivery.source, delivery.organization_id, delivery.aggregate_id, last_version + 1
            )
        except ServiceError as error:
            _log.warning("consumer.gap_not_fetched", aggregate_id=delivery.aggregate_id, error=str(error))
            return
        _log.warning("consumer.gap_fetched", aggregate_id=delivery.aggregate_id, events=len(events))
        self._gaps.pop(key, None)
        missing = [_from_store(delivery.source, event) for event in events]
        await self._apply_singly([d for d in missing if d.aggregate_version < delivery.aggregate_version])

    async def retry_dead_letters(self, organization_id: str, aggregate_id: str) -> int:
        """Apply what is kept of an aggregate, in order, and unblock it; returns how many were applied.

        Raises the handler's error if it fails again: then the aggregate stays blocked.
        """
        async with self._db.transport() as tx:
            kept = await self._inbox.dead_letters(tx, organization_id, aggregate_id)
        for delivery in kept:
            async with self._db.write(organization_id) as tx:
                (outcome,) = await self._apply(tx, [delivery], retrying=True)
                if outcome is _Outcome.GAP:
                    raise ServiceError(
                        Kind.FAILED_PRECONDITION,
                        "EVENT_MISSING",
                        f"A version before {delivery.aggregate_version} of {aggregate_id} is missing.",
                    )
                await self._inbox.forget(tx, delivery)
                await self._inbox.unblock(tx, delivery)
        return len(kept)


def _chunks(pairs: list[tuple[Delivery, Msg]]) -> list[list[tuple[Delivery, Msg]]]:
    """Split into transactions of about TRANSACTION_EVENTS, each aggregate whole and in order in one of them."""
    pairs = sorted(pairs, key=lambda pair: (pair[0].aggregate_id, pair[0].aggregate_version))
    chunks: list[list[tuple[Delivery, Msg]]] = [[]]
    for _, of_aggregate in itertools.groupby(pairs, key=lambda pair: pair[0].aggregate_id):
        if len(chunks[-1]) >= TRANSACTION_EVENTS:
            chunks.append([])
        chunks[-1].extend(of_aggregate)
    return chunks


def _end_if_cancelled() -> None:
    """Before Python 3.12 a wait that ends in the moment of its cancellation keeps that to itself."""
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError


def _transactions(
    chunks: list[list[tuple[Delivery, Msg]]],
) -> list[list[list[tuple[Delivery, Msg]]]]:
    """Put chunks of different organizations together, to about TRANSACTION_EVENTS in a transaction."""
    transactions: list[list[list[tuple[Delivery, Msg]]]] = []
    for chunk in sorted(chunks, key=len, reverse=True):
        organization_id = chunk[0][0].organization_id
        for others in transactions:
            fits = sum(map(len, others)) + len(chunk) <= TRANSACTION_EVENTS
            if fits and all(other[0][0].organization_id != organization_id for other in others):
                others.append(chunk)
                break
        else:
            transactions.append([chunk])
    return transactions


def _from_store(source: str, event: StoredEvent) -> Delivery:
    return Delivery(source=source, **{f.name: getattr(event, f.name) for f in dataclasses.fields(event)})

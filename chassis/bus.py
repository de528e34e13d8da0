"""The connection to NATS JetStream, which carries events from outboxes to inboxes.

JetStream is a transport and PostgreSQL the record, so NATS may be away at any time: nothing here fails a
start, the connection is sought for ever, and whoever needs it now gets BusUnavailableError.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import nats
import nats.errors
import nats.js.errors
import structlog
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.js import JetStreamContext
from nats.js.api import (
    AckPolicy,
    ConsumerConfig,
    DeliverPolicy,
    DiscardPolicy,
    RetentionPolicy,
    StorageType,
    StreamConfig,
)

DAY_SECONDS = 86_400
MAX_AGE_SECONDS = 30 * DAY_SECONDS
DUPLICATE_WINDOW_SECONDS = 600
MAX_BYTES = 1 << 30
MAX_ACK_PENDING = 256
ACK_WAIT_SECONDS = 5.0
"""After this silence an event of a dead worker goes to another; living ones report progress meanwhile."""
BACKOFF_SECONDS = (1.0, 5.0, 30.0, 120.0, 600.0)
"""Delays asked for after failures; JetStream's own setting would stretch them and replace ack_wait."""
CONNECT_WAIT_SECONDS = 2.0
RETRY_SECONDS = 0.5
REQUEST_TIMEOUT_SECONDS = 5.0
PING_SECONDS = 10

_log = structlog.get_logger(__name__)

Listener = Callable[[Msg], Awaitable[None]]
"""Hears plain messages; it must not raise, since nobody would hear of that."""

BUS_ERRORS = (nats.errors.Error, OSError, TimeoutError, asyncio.TimeoutError)
"""What nats-py raises when the server is away or refuses."""


class BusUnavailableError(Exception):
    """NATS cannot be reached now or refused; the outbox keeps the events and the caller tries again."""


@dataclass(frozen=True, slots=True)
class StreamState:
    """What a relay must know of its stream. Another `created` means that somebody wiped the old one."""

    created: datetime
    last_seq: int


@dataclass(frozen=True, slots=True)
class PublishAck:
    """JetStream's word that it has stored an event."""

    stream: str
    seq: int
    duplicate: bool


def stream_of(service: str) -> str:
    """The name of a service's stream: EVT_PAYMENTS."""
    return f"EVT_{service.upper()}"


def subject_of(service: str, organization_id: str, aggregate_type: str, type_name: str) -> str:
    """evt.<service>.<organization>.<aggregate type>.<event name>"""
    return f"evt.{service}.{organization_id}.{aggregate_type}.{type_name.rpartition('.')[2]}"


class Bus:
    """One service's connection. `num_replicas` is 1 for a single server and 3 for a cluster."""

    def __init__(
        self,
        url: str,
        service: str,
        *,
        num_replicas: int = 1,
        max_bytes: int = MAX_BYTES,
        ack_wait_seconds: float = ACK_WAIT_SECONDS,
    ) -> None:
        self.service = service
        self._url = url
        self._num_replicas = num_replicas
        self._max_bytes = max_bytes
        self._ack_wait_seconds = ack_wait_seconds
        self._client: Client | None = None
        self._connected = asyncio.Event()
        self._listeners: list[tuple[str, Listener]] = []
        self._keeper: asyncio.Task[None] | None = None

    @property
    def connected(self) -> bool:
        """Whether NATS can be reached now."""
        return self._client is not None and self._client.is_connected

    async def connect(self) -> None:
        """Begin to seek the connection; returns once it stands, or after 2 s without it."""
        self._keeper = asyncio.create_task(self._keep_connected(), name="bus")
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(CONNECT_WAIT_SECONDS):
                await self._connected.wait()

    async def close(self) -> None:
        """Flush what was published and disconnect."""
        if self._keeper is not None:
            self._keeper.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._keeper
            self._keeper = None
        if self._client is not None:
            client, self._client = self._client, None
            with contextlib.suppress(*BUS_ERRORS):
                if client.is_connected:
                    await client.flush(timeout=1)
                await client.close()

    async def ensure_stream(self) -> StreamState:
        """Create this service's stream or bring its settings up to date. Raises BusUnavailableError."""
        config = self._stream_config()
        with _translated():
            try:
                info = await self._jetstream().stream_info(stream_of(self.service))
            except nats.js.errors.NotFoundError:
                info = await self._jetstream().add_stream(config)
            else:
                if not _has_settings(info.config, config):
                    info = await self._jetstream().update_stream(config)
        return StreamState(_microseconds(info.created), info.state.last_seq)

    async def publish(self, subject: str, payload: bytes, headers: dict[str, str]) -> PublishAck:
        """Publish and wait until JetStream has stored it. Raises BusUnavailableError."""
        with _translated():
            ack = await self._jetstream().publish(
                subject, payload, timeout=REQUEST_TIMEOUT_SECONDS, headers=headers
            )
        return PublishAck(ack.stream, ack.seq, bool(ack.duplicate))

    async def subscribe(
        self, source: str, durable: str, *, aggregate_types: Collection[str] = ()
    ) -> JetStreamContext.PullSubscription:
        """The durable pull consumer `durable` on another service's stream. Raises BusUnavailableError.

        Also while that stream does not exist yet, since its owner makes it. With `aggregate_types` only their events
        are delivered, and all of those; an existing durable takes the change over.
        """
        config = ConsumerConfig(
            name=durable,
            durable_name=durable,
            ack_policy=AckPolicy.EXPLICIT,
            deliver_policy=DeliverPolicy.ALL,
            max_deliver=-1,  # quarantine is ours; JetStream would hide the loss
            ack_wait=self._ack_wait_seconds,
            max_ack_pending=MAX_ACK_PENDING,
            filter_subjects=[f"evt.{source}.*.{one}.*" for one in sorted(aggregate_types)] or None,
        )
        with _translated():
            await self._jetstream().add_consumer(stream_of(source), config)
            return await self._jetstream().pull_subscribe_bind(consumer=durable, stream=stream_of(source))

    def listen(self, subject: str, hear: Listener) -> None:
        """Hear what is published from now on, whenever connected; say so before `connect`.

        Nothing is kept for this listener: what was published while NATS was away, or before, is missed.
        """
        self._listeners.append((subject, hear))

    def _jetstream(self) -> JetStreamContext:
        if self._client is None or not self._client.is_connected:
            raise BusUnavailableError("NATS is not connected")
        return self._client.jetstream(timeout=REQUEST_TIMEOUT_SECONDS)

    def _stream_config(self) -> StreamConfig:
        return StreamConfig(
            name=stream_of(self.service),
            subjects=[f"evt.{self.service}.>"],
            retention=RetentionPolicy.LIMITS,
            storage=StorageType.FILE,
            discard=DiscardPolicy.NEW,  # full is an error that the outbox waits out, never a silent drop
            max_age=MAX_AGE_SECONDS,
            max_bytes=self._max_bytes,
            duplicate_window=DUPLICATE_WINDOW_SECONDS,
            num_replicas=self._num_replicas,
            deny_delete=True,
            deny_purge=True,
        )

    async def _keep_connected(self) -> None:
        while True:
            ended = asyncio.Event()
            try:
                self._client = await self._open(ended)
            except BUS_ERRORS as error:
                _log.info("bus.unreachable", error=str(error) or type(error).__name__)
                await asyncio.sleep(RETRY_SECONDS)
                continue
            with contextlib.suppress(*BUS_ERRORS):  # lost again already: nats-py repeats what it knows of
                await self._begin_to_listen(self._client)
            self._connected.set()
            await ended.wait()  # nats-py reconnects by itself; it gives up only when it is refused

    async def _begin_to_listen(self, client: Client) -> None:
        for subject, hear in self._listeners:
            await client.subscribe(subject, cb=hear)
        if self._listeners:
            await client.flush(timeout=int(CONNECT_WAIT_SECONDS))

    async def _open(self, ended: asyncio.Event) -> Client:
        address = urlsplit(self._url)
        # A probe: nats.connect to a closed port sleeps and logs a traceback.
        _, writer = await asyncio.wait_for(
            asyncio.open_connection(address.hostname, address.port or 4222), CONNECT_WAIT_SECONDS
        )
        writer.close()

        async def on_error(error: Exception) -> None:
            _log.warning("bus.error", error=str(error) or type(error).__name__)

        async def on_closed() -> None:
            ended.set()

        return await nats.connect(
            self._url,
            name=f"tallyport-{self.service}",
            max_reconnect_attempts=-1,
            reconnect_time_wait=RETRY_SECONDS,
            connect_timeout=CONNECT_WAIT_SECONDS,
            ping_interval=PING_SECONDS,
            max_outstanding_pings=2,
            error_cb=on_error,
            closed_cb=on_closed,
        )


@contextlib.contextmanager
def _translated() -> Any:
    try:
        yield
    except BUS_ERRORS as error:
        raise BusUnavailableError(str(error) or type(error).__name__) from error


def _has_settings(found: StreamConfig, wanted: StreamConfig) -> bool:
    names = (
        "subjects", "retention", "discard", "max_age", "max_bytes", "duplicate_window", "num_replicas",
        "deny_delete", "deny_purge",
    )  # fmt: skip
    return all(getattr(found, name) == getattr(wanted, name) for name in names)


def _microseconds(created: datetime | None) -> datetime:
    if created is None:
        raise BusUnavailableError("NATS did not say when the stream was made")
    return created.astimezone(UTC)

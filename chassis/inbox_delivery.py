"""Between JetStream's messages and deliveries: reading headers, and keeping messages alive until their ack."""

import asyncio
import contextlib
import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import Self

from nats.aio.msg import Msg

from chassis.bus import BUS_ERRORS
from chassis.inbox_store import Delivery

PROGRESS_SECONDS = 0.4
"""Well below the bus's ack_wait: a message being worked on is not delivered again."""


class MalformedEventError(Exception):
    """The bytes are not the event they claim to be; trying again cannot help."""


def delivery_of(source: str, message: Msg) -> Delivery:
    """Read an event's headers. MalformedEventError if one is missing or contradicts the subject."""
    headers: Mapping[str, str] = message.headers or {}
    try:
        delivery = Delivery(
            source=source,
            event_id=str(uuid.UUID(headers["Nats-Msg-Id"])),
            type=headers["tallyport-type"],
            organization_id=headers["tallyport-organization-id"],
            aggregate_type=headers["tallyport-aggregate-type"],
            aggregate_id=headers["tallyport-aggregate-id"],
            aggregate_version=int(headers["tallyport-aggregate-version"]),
            stream_seq=int(headers["tallyport-stream-seq"]),
            occurred_at=datetime.fromisoformat(headers["tallyport-occurred-at"]),
            payload=message.data,
            traceparent=headers.get("traceparent", ""),
            request_id=headers.get("tallyport-request-id", ""),
            attempt=message.metadata.num_delivered,
        )
    except (KeyError, ValueError) as error:
        raise MalformedEventError(f"a header is missing or wrong: {error!r}") from error
    told = message.subject.split(".")[1:4]
    if told != [source, delivery.organization_id, delivery.aggregate_type]:
        raise MalformedEventError(f"the headers contradict the subject {message.subject}")
    return delivery


def forged(source: str, message: Msg, now: datetime) -> Delivery:
    """A malformed message as it can be kept: named by its place in the stream, belonging to nobody."""
    place = message.metadata.sequence.stream
    return Delivery(
        source=source,
        event_id=f"{message.metadata.stream}:{place}",
        type=message.subject,
        organization_id="",
        aggregate_type="",
        aggregate_id="",
        aggregate_version=0,
        stream_seq=place,
        occurred_at=now,
        payload=message.data,
    )


class PendingAcks:
    """Tells JetStream every moment that the messages of a batch are still being worked on."""

    def __init__(self, messages: list[Msg]) -> None:
        self._pending = {message.reply: message for message in messages}
        self._ticker: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._ticker = asyncio.create_task(self._tick())
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._ticker is not None:
            self._ticker.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._ticker

    async def ack(self, message: Msg) -> None:
        """The event is settled; if this is lost, it comes again and is skipped."""
        self._pending.pop(message.reply, None)
        with contextlib.suppress(*BUS_ERRORS):
            await message.ack()

    async def nak(self, message: Msg, delay_seconds: float) -> None:
        """Deliver it again after a while."""
        self._pending.pop(message.reply, None)
        with contextlib.suppress(*BUS_ERRORS):
            await message.nak(delay=delay_seconds)

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(PROGRESS_SECONDS)
            for message in list(self._pending.values()):
                with contextlib.suppress(*BUS_ERRORS):
                    await message.in_progress()

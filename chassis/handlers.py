"""What consumers hand to a service: events, one by one or many at once."""

import dataclasses
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from google.protobuf.message import Message
from opentelemetry.trace import SpanKind

from chassis.caller import call_scope, service_call
from chassis.database import WriteTx
from chassis.telemetry import parse_traceparent, remote_span


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """An event as handlers see it: `message` is of the class the handler is registered for."""

    event_id: str
    type: str
    service: str
    """Who produced it."""
    consumer: str
    """Who handles it."""
    organization_id: str
    aggregate_type: str
    aggregate_id: str
    aggregate_version: int
    stream_seq: int
    occurred_at: datetime
    request_id: str
    traceparent: str
    message: Message


Handler = Callable[[WriteTx, Event], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Batch:
    """A handler that takes all events of its type that came together, in their order, in one transaction.

    Each event's effect is its own: when the batch fails, the events are tried again one by one. What the handler
    emits for an event, it emits inside `continuing(event)`.
    """

    handle: Callable[[WriteTx, Sequence[Event]], Awaitable[None]]


@contextmanager
def continuing(event: Event) -> Iterator[None]:
    """Go on in the trace and under the request id in which the event was made."""
    call = service_call(event.consumer, event.organization_id, method=f"event {event.type}")
    if event.request_id:
        call = dataclasses.replace(call, request_id=event.request_id)
    parent = parse_traceparent(event.traceparent)
    with call_scope(call), remote_span(f"consume {event.type}", parent, kind=SpanKind.CONSUMER):
        yield

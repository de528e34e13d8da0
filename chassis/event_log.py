"""Serves the outbox to other services, so that a consumer can close a gap and a stream can be rebuilt."""

from typing import Any, Final

from chassis import outbox
from chassis.database import Database
from tallyport.common.v1 import event_log_pb2, event_log_pb2_grpc

DEFAULT_PAGE_SIZE: Final = 100


class EventLog(event_log_pb2_grpc.EventLogServicer):
    """The producer's outbox. Committed events only, published or not."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def ListEvents(
        self, request: event_log_pb2.ListEventsRequest, context: Any
    ) -> event_log_pb2.ListEventsResponse:
        """Events from a position on, in order and without gaps."""
        limit = request.page_size or DEFAULT_PAGE_SIZE
        async with self._db.transport() as tx:
            if request.aggregate_id:
                events = await outbox.events_of(
                    tx,
                    request.organization_id,
                    request.aggregate_id,
                    from_version=request.from_sequence,
                    limit=limit,
                )
            else:
                events = await outbox.events_since(
                    tx, request.organization_id, from_sequence=request.from_sequence, limit=limit
                )
        return event_log_pb2.ListEventsResponse(events=[_stored_event(event) for event in events])


def event_log(db: Database) -> tuple[Any, EventLog]:
    """The pair that Server takes: every producer serves its log."""
    return event_log_pb2_grpc.add_EventLogServicer_to_server, EventLog(db)


def _stored_event(event: outbox.StoredEvent) -> event_log_pb2.StoredEvent:
    stored = event_log_pb2.StoredEvent(
        event_id=event.event_id,
        type=event.type,
        aggregate_type=event.aggregate_type,
        aggregate_id=event.aggregate_id,
        aggregate_version=event.aggregate_version,
        stream_sequence=event.stream_seq,
        payload=event.payload,
    )
    stored.occurred_at.FromDatetime(event.occurred_at)
    return stored

"""Asking a producer for events that JetStream did not deliver."""

from collections.abc import Sequence
from datetime import UTC

from chassis.inbox import FetchGap
from chassis.outbox import StoredEvent
from chassis.rpc.client import as_service, connect
from chassis.settings import BaseServiceSettings
from tallyport.common.v1 import event_log_pb2, event_log_pb2_grpc

PAGE_SIZE = 1_000


def gap_fetcher(settings: BaseServiceSettings) -> FetchGap:
    """For `Recovery.fetch_gap`: reads the producer's EventLog, over a connection for each (rare) gap."""

    async def fetch_gap(
        service: str, organization_id: str, aggregate_id: str, from_version: int
    ) -> Sequence[StoredEvent]:
        request = event_log_pb2.ListEventsRequest(
            organization_id=organization_id,
            aggregate_id=aggregate_id,
            from_sequence=from_version,
            page_size=PAGE_SIZE,
        )
        async with connect(settings, service) as channel:
            answer = await as_service(event_log_pb2_grpc.EventLogStub(channel).ListEvents)(request)
        return [_stored(organization_id, event) for event in answer.events]

    return fetch_gap


def _stored(organization_id: str, event: event_log_pb2.StoredEvent) -> StoredEvent:
    return StoredEvent(
        event_id=event.event_id,
        type=event.type,
        organization_id=organization_id,
        aggregate_type=event.aggregate_type,
        aggregate_id=event.aggregate_id,
        aggregate_version=event.aggregate_version,
        stream_seq=event.stream_sequence,
        occurred_at=event.occurred_at.ToDatetime(tzinfo=UTC),
        payload=event.payload,
    )

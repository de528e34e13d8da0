"""Other services can read a producer's events, an organization's or one aggregate's, from any position."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from chassis import outbox
from chassis.database import Database
from chassis.errors import ServiceError
from chassis.event_log import event_log
from chassis.rpc.client import as_service, connect
from chassis.rpc.server import Server
from chassis.settings import BaseServiceSettings
from tallyport.common.v1.event_log_pb2 import ListEventsRequest
from tallyport.common.v1.event_log_pb2_grpc import EventLogStub
from tallyport.identity.v1.events_pb2 import PersonChanged
from tests.support.database import Databases
from tests.support.mesh import Mesh

SAMPLE = "tests.service.chassis.sample"


@pytest_asyncio.fixture
async def db(databases: Databases) -> AsyncIterator[Database]:
    async with databases.fresh("sample", package=SAMPLE) as (db, _urls):
        yield db


async def fill(db: Database) -> None:
    for organization_id in ("org_acme", "org_beta"):
        for version in (1, 2, 3):
            async with db.write(organization_id) as tx:
                for person_id in ("per_1", "per_2"):
                    outbox.append(
                        tx,
                        PersonChanged(person_id=person_id, name=f"v{version}"),
                        aggregate_type="person",
                        aggregate_id=person_id,
                        aggregate_version=version,
                    )


async def test_events_are_listed_in_order_from_a_position(db: Database, mesh: Mesh) -> None:
    await fill(db)
    server = Server(BaseServiceSettings(**mesh.settings("identity")), [event_log(db)])
    port = await server.start()
    client = BaseServiceSettings(**mesh.settings("payments"), identity_address=f"127.0.0.1:{port}")
    async with connect(client, "identity") as channel:
        list_events = as_service(EventLogStub(channel).ListEvents)
        whole = await list_events(ListEventsRequest(organization_id="org_acme"))
        assert [event.stream_sequence for event in whole.events] == [1, 2, 3, 4, 5, 6]
        assert whole.events[0].type == "tallyport.identity.v1.PersonChanged"
        assert PersonChanged.FromString(whole.events[5].payload).name == "v3"
        assert whole.events[0].occurred_at.seconds > 0
        page = await list_events(ListEventsRequest(organization_id="org_acme", from_sequence=3, page_size=2))
        assert [event.stream_sequence for event in page.events] == [3, 4]
        one = await list_events(
            ListEventsRequest(organization_id="org_acme", aggregate_id="per_2", from_sequence=2)
        )
        assert [(e.aggregate_id, e.aggregate_version) for e in one.events] == [("per_2", 2), ("per_2", 3)]
        nobody = await list_events(ListEventsRequest(organization_id="org_none"))
        assert list(nobody.events) == []
        with pytest.raises(ServiceError, match="VALIDATION_FAILED"):
            await list_events(ListEventsRequest())
    await server.stop(0)

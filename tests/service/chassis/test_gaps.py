"""A consumer asks a producer for missing events over the real RPC."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from chassis import outbox
from chassis.database import Database
from chassis.errors import Kind, ServiceError
from chassis.event_log import event_log
from chassis.gaps import gap_fetcher
from chassis.rpc.server import Server
from chassis.settings import BaseServiceSettings
from tallyport.identity.v1.events_pb2 import PersonChanged
from tests.service.chassis.conftest import ACME
from tests.support.mesh import Mesh


@pytest_asyncio.fixture
async def consumer_settings(db: Database, tmp_path: Path) -> AsyncIterator[BaseServiceSettings]:
    """Settings of a consumer whose producer serves the sample database's outbox."""
    mesh = Mesh(tmp_path)
    server = Server(BaseServiceSettings(**mesh.settings("identity")), [event_log(db)])
    port = await server.start()
    try:
        yield BaseServiceSettings(**mesh.settings("payments"), identity_address=f"127.0.0.1:{port}")
    finally:
        await server.stop(0)


async def test_missing_events_come_as_the_producer_stored_them(
    db: Database, consumer_settings: BaseServiceSettings
) -> None:
    async with db.write(ACME) as tx:
        for version in (1, 2, 3):
            message = PersonChanged(person_id="per_1", name=f"v{version}")
            outbox.append(
                tx, message, aggregate_type="person", aggregate_id="per_1", aggregate_version=version
            )
    async with db.read(ACME) as tx:
        stored = await outbox.events_of(tx, ACME, "per_1", from_version=2)
    assert await gap_fetcher(consumer_settings)("identity", ACME, "per_1", 2) == stored


async def test_a_producer_that_is_away_is_told_as_such(consumer_settings: BaseServiceSettings) -> None:
    away = consumer_settings.model_copy(update={"identity_address": "127.0.0.1:1"})
    with pytest.raises(ServiceError) as caught:
        await gap_fetcher(away)("identity", ACME, "per_1", 1)
    assert caught.value.kind in (Kind.UNAVAILABLE, Kind.DEADLINE_EXCEEDED)

"""Test clocks: one for each organization, forward only, and never where money is real."""

import asyncio
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import pytest_asyncio
from google.protobuf.message import Message
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from chassis.caller import Audience, Call, Caller, call_scope
from chassis.clock import FrozenClock
from chassis.clock_port import ClockPort, clock_port
from chassis.database import Database
from chassis.errors import ServiceError
from services.gateway.api.app import served_methods
from services.identity.clock_mover import ClockMover
from services.identity.clock_walk import TURNS
from services.identity.domain.test_clock import ClockStatus, TestClock
from services.identity.operations import manage_test_clocks
from services.identity.operations.login import Credentials, login
from services.identity.operations.refresh_session import refresh_session
from services.identity.rpc import servicers
from services.identity.settings import IdentitySettings
from services.identity.store import test_clocks as rows
from services.identity.tokens import TokenIssuer
from tallyport.common.v1 import clock_port_pb2
from tallyport.identity.v1 import test_clocks_pb2
from tests.service.identity.conftest import PASSWORD, Identity
from tests.support.wait import until

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
SOON = NOW + timedelta(hours=1)
REFUSED = (
    (NOW, "VALIDATION_FAILED"),
    (NOW - timedelta(days=1), "VALIDATION_FAILED"),
    (NOW + timedelta(days=365 * 11), "VALIDATION_FAILED"),
)


@pytest_asyncio.fixture
async def db(identity: Identity) -> AsyncIterator[Database]:
    """The same database, in a process that allows test clocks."""
    db = Database(identity.db._url, name="identity", clock=FrozenClock(NOW), test_clocks=True)
    await db.open()
    yield db
    await db.close()


def as_owner(organization_id: str, key: str = "") -> Call:
    """In a hurry: nobody moves clocks in these tests, so the answers come before they arrive."""
    caller = Caller(
        audience=Audience.STAFF, peer="gateway", organization_id=organization_id, subject_id="per_1"
    )
    return Call(
        caller=caller,
        method="clocks",
        request_id="r",
        idempotency_key=key or uuid.uuid4().hex,
        deadline=asyncio.get_running_loop().time() + manage_test_clocks.ANSWER_SECONDS + 0.2,
    )


async def create(db: Database, organization_id: str, key: str = "") -> test_clocks_pb2.TestClock:
    with call_scope(as_owner(organization_id, key)):
        return await manage_test_clocks.create_test_clock(db, organization_id, name="n", begins_at=NOW)


async def advance(
    db: Database, organization_id: str, clock_id: str, to: datetime
) -> test_clocks_pb2.TestClock:
    with call_scope(as_owner(organization_id)):
        return await manage_test_clocks.advance_test_clock(db, organization_id, clock_id, to=to)


async def arrive(db: Database, organization_id: str, status: str = "ready") -> None:
    """As the worker would in the end."""
    async with db.write(organization_id) as tx:
        await tx.execute(text("UPDATE test_clocks SET status = :status"), {"status": status})


async def test_an_organization_has_one_clock_and_the_same_key_makes_it_once(
    identity: Identity, db: Database
) -> None:
    organization_id = (await identity.organization("acme")).organization_id
    made = await create(db, organization_id, "k1")
    assert made.status == test_clocks_pb2.TEST_CLOCK_STATUS_ADVANCING
    assert (await create(db, organization_id, "k1")).test_clock_id == made.test_clock_id
    with pytest.raises(ServiceError, match="test clock already"):
        await create(db, organization_id)
    async with db.sweep() as tx:
        assert await rows.moving_clocks(tx) == [organization_id]


async def test_a_clock_goes_forward_only_and_one_walk_at_a_time(identity: Identity, db: Database) -> None:
    organization_id = (await identity.organization("acme")).organization_id
    clock_id = (await create(db, organization_id)).test_clock_id
    with pytest.raises(ServiceError) as moving:
        await advance(db, organization_id, clock_id, SOON)
    assert moving.value.reason == "TEST_CLOCK_ADVANCING"
    await arrive(db, organization_id)
    for to, reason in REFUSED:
        with pytest.raises(ServiceError) as refused:
            await advance(db, organization_id, clock_id, to)
        assert refused.value.reason == reason
    with pytest.raises(ServiceError) as unknown:
        await advance(db, organization_id, "clk_other", SOON)
    assert unknown.value.reason == "TEST_CLOCK_NOT_FOUND"
    assert (await advance(db, organization_id, clock_id, SOON)).target_time.ToDatetime(tzinfo=UTC) == SOON
    await arrive(db, organization_id, "failed")
    await advance(db, organization_id, clock_id, SOON)  # a walk that stopped is taken up again
    found = await manage_test_clocks.find_test_clock(db, organization_id)
    assert found is not None
    assert (found.status, found.failure) == (ClockStatus.ADVANCING, "")


class Restless:
    """A service in which something falls due every second, for ever."""

    def __init__(self) -> None:
        self.at, self.is_held, self.removed = NOW, False, False

    async def SetClock(self, request: clock_port_pb2.SetClockRequest, **_: Any) -> Message:
        self.at, self.is_held = request.frozen_at.ToDatetime(tzinfo=UTC), request.held
        return clock_port_pb2.SetClockResponse()

    async def RemoveClock(self, _: Message, **__: Any) -> Message:
        self.removed = True
        return clock_port_pb2.RemoveClockResponse()

    async def RunRound(self, _: Message, **__: Any) -> Message:
        outcome = clock_port_pb2.RunRoundResponse(done=True)
        outcome.next_due_at.FromDatetime(self.at + timedelta(seconds=1))
        return outcome

    async def GetTraffic(self, _: Message, **__: Any) -> Message:
        return clock_port_pb2.GetTrafficResponse()


@asynccontextmanager
async def on_its_way(identity: Identity, db: Database) -> AsyncIterator[tuple[str, str, Restless]]:
    """A clock that would be under way for hours, its organization and the service that keeps it there."""
    organization_id = (await identity.organization("acme")).organization_id
    clock_id = (await create(db, organization_id)).test_clock_id
    request = clock_port_pb2.SetClockRequest(organization_id=organization_id)
    request.frozen_at.FromDatetime(NOW)
    await ClockPort(db).SetClock(request, None)
    await arrive(db, organization_id)
    await advance(db, organization_id, clock_id, NOW + timedelta(days=300))
    service = Restless()
    mover = asyncio.create_task(ClockMover(db, dict.fromkeys(TURNS, service)).run())  # type: ignore[arg-type]
    try:
        await until(lambda: service.at > NOW)
        yield organization_id, clock_id, service
    finally:
        mover.cancel()
        await asyncio.gather(mover, return_exceptions=True)


async def test_a_clock_on_its_way_is_stopped_at_the_stop_it_has_reached(
    identity: Identity, db: Database
) -> None:
    async with on_its_way(identity, db) as (organization_id, clock_id, service):
        with call_scope(as_owner(organization_id)):
            await manage_test_clocks.stop_test_clock(db, organization_id, clock_id)
        clock = await until(lambda: standing(db, organization_id))
        assert (clock.status, clock.failure) == (ClockStatus.READY, "")
        assert NOW < clock.frozen_at == clock.target_at == service.at < NOW + timedelta(days=1)
        assert not service.is_held
        with call_scope(as_owner(organization_id)):
            again = await manage_test_clocks.stop_test_clock(db, organization_id, clock_id)
        assert again.frozen_time.ToDatetime(tzinfo=UTC) == clock.frozen_at


async def test_a_clock_on_its_way_can_be_removed(identity: Identity, db: Database) -> None:
    async with on_its_way(identity, db) as (organization_id, clock_id, service):
        with call_scope(as_owner(organization_id)):
            await manage_test_clocks.delete_test_clock(db, organization_id, clock_id)
        await until(lambda: gone(db, organization_id))
        assert service.removed


async def standing(db: Database, organization_id: str) -> TestClock | None:
    clock = await manage_test_clocks.find_test_clock(db, organization_id)
    return None if clock is None or clock.moves else clock


async def gone(db: Database, organization_id: str) -> bool:
    return await manage_test_clocks.find_test_clock(db, organization_id) is None


def test_where_no_clocks_are_allowed_there_are_no_routes(identity: Identity, db: Database) -> None:
    paths = {method.name for method in served_methods(test_clocks=False)}
    assert "AdvanceTestClock" not in paths
    assert "AdvanceTestClock" in {method.name for method in served_methods(test_clocks=True)}
    issuer = TokenIssuer(identity.mesh.signer, identity.clock)
    with_clocks, without = (len(servicers(one, identity.hasher, issuer)) for one in (db, identity.db))
    assert with_clocks == without + 1
    settings = IdentitySettings(**identity.mesh.settings("identity"))
    assert not settings.test_clocks
    assert clock_port(settings, identity.db) == []


async def test_an_organization_in_live_mode_gets_no_clock(identity: Identity, db: Database) -> None:
    organization_id = (await identity.organization("acme", live_mode=True)).organization_id
    with pytest.raises(ServiceError) as refused:
        await create(db, organization_id)
    assert refused.value.reason == "TEST_CLOCK_IN_LIVE_MODE"
    request = clock_port_pb2.SetClockRequest(organization_id=organization_id, live_mode=True)
    with pytest.raises(ServiceError) as by_the_service:
        await ClockPort(db).SetClock(request, None)
    assert by_the_service.value.reason == "TEST_CLOCK_IN_LIVE_MODE"


async def test_the_database_lets_no_organization_with_a_clock_go_live(
    identity: Identity, db: Database
) -> None:
    organization_id = (await identity.organization("acme")).organization_id
    await create(db, organization_id)
    with pytest.raises(IntegrityError, match="fk_test_clocks_organizations"):
        async with db.write(organization_id) as tx:
            await tx.execute(text("UPDATE organizations SET live_mode = true"))
    with pytest.raises(IntegrityError, match="ck_test_clocks_live_mode"):
        async with db.write(organization_id) as tx:
            await tx.execute(text("UPDATE test_clocks SET live_mode = true"))


async def test_a_session_outlives_a_jump_of_a_year(identity: Identity, db: Database) -> None:
    organization_id = (await identity.organization("acme")).organization_id
    issuer = TokenIssuer(identity.mesh.signer, identity.clock)
    credentials = Credentials(organization_slug="acme", email="owner@acme.example", password=PASSWORD)
    signed_in = await login(db, identity.hasher, issuer, credentials)
    request = clock_port_pb2.SetClockRequest(organization_id=organization_id)
    request.frozen_at.FromDatetime(NOW + timedelta(days=366))
    await ClockPort(db).SetClock(request, None)
    assert await db.now_of(organization_id) == NOW + timedelta(days=366)
    renewed = await refresh_session(db, issuer, signed_in.refresh_token)
    assert renewed.session.last_seen_at == NOW
    await login(db, identity.hasher, issuer, credentials)


async def test_a_clock_never_goes_back(identity: Identity, db: Database) -> None:
    organization_id, port = (await identity.organization("acme")).organization_id, ClockPort(db)
    for at in (SOON, NOW):
        request = clock_port_pb2.SetClockRequest(organization_id=organization_id)
        request.frozen_at.FromDatetime(at)
        await port.SetClock(request, None)
    assert await db.now_of(organization_id) == SOON
    await port.RemoveClock(clock_port_pb2.RemoveClockRequest(organization_id=organization_id), None)
    assert await db.now_of(organization_id) == NOW

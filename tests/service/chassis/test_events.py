"""From outbox to effect over a real NATS: nothing lost, nothing done twice, whatever dies between."""

import asyncio
import contextlib
import shutil
from collections.abc import AsyncIterator, Collection, Coroutine, Iterator, Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from google.protobuf.message import Message
from sqlalchemy import text

from chassis import outbox
from chassis.bus import Bus
from chassis.clock import SystemClock
from chassis.crashpoints import Crashed, armed
from chassis.database import Database, WriteTx
from chassis.errors import Kind, ServiceError
from chassis.inbox import Consumers, Event, Recovery
from chassis.outbox import Relay, republish
from devstack.nats import Nats
from tallyport.identity.v1.events_pb2 import OrganizationChanged, PersonChanged
from tests.service.chassis.conftest import ACME, BETA, SAMPLE
from tests.support.database import Databases
from tests.support.servers import free_port
from tests.support.wait import until

SEEN = text(
    "INSERT INTO notes (organization_id, note_id, times_seen) VALUES (:organization_id, :note_id, 1)"
    " ON CONFLICT (organization_id, note_id) DO UPDATE SET times_seen = notes.times_seen + 1"
)
QUICK_BACKOFF = (0.05,)


class Mesh:
    """A producer (identity) and a consumer (payments) with a database each, and the NATS between them."""

    def __init__(self, producer: Database, consumer: Database, nats: Nats) -> None:
        self.producer, self.consumer, self.nats = producer, consumer, nats
        self.out = Bus(nats.url_for("identity"), "identity")
        self.into = Bus(nats.url_for("payments"), "payments", ack_wait_seconds=1.0)
        self.poison: set[str] = set()
        self.order: list[tuple[str, int]] = []
        self.tasks: list[asyncio.Task[None]] = []
        self.fetched: list[tuple[str, int]] = []

    async def write(
        self, aggregate_id: str, versions: list[int], *, organization_id: str = ACME, kind: str = "person"
    ) -> None:
        async with self.producer.write(organization_id) as tx:
            for version in versions:
                message: Message = PersonChanged(person_id=aggregate_id, name=str(version))
                if kind != "person":
                    message = OrganizationChanged()
                outbox.append(
                    tx, message, aggregate_type=kind, aggregate_id=aggregate_id, aggregate_version=version
                )

    async def handle(self, tx: WriteTx, event: Event) -> None:
        assert isinstance(event.message, PersonChanged)
        params = {"organization_id": event.organization_id, "note_id": event.event_id}
        await tx.execute(SEEN, params)
        if event.aggregate_id in self.poison:
            raise ValueError(f"cannot digest {event.aggregate_id}")
        self.order.append((event.aggregate_id, event.aggregate_version))

    async def fetch_gap(
        self, service: str, organization_id: str, aggregate_id: str, from_version: int
    ) -> list[outbox.StoredEvent]:
        self.fetched.append((aggregate_id, from_version))
        async with self.producer.read(organization_id) as tx:
            return await outbox.events_of(tx, organization_id, aggregate_id, from_version=from_version)

    def relay(self) -> Relay:
        return Relay(self.producer, self.out, "identity", poll_seconds=0.2)

    def consumers(self, aggregate_types: Mapping[str, Collection[str]] | None = None) -> Consumers:
        return Consumers(
            self.consumer,
            self.into,
            "payments",
            {PersonChanged: self.handle},
            SystemClock(),
            recovery=Recovery(
                fetch_gap=self.fetch_gap, backoff_seconds=QUICK_BACKOFF, gap_patience_seconds=0.0
            ),
            aggregate_types=aggregate_types,
        )

    def start(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self.tasks.append(task)
        return task

    async def stop(self) -> None:
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)

    async def count(self, db: Database, query: str) -> int:
        async with db.transport() as tx:
            return int((await tx.execute(text(query))).scalar_one())

    async def effects(self, organization_id: str = ACME) -> list[int]:
        """How often each event had its effect."""
        async with self.consumer.read(organization_id) as tx:
            return list((await tx.execute(text("SELECT times_seen FROM notes"))).scalars())

    async def applied(self, number: int, organization_id: str = ACME) -> bool:
        return len(await self.effects(organization_id)) == number

    async def unpublished(self) -> int:
        return await self.count(self.producer, "SELECT count(*) FROM outbox WHERE published_at IS NULL")


@pytest_asyncio.fixture
async def mesh(databases: Databases, tmp_path: Path) -> AsyncIterator[Mesh]:
    async with AsyncExitStack() as stack:
        producer, _ = await stack.enter_async_context(databases.fresh("sample", package=SAMPLE))
        consumer, _ = await stack.enter_async_context(databases.fresh("sample", package=SAMPLE))
        nats = Nats(tmp_path / "nats", free_port())
        await nats.start()
        stack.push_async_callback(nats.stop)
        mesh = Mesh(producer, consumer, nats)
        for bus in (mesh.out, mesh.into):
            await bus.connect()
            stack.push_async_callback(bus.close)
        stack.push_async_callback(mesh.stop)
        yield mesh


@contextlib.contextmanager
def crashing() -> Iterator[None]:
    """The block must die at the armed point."""
    try:
        yield
    except Crashed:
        return
    except BaseExceptionGroup as group:
        if group.subgroup(Crashed) is None:
            raise
        return
    raise AssertionError("the crash point was not passed")


async def test_events_arrive_once_in_order_and_for_their_organization(mesh: Mesh) -> None:
    mesh.start(mesh.relay().run())
    mesh.start(mesh.consumers().run())
    for version in range(1, 21):
        await mesh.write("per_1", [version])
        await mesh.write("per_2", [version], organization_id=BETA)
    await until(lambda: mesh.applied(20))
    await until(lambda: mesh.applied(20, BETA))
    assert set(await mesh.effects()) == {1}
    for person in ("per_1", "per_2"):
        assert [version for who, version in mesh.order if who == person] == list(range(1, 21))


async def test_events_without_a_handler_only_move_the_position(mesh: Mesh) -> None:
    await mesh.write("org_acme", [1, 2], kind="organization")
    await mesh.write("per_1", [1])
    mesh.start(mesh.relay().run())
    mesh.start(mesh.consumers().run())
    position = "SELECT coalesce(sum(last_version), 0) FROM inbox_positions"

    async def all_positions_moved() -> bool:
        return await mesh.count(mesh.consumer, position) == 3

    await until(all_positions_moved)
    assert await mesh.count(mesh.consumer, "SELECT count(*) FROM inbox") == 1


async def test_aggregates_that_nobody_asked_for_are_not_delivered(mesh: Mesh) -> None:
    await mesh.write("org_acme", [1, 2], kind="organization")
    await mesh.write("per_1", [1])
    mesh.start(mesh.relay().run())
    consumers = mesh.start(mesh.consumers(aggregate_types={"identity": ["person"]}).run())
    await mesh.write("per_1", [2])
    await until(lambda: mesh.applied(2))
    assert await mesh.count(mesh.consumer, "SELECT count(*) FROM inbox_positions") == 1
    # Asked for later, all events of the other aggregate arrive, those of the time before from the producer.
    consumers.cancel()
    await mesh.write("org_acme", [3], kind="organization")
    mesh.start(mesh.consumers().run())
    position = "SELECT coalesce(sum(last_version), 0) FROM inbox_positions WHERE aggregate_id = 'org_acme'"

    async def caught_up() -> bool:
        return await mesh.count(mesh.consumer, position) == 3

    await until(caught_up)


async def test_thousands_of_events_are_drained_within_seconds(mesh: Mesh) -> None:
    for start in range(0, 3000, 500):
        async with mesh.producer.write(ACME) as tx:
            for number in range(start, start + 500):
                outbox.append(
                    tx, PersonChanged(), aggregate_type="person", aggregate_id=f"per_{number}",
                    aggregate_version=1,
                )  # fmt: skip
    mesh.start(mesh.relay().run())
    mesh.start(mesh.consumers().run())
    await until(lambda: mesh.applied(3000), timeout_seconds=60)
    assert set(await mesh.effects()) == {1}


@pytest.mark.parametrize("point", ["relay.after_read", "relay.after_puback"])
@pytest.mark.parametrize("passes", [1, 2, 3])
async def test_a_relay_that_dies_loses_nothing(mesh: Mesh, point: str, passes: int) -> None:
    mesh.start(mesh.consumers().run())
    with armed(f"{point}:{passes}"), crashing():
        dying = mesh.start(mesh.relay().run())
        for version in range(1, 200):
            await mesh.write("per_1", [version])
            if dying.done():
                break
        await asyncio.wait_for(dying, 10)
    written = await mesh.count(mesh.producer, "SELECT count(*) FROM outbox")
    mesh.start(mesh.relay().run())
    await until(lambda: mesh.applied(written))
    assert set(await mesh.effects()) == {1}
    assert await mesh.unpublished() == 0


@pytest.mark.parametrize("point", ["consumer.before_tx", "consumer.after_commit", "consumer.before_ack"])
async def test_a_consumer_that_dies_applies_each_event_once(mesh: Mesh, point: str) -> None:
    for person in range(40):
        await mesh.write(f"per_{person}", [1, 2])
    mesh.start(mesh.relay().run())
    for passes in (1, 2, 3):
        with armed(f"{point}:{passes}"), crashing():
            await asyncio.wait_for(mesh.consumers().run(), 20)
        for number in range(passes + 1):
            await mesh.write(f"per_more_{passes}_{number}", [1])
    mesh.start(mesh.consumers().run())
    await until(lambda: mesh.applied(89), timeout_seconds=20)
    assert set(await mesh.effects()) == {1}


async def test_without_its_inbox_a_consumer_doubles_effects(mesh: Mesh) -> None:
    """The negative control: the inbox and the positions are what makes an effect single."""
    await mesh.write("per_1", [1])
    mesh.start(mesh.relay().run())
    with armed("consumer.before_ack"), crashing():
        await asyncio.wait_for(mesh.consumers().run(), 20)
    async with mesh.consumer.transport() as tx:
        await tx.execute(text("DELETE FROM inbox"))
        await tx.execute(text("DELETE FROM inbox_positions"))
    mesh.start(mesh.consumers().run())

    async def doubled() -> bool:
        return await mesh.effects() == [2]

    await until(doubled)


async def test_a_second_relay_waits_for_the_first(mesh: Mesh) -> None:
    first = mesh.start(mesh.relay().run())
    await mesh.write("per_1", [1])
    await until(lambda: _published(mesh))
    mesh.start(mesh.relay().run())
    first.cancel()
    await mesh.write("per_1", [2])
    await until(lambda: _published(mesh))


async def test_nats_may_be_away_and_its_data_wiped(mesh: Mesh) -> None:
    mesh.start(mesh.relay().run())
    mesh.start(mesh.consumers().run())
    await mesh.write("per_1", [1, 2, 3])
    await until(lambda: mesh.applied(3))
    await mesh.nats.stop()
    shutil.rmtree(mesh.nats.store)
    await mesh.write("per_1", [4])
    await mesh.write("per_2", [1])
    await mesh.nats.start()
    await until(lambda: mesh.applied(5), timeout_seconds=30)
    assert set(await mesh.effects()) == {1}
    state = await mesh.out.ensure_stream()
    assert state.last_seq == 5  # the old events are in the new stream as well


async def test_a_wiped_stream_is_rebuilt_while_the_relay_was_down(mesh: Mesh) -> None:
    first = mesh.start(mesh.relay().run())
    await mesh.write("per_1", [1, 2, 3])
    await until(lambda: _published(mesh))
    first.cancel()
    await mesh.nats.stop()
    shutil.rmtree(mesh.nats.store)
    await mesh.nats.start()
    mesh.start(mesh.relay().run())
    mesh.start(mesh.consumers().run())
    await until(lambda: mesh.applied(3), timeout_seconds=30)
    assert set(await mesh.effects()) == {1}


async def test_a_stream_that_is_not_noticed_as_wiped_stays_empty(mesh: Mesh) -> None:
    """The negative control: it is the comparison with relay_state that rebuilds a stream."""
    first = mesh.start(mesh.relay().run())
    await mesh.write("per_1", [1])
    await until(lambda: _published(mesh))
    first.cancel()
    await mesh.nats.stop()
    shutil.rmtree(mesh.nats.store)
    await mesh.nats.start()
    await until(lambda: mesh.out.connected)
    created = (await mesh.out.ensure_stream()).created
    async with mesh.producer.transport() as tx:
        statement = text("UPDATE relay_state SET stream_created_at = :created, last_seq = 0")
        await tx.execute(statement, {"created": created})
    mesh.start(mesh.relay().run())
    await mesh.write("per_2", [1])
    await until(lambda: _published(mesh))
    assert (await mesh.out.ensure_stream()).last_seq == 1


async def test_marking_before_the_ack_would_lose_events(mesh: Mesh) -> None:
    """The negative control of the dying relay: with the other order, the event never arrives."""
    await mesh.write("per_lost", [1])
    with armed("relay.after_read"), crashing():
        await asyncio.wait_for(mesh.relay().run(), 10)
    async with mesh.producer.transport() as tx:
        await tx.execute(text("UPDATE outbox SET published_at = occurred_at"))
    mesh.start(mesh.relay().run())
    mesh.start(mesh.consumers().run())
    await mesh.write("per_2", [1])
    await until(lambda: mesh.applied(1))
    assert mesh.order == [("per_2", 1)]


async def _published(mesh: Mesh) -> bool:
    return await mesh.unpublished() == 0


async def test_republishing_changes_no_effect(mesh: Mesh) -> None:
    mesh.start(mesh.relay().run())
    mesh.start(mesh.consumers().run())
    await mesh.write("per_1", [1, 2, 3])
    await until(lambda: mesh.applied(3))
    await until(lambda: _published(mesh))
    assert await republish(mesh.producer, ACME, since_seq=2) == 2
    await until(lambda: _published(mesh))
    await mesh.write("per_1", [4])
    await until(lambda: mesh.applied(4))
    assert set(await mesh.effects()) == {1}


async def test_a_poisonous_event_blocks_only_its_aggregate_until_it_is_retried(mesh: Mesh) -> None:
    mesh.poison.add("per_bad")
    consumers = mesh.consumers()
    mesh.start(mesh.relay().run())
    mesh.start(consumers.run())
    for version in (1, 2, 3):
        await mesh.write("per_bad", [version])
        await mesh.write("per_good", [version])
    await until(lambda: mesh.applied(3))
    parked = "SELECT count(*) FROM dead_letters WHERE state IN ('dead', 'parked')"

    async def all_three_kept() -> bool:
        return await mesh.count(mesh.consumer, parked) == 3

    await until(all_three_kept)
    dead = "SELECT max(attempts) FROM dead_letters WHERE state = 'dead' AND error LIKE '%cannot digest%'"
    assert await mesh.count(mesh.consumer, dead) == 5
    with pytest.raises(ValueError, match="cannot digest"):
        await consumers.retry_dead_letters(ACME, "per_bad")
    mesh.poison.clear()
    assert await consumers.retry_dead_letters(ACME, "per_bad") == 3
    await mesh.write("per_bad", [4])
    await until(lambda: mesh.applied(7))
    assert [version for who, version in mesh.order if who == "per_bad"][-4:] == [1, 2, 3, 4]
    assert await mesh.count(mesh.consumer, "SELECT count(*) FROM dead_letters") == 0


async def test_an_outage_behind_a_handler_is_waited_out(mesh: Mesh) -> None:
    tries: list[int] = []

    async def handle(tx: WriteTx, event: Event) -> None:
        tries.append(1)
        if len(tries) < 8:
            raise ServiceError(Kind.UNAVAILABLE, "AWAY", "Away.")
        await mesh.handle(tx, event)

    consumers = Consumers(
        mesh.consumer, mesh.into, "payments", {PersonChanged: handle}, SystemClock(),
        recovery=Recovery(backoff_seconds=QUICK_BACKOFF),
    )  # fmt: skip
    mesh.start(mesh.relay().run())
    mesh.start(consumers.run())
    await mesh.write("per_1", [1])
    await until(lambda: mesh.applied(1))
    assert await mesh.count(mesh.consumer, "SELECT count(*) FROM dead_letters") == 0


async def test_bytes_that_are_no_event_are_kept_and_block_nobody_else(mesh: Mesh) -> None:
    mesh.start(mesh.relay().run())
    mesh.start(mesh.consumers().run())
    await mesh.write("per_1", [1])
    await until(lambda: mesh.applied(1))
    await mesh.out.publish("evt.identity.org_acme.person.X", b"\xff\xff", {})
    headers = {
        "Nats-Msg-Id": "0197f3a0-0000-7000-8000-000000000001",
        "tallyport-type": "tallyport.identity.v1.PersonChanged",
        "tallyport-organization-id": BETA,
        "tallyport-aggregate-type": "person",
        "tallyport-aggregate-id": "per_9",
        "tallyport-aggregate-version": "1",
        "tallyport-stream-seq": "1",
        "tallyport-occurred-at": "2026-01-05T00:00:00+00:00",
    }
    await mesh.out.publish("evt.identity.org_acme.person.X", b"", headers)  # another tenant's subject
    headers |= {"tallyport-organization-id": ACME, "Nats-Msg-Id": "0197f3a0-0000-7000-8000-000000000002"}
    await mesh.out.publish("evt.identity.org_acme.person.X", b"\xff\xff", headers)
    await mesh.write("per_1", [2])
    await until(lambda: mesh.applied(2))

    async def three_kept() -> bool:
        return await mesh.count(mesh.consumer, "SELECT count(*) FROM dead_letters WHERE state = 'dead'") == 3

    await until(three_kept)
    assert await mesh.count(mesh.consumer, "SELECT count(*) FROM inbox_positions WHERE blocked") == 1


async def test_a_gap_is_closed_by_asking_the_producer(mesh: Mesh) -> None:
    await mesh.write("per_1", [1, 2, 3])
    async with mesh.producer.transport() as tx:  # as if JetStream had lost the second event
        await tx.execute(
            text("UPDATE outbox SET published_at = occurred_at, puback_seq = 0 WHERE aggregate_version = 2")
        )
    mesh.start(mesh.relay().run())
    mesh.start(mesh.consumers().run())
    await until(lambda: mesh.applied(3))
    assert mesh.fetched == [("per_1", 2)]
    assert mesh.order == [("per_1", 1), ("per_1", 2), ("per_1", 3)]


async def test_the_bus_never_fails_a_start(tmp_path: Path) -> None:
    nats = Nats(tmp_path, free_port())
    nats.prepare()
    bus = Bus(nats.url_for("identity"), "identity")
    await bus.connect()
    assert not bus.connected
    await nats.start()
    try:
        await until(lambda: bus.connected)
        assert (await bus.ensure_stream()).last_seq == 0
    finally:
        await bus.close()
        await nats.stop()

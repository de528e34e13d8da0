"""The outbox: gapless sequence in commit order, whatever rolls back."""

import asyncio
import random

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from chassis import outbox
from chassis.database import Database, WriteTx
from tallyport.identity.v1.events_pb2 import PersonChanged
from tests.service.chassis.conftest import ACME, BETA

WRITERS = 16
EVENTS_EACH = 25


def append(tx: WriteTx, aggregate_id: str, version: int) -> str:
    return outbox.append(
        tx,
        PersonChanged(person_id=aggregate_id),
        aggregate_type="person",
        aggregate_id=aggregate_id,
        aggregate_version=version,
    )


async def test_the_sequence_is_gapless_under_concurrent_writers_that_roll_back(db: Database) -> None:
    seed = random.randrange(10**6)
    print(f"seed {seed}")

    async def writer(number: int) -> int:
        dice, committed = random.Random(seed + number), 0
        for _ in range(EVENTS_EACH):
            try:
                async with db.write(ACME) as tx:
                    append(tx, f"per_{number}", committed + 1)
                    append(tx, f"per_{number}_other", committed + 1)
                    if dice.random() < 0.2:
                        await tx.flush_collected()
                        raise RuntimeError("rolled back after the rows were written")
                committed += 1
            except RuntimeError:
                continue
        return 2 * committed

    total = sum(await asyncio.gather(*(writer(number) for number in range(WRITERS))))
    async with db.transport() as tx:
        rows = (await tx.execute(text("SELECT stream_seq FROM outbox ORDER BY outbox_id"))).scalars().all()
    assert rows == list(range(1, total + 1))
    assert total < 2 * WRITERS * EVENTS_EACH


async def test_each_organization_counts_for_itself(db: Database) -> None:
    for organization_id in (ACME, BETA, ACME):
        async with db.write(organization_id) as tx:
            append(tx, f"per_{random.random()}", 1)
    async with db.read(ACME) as tx:
        assert [event.stream_seq for event in await outbox.events_since(tx, ACME, from_sequence=1)] == [1, 2]
        assert [event.stream_seq for event in await outbox.events_since(tx, BETA, from_sequence=1)] == [1]


async def test_a_version_cannot_be_used_twice(db: Database) -> None:
    async def append_twice() -> None:
        async with db.write(ACME) as tx:
            append(tx, "per_1", 1)
            append(tx, "per_1", 1)

    with pytest.raises(IntegrityError, match="uq_outbox_version"):
        await append_twice()


async def test_events_of_an_aggregate_are_listed_from_a_version_on(db: Database) -> None:
    async with db.write(ACME) as tx:
        ids = [append(tx, "per_1", version) for version in (1, 2, 3)]
        append(tx, "per_2", 1)
    async with db.read(ACME) as tx:
        events = await outbox.events_of(tx, ACME, "per_1", from_version=2)
    assert [event.event_id for event in events] == ids[1:]
    assert PersonChanged.FromString(events[0].payload).person_id == "per_1"
    assert events[0].type == "tallyport.identity.v1.PersonChanged"

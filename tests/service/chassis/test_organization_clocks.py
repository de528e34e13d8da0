"""Organizations with a test clock live by it; all others never notice."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import psycopg
import pytest
import pytest_asyncio
from sqlalchemy import text

from chassis.clock import SystemClock
from chassis.database import Database
from chassis.jobs import Job, earliest, run_jobs
from chassis.turns import OTHERS, Turn, turn_scope
from tests.service.chassis.conftest import ACME, BETA
from tests.support.database import DatabaseUrls
from tests.support.wait import until

LONG_AGO = datetime(2020, 2, 29, 12, tzinfo=UTC)
SET = text("""
    INSERT INTO organization_clocks (
        organization_id, frozen_at, held, round, rounds_done, handled, failure, live_mode
    ) VALUES (:organization_id, :at, :held, :round, 0, 0, '', :live_mode)
    ON CONFLICT (organization_id) DO UPDATE
    SET frozen_at = :at, held = :held, round = organization_clocks.round + :round
""")
NOTE = text("INSERT INTO notes (organization_id, note_id) VALUES (:organization_id, :note_id)")
NOTES = text("SELECT organization_id FROM notes ORDER BY organization_id")


@pytest_asyncio.fixture
async def clocked(urls: DatabaseUrls) -> AsyncIterator[Database]:
    db = Database(urls.app, pool_size=8, name="sample", clock=SystemClock(), test_clocks=True)
    await db.open()
    yield db
    await db.close()


async def stop_clock(
    db: Database,
    organization_id: str,
    at: datetime,
    *,
    held: bool = False,
    rounds: int = 0,
    live_mode: bool = False,
) -> None:
    params = {"organization_id": organization_id, "at": at, "held": held, "round": rounds}
    async with db.write(organization_id) as tx:
        await tx.execute(SET, params | {"live_mode": live_mode})
    db.look_for_clock(organization_id)


async def note(db: Database, organization_id: str) -> None:
    async with db.write(organization_id) as tx:
        await tx.execute(NOTE, {"organization_id": organization_id, "note_id": "a"})


async def test_every_transaction_of_an_organization_tells_its_clock(clocked: Database) -> None:
    await stop_clock(clocked, ACME, LONG_AGO)
    async with clocked.write(ACME) as tx:
        assert tx.now() == LONG_AGO
        assert tx.machine_now() > LONG_AGO + timedelta(days=365)
    async with clocked.read(ACME) as read:
        assert read.now() == LONG_AGO
    assert await clocked.now_of(ACME) == LONG_AGO
    assert await clocked.now_of(BETA) > LONG_AGO
    async with clocked.read(BETA) as read:
        assert read.now() == read.machine_now() > LONG_AGO


async def test_where_no_test_clocks_are_allowed_none_is_looked_at(db: Database, clocked: Database) -> None:
    await stop_clock(clocked, ACME, LONG_AGO)
    async with db.read(ACME) as tx:
        assert tx.now() > LONG_AGO
    assert await db.test_clocks() == []


async def test_a_clock_of_an_organization_in_live_mode_is_refused_by_the_database(clocked: Database) -> None:
    with pytest.raises(Exception, match="ck_organization_clocks_live_mode"):
        await stop_clock(clocked, ACME, LONG_AGO, live_mode=True)


async def test_a_clock_is_not_moved_before_what_began_earlier_has_ended(clocked: Database) -> None:
    await stop_clock(clocked, ACME, LONG_AGO)
    later = LONG_AGO + timedelta(days=1)
    async with clocked.write(ACME) as tx:
        await tx.execute(text("SELECT 1"))
        moving = asyncio.create_task(stop_clock(clocked, ACME, later))
        done, _ = await asyncio.wait({moving}, timeout=0.1)
        assert not done
    await moving
    assert await clocked.now_of(ACME) == later


async def test_a_job_sees_clocked_organizations_only_in_their_own_turn(clocked: Database) -> None:
    await note(clocked, ACME)
    await note(clocked, BETA)
    await stop_clock(clocked, ACME, LONG_AGO)
    seen: dict[Turn, tuple[list[str], datetime]] = {}
    for turn in (OTHERS, Turn(ACME)):
        with turn_scope(turn):
            async with clocked.sweep() as tx:
                seen[turn] = ([row.organization_id for row in await tx.execute(NOTES)], tx.now())
    assert seen[OTHERS][0] == [BETA]
    assert seen[Turn(ACME)] == ([ACME], LONG_AGO)
    async with clocked.sweep() as tx:
        assert [row.organization_id for row in await tx.execute(NOTES)] == [ACME, BETA]


async def test_a_round_runs_each_job_in_order_and_tells_what_is_due_next(
    clocked: Database, urls: DatabaseUrls
) -> None:
    ran: list[tuple[str, datetime]] = []
    next_year = datetime(2021, 1, 1, tzinfo=UTC)

    def job(name: str, **more: object) -> Job:
        async def work() -> int:
            async with clocked.sweep() as tx:
                ran.append((name, tx.now()))
            return 1

        return Job(name, None, work, **more)  # type: ignore[arg-type]

    due = earliest(
        clocked,
        "SELECT CAST('2021-01-01 00:00+00' AS timestamptz) WHERE :now < now() AND :organization_id <> ''",
    )
    jobs = [job("first"), job("second", next_due=due)]
    await stop_clock(clocked, ACME, LONG_AGO, held=True, rounds=1)
    await stop_clock(clocked, BETA, LONG_AGO + timedelta(hours=1), held=False)
    task = asyncio.create_task(run_jobs(clocked, jobs, lock_poll_seconds=0.05))
    try:

        async def is_done() -> bool:
            return any(clock.rounds_done == 1 for clock in await clocked.test_clocks())

        await until(is_done)
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    assert ran == [("first", LONG_AGO), ("second", LONG_AGO)]
    clock = next(one for one in await clocked.test_clocks() if one.organization_id == ACME)
    assert (clock.handled, clock.next_due_at, clock.failure) == (2, next_year, "")


async def test_a_clock_that_is_being_moved_is_left_alone_by_the_jobs_of_every_day(clocked: Database) -> None:
    turns: list[datetime] = []

    async def work() -> int:
        async with clocked.sweep() as tx:
            turns.append(tx.now())
        return 0

    await stop_clock(clocked, ACME, LONG_AGO, held=True)
    await stop_clock(clocked, BETA, LONG_AGO + timedelta(hours=1), held=False)
    task = asyncio.create_task(run_jobs(clocked, [Job("look", 0.01, work)], lock_poll_seconds=0.05))
    try:
        await until(lambda: len(turns) >= 6)
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    assert LONG_AGO not in turns
    assert LONG_AGO + timedelta(hours=1) in turns


async def test_tables_made_after_clocks_are_swept_alike(urls: DatabaseUrls) -> None:
    async with await psycopg.AsyncConnection.connect(urls.superuser) as connection:
        rows = await connection.execute("SELECT tablename, qual FROM pg_policies WHERE policyname = 'sweep'")
        found: dict[str, str] = dict(await rows.fetchall())
    assert "follows_machine_time" in found.pop("notes")
    assert set(found) == {"organization_clocks"}

"""Moves test clocks: one worker process does, and each organization's clock apart from the others.

What it has reached is kept in the database at every stop, so that a walk goes on after a crash where it was.
"""

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Any, Final

import psycopg
import structlog
from sqlalchemy.exc import SQLAlchemyError

from chassis.caller import call_scope, service_call
from chassis.database import Database, WriteTx
from chassis.errors import ServiceError
from chassis.organization_clocks import ABSENCE_KNOWN_SECONDS
from services.identity.clock_walk import NotAtRest, Ports, Walk
from services.identity.domain.test_clock import MOST_STEPS, ClockStatus, TestClock
from services.identity.store import test_clocks

POLL_SECONDS: Final = 1.0
HEARD_OF_SECONDS: Final = ABSENCE_KNOWN_SECONDS * 1.25
"""Until every process has looked again whether the organization has a clock."""
_ADVISORY_LOCK: Final = 0x7461_6C6C_7963_6C6B  # "tallyclk"
_log = structlog.get_logger("identity.clocks")


class ClockMover:
    """Moves clocks while `run` runs."""

    def __init__(self, db: Database, ports: Ports) -> None:
        self._db = db
        self._ports = ports
        self._tasks: dict[str, asyncio.Task[None]] = {}

    async def run(self) -> None:
        """Until cancelled; outages are waited out."""
        while True:
            try:
                async with self._db.direct() as connection:
                    await self._lead(connection)
            except (psycopg.Error, SQLAlchemyError, ServiceError, OSError) as error:
                _log.warning("clocks.interrupted", error=str(error) or type(error).__name__)
            finally:
                for task in self._tasks.values():
                    task.cancel()
                await asyncio.gather(*self._tasks.values(), return_exceptions=True)
            await asyncio.sleep(POLL_SECONDS)

    async def _lead(self, connection: psycopg.AsyncConnection[Any]) -> None:
        while not await _locked(connection):  # noqa: ASYNC110  another process holds it
            await asyncio.sleep(POLL_SECONDS)
        await connection.execute(f"LISTEN {test_clocks.CHANNEL}")
        while True:
            async with self._db.sweep() as tx:
                moving = await test_clocks.moving_clocks(tx)
            for organization_id in moving:
                if organization_id not in self._tasks:
                    task = asyncio.create_task(
                        self._move(organization_id), name=f"clock of {organization_id}"
                    )
                    self._tasks[organization_id] = task
                    task.add_done_callback(partial(self._forget, organization_id))
            async for _ in connection.notifies(timeout=POLL_SECONDS, stop_after=1):
                pass

    def _forget(self, organization_id: str, _: asyncio.Task[None]) -> None:
        self._tasks.pop(organization_id, None)

    async def _move(self, organization_id: str) -> None:
        with call_scope(service_call("identity", organization_id, method="move test clock")):
            try:
                await self._walk(organization_id)
            except (SQLAlchemyError, ServiceError, OSError) as error:  # seen again at the next look
                _log.warning("clock.interrupted", error=str(error) or type(error).__name__)
            except Exception as error:
                _log.exception("clock.failed", error=str(error))
                why = str(error) or type(error).__name__
                await self._fail(organization_id, Walk(organization_id, self._ports), why)

    async def _walk(self, organization_id: str) -> None:
        async with self._db.read(organization_id) as tx:
            clock = await test_clocks.find_clock(tx)
        if clock is None or not clock.moves:
            return
        walk = Walk(organization_id, self._ports)
        try:
            if clock.status is ClockStatus.DELETING:
                await walk.remove()
                async with self._db.write(organization_id) as write:
                    await test_clocks.delete_clock(write)
                return
            await self._to_target(walk, clock)
        except NotAtRest as error:
            await self._fail(organization_id, walk, str(error))

    async def _to_target(self, walk: Walk, clock: TestClock) -> None:
        if not await self._is_known(walk.organization_id):
            await walk.set(clock.frozen_at, held=True)
            await asyncio.sleep(HEARD_OF_SECONDS)
        await walk.set(clock.frozen_at, held=True)
        await walk.come_to_rest()
        while clock.frozen_at < clock.target_at:
            if clock.steps >= MOST_STEPS:
                raise NotAtRest(f"more than {MOST_STEPS} stops on the way")
            stop = walk.next_stop(clock.frozen_at, clock.target_at)
            clock = await self._save(walk.organization_id, partial(TestClock.arrived_at, stop=stop))
            if not clock.is_on_its_way:
                return
            await walk.set(clock.frozen_at, held=True)
            await walk.come_to_rest()
        await walk.set(clock.frozen_at, held=False)
        await self._save(walk.organization_id, TestClock.ended)
        _log.info("clock stands", at=clock.frozen_at.isoformat(), steps=clock.steps)

    async def _is_known(self, organization_id: str) -> bool:
        return any(one.organization_id == organization_id for one in await self._db.test_clocks())

    async def _fail(self, organization_id: str, walk: Walk, why: str) -> None:
        _log.error("clock stopped on its way", why=why)
        failed = await self._save(organization_id, partial(TestClock.ended, failure=why[:500]))
        try:
            await walk.set(failed.frozen_at, held=False)
        except NotAtRest as error:  # it is set again when somebody advances it
            _log.warning("clock is still held somewhere", why=str(error))

    async def _save(self, organization_id: str, change: Callable[[TestClock], TestClock]) -> TestClock:
        async def write(tx: WriteTx) -> TestClock:
            clock = await test_clocks.find_clock(tx, for_update=True)
            if clock is None:
                raise NotAtRest("the clock is gone")
            changed = change(clock)
            await test_clocks.save_clock(tx, changed)
            return changed

        return await self._db.run_write(organization_id, write)


async def _locked(connection: psycopg.AsyncConnection[Any]) -> bool:
    row = await (await connection.execute("SELECT pg_try_advisory_lock(%s)", [_ADVISORY_LOCK])).fetchone()
    return row is not None and bool(row[0])

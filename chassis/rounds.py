"""Rounds: all jobs of a service, each once and in their order, for one organization whose test clock stands still.

Whoever moves a clock asks for a round in the database, and the worker answers there how much it has handled and when
something will be due next (see chassis.test_clock_port). Organizations do not wait for each other.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING

import psycopg
import structlog
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from chassis.database import Database
from chassis.errors import ServiceError
from chassis.organization_clocks import CHANNEL, OrganizationClock
from chassis.turns import Turn, turn_scope

if TYPE_CHECKING:
    from chassis.jobs import Job

POLL_SECONDS = 1.0
MOST_RUNS = 1_000
"""A job that finds a full batch so often in one round does not get anything done."""
ROUNDS_AT_ONCE = 3
_log = structlog.get_logger(__name__)

RunOnce = Callable[[str, "Job"], Awaitable[int]]


@dataclass(slots=True)
class _Outcome:
    handled: int = 0
    next_due_at: datetime | None = None
    failure: str = ""


class Rounds:
    """The rounds of one worker process, which holds the lock for jobs."""

    def __init__(self, db: Database, jobs: Sequence["Job"], run_once: RunOnce) -> None:
        self._db = db
        self._jobs = [job for job in jobs if not job.only_watches]
        self._run_once = run_once
        self._locks: dict[str, asyncio.Lock] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._slots = asyncio.Semaphore(ROUNDS_AT_ONCE)

    @asynccontextmanager
    async def apart(self, organization_id: str | None) -> AsyncIterator[bool]:
        """Nothing else is run for the organization in the block. False if its clock is being moved now."""
        if organization_id is None:
            yield True
            return
        async with self._locks.setdefault(organization_id, asyncio.Lock()):
            clocks = {clock.organization_id: clock for clock in await self._db.test_clocks()}
            clock = clocks.get(organization_id)
            yield clock is not None and not clock.held

    async def run(self) -> None:
        """Run the rounds that are asked for, until cancelled."""
        try:
            while True:
                try:
                    async with self._db.direct() as connection:
                        await connection.execute(f"LISTEN {CHANNEL}")
                        while True:
                            await self._begin()
                            async for _ in connection.notifies(timeout=POLL_SECONDS, stop_after=1):
                                pass
                except (psycopg.Error, SQLAlchemyError, ServiceError, OSError) as error:
                    _log.warning("rounds.interrupted", error=str(error) or type(error).__name__)
                await asyncio.sleep(POLL_SECONDS)
        finally:
            for task in self._tasks.values():
                task.cancel()
            await asyncio.gather(*self._tasks.values(), return_exceptions=True)

    async def _begin(self) -> None:
        for clock in await self._db.test_clocks():
            organization_id = clock.organization_id
            if clock.rounds_done < clock.round and organization_id not in self._tasks:
                task = asyncio.create_task(self._round(clock), name=f"round of {organization_id}")
                self._tasks[organization_id] = task
                task.add_done_callback(partial(self._forget, organization_id))

    def _forget(self, organization_id: str, _: asyncio.Task[None]) -> None:
        self._tasks.pop(organization_id, None)

    async def _round(self, clock: OrganizationClock) -> None:
        organization_id = clock.organization_id
        async with self._slots, self._locks.setdefault(organization_id, asyncio.Lock()):
            try:
                outcome = _Outcome()
                with turn_scope(Turn(organization_id)):
                    for job in self._jobs:
                        await self._handle(job, organization_id, outcome)
                await self._answer(clock, outcome)
            except (SQLAlchemyError, ServiceError, OSError) as error:  # it is asked for still, and run again
                _log.warning("round.interrupted", error=str(error) or type(error).__name__)

    async def _handle(self, job: "Job", organization_id: str, outcome: _Outcome) -> None:
        """Run one job until it finds nothing more. Its failure is told, and the others are run all the same."""
        try:
            for _ in range(MOST_RUNS):
                handled = await self._run_once(self._db.name, job)
                outcome.handled += handled
                if handled < job.batch_limit:
                    break
            moment = await job.next_due(organization_id) if job.next_due is not None else None
        except Exception as error:
            outcome.failure = outcome.failure or f"{job.name}: {error or type(error).__name__}"
            return
        known = outcome.next_due_at
        outcome.next_due_at = moment if known is None else min(known, moment or known)

    async def _answer(self, clock: OrganizationClock, outcome: _Outcome) -> None:
        async with self._db.write(clock.organization_id) as tx:
            await tx.execute(
                _ANSWER,
                {
                    "organization_id": clock.organization_id,
                    "round": clock.round,
                    "handled": outcome.handled,
                    "next_due_at": outcome.next_due_at,
                    "failure": outcome.failure[:500],
                },
            )


_ANSWER = text("""
    UPDATE organization_clocks
    SET rounds_done = :round, handled = :handled, next_due_at = :next_due_at, failure = :failure
    WHERE organization_id = :organization_id
""")

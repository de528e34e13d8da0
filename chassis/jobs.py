"""Work that starts by the clock. Of all worker processes of a service one runs the jobs: the lock's holder.

A job looks for what is due in `db.sweep()`, by `tx.now()`, and does it in `db.write(organization_id)`. It is run for
all organizations that live by the machine's clock, and apart from those for each that has a test clock
(chassis.turns): so a job that takes every time from its transaction obeys test clocks without knowing of them.

A test clock that is moved stops wherever something is due. It learns that from `Job.next_due`:

    Job(
        "make scheduled invoices",
        period_seconds=60.0,
        run=lambda: make_invoices(db),
        batch_limit=BATCH,
        next_due=earliest(
            db,
            "SELECT min(next_on) FROM schedules"
            " WHERE organization_id = :organization_id AND state = 'active' AND next_on > :now",
        ),
    )

A job without `next_due` is run at every stop, but no stop is made for it: right for what only cleans up or looks
again. The jobs of a service are run in their order here, one after the other, so that a walk of a clock has the same
outcome each time: put first what others build upon.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import psycopg
import structlog
from prometheus_client import Counter, Histogram
from sqlalchemy import text

from chassis.database import Database
from chassis.rounds import Rounds
from chassis.turns import OTHERS, Turn, turn_scope

LOCK_POLL_SECONDS = 1.0
_ADVISORY_LOCK = 0x7461_6C6C_796A_6F62  # "tallyjob"

_HANDLED = Counter("tallyport_job_items_total", "Items that jobs have handled.", ["service", "job"])
_FAILED = Counter("tallyport_job_failures_total", "Job runs that ended in an error.", ["service", "job"])
_SECONDS = Histogram("tallyport_job_seconds", "How long a job's run takes.", ["service", "job"])
_log = structlog.get_logger(__name__)

NextDue = Callable[[str], Awaitable[datetime | None]]
"""The earliest moment after now, by the organization's clock, at which a job has something to do for it."""


@dataclass(frozen=True, slots=True)
class Job:
    """`run` handles at most `batch_limit` items and returns how many; a full batch is followed at once.

    Without a period a job is run only when a test clock moves: something else does its work otherwise.
    """

    name: str
    period_seconds: float | None
    run: Callable[[], Awaitable[int]]
    batch_limit: int = 100
    next_due: NextDue | None = None
    only_watches: bool = False
    """It changes nothing that anybody waits for: it is not run while a test clock moves, but when it stands again."""


def earliest(db: Database, sql: str) -> NextDue:
    """`next_due` by one question that answers with a moment or NULL.

    Its parameters are `:organization_id` and `:now`; ask for what comes after `:now`, or something that cannot be
    dealt with would hide all that follows.
    """
    question = text(sql)

    async def next_due(organization_id: str) -> datetime | None:
        async with db.read(organization_id) as tx:
            rows = await tx.execute(question, {"organization_id": organization_id, "now": tx.now()})
            moment: datetime | None = rows.scalar_one()
        return moment

    return next_due


async def run_jobs(
    db: Database, jobs: Sequence[Job], *, lock_poll_seconds: float = LOCK_POLL_SECONDS
) -> None:
    """Run jobs until cancelled, whenever this process holds the lock. A failing job does not stop others."""
    while True:
        try:
            async with db.direct() as connection:
                while not await _locked(connection):  # noqa: ASYNC110  another process holds it
                    await asyncio.sleep(lock_poll_seconds)
                await _run_while_locked(connection, db, jobs)
        except (psycopg.Error, OSError) as error:
            _log.warning("jobs.interrupted", error=str(error) or type(error).__name__)
        await asyncio.sleep(lock_poll_seconds)


async def turns(db: Database) -> list[Turn]:
    """Whose work is to be looked for: all others', and that of each test clock which nobody is moving."""
    return [OTHERS, *(Turn(clock.organization_id) for clock in await db.test_clocks() if not clock.held)]


async def run_once(service: str, job: Job) -> int:
    """One run in the current turn; returns how many items it handled. Raises what the job raised."""
    try:
        with _SECONDS.labels(service, job.name).time():
            handled = await job.run()
    except Exception:
        _FAILED.labels(service, job.name).inc()
        _log.exception("job.failed", job=job.name)
        raise
    _HANDLED.labels(service, job.name).inc(handled)
    return handled


async def _run_while_locked(
    connection: psycopg.AsyncConnection[Any], db: Database, jobs: Sequence[Job]
) -> None:
    rounds = Rounds(db, jobs, run_once)
    tasks = [
        asyncio.create_task(_repeat(db, job, job.period_seconds, rounds), name=f"job {job.name}")
        for job in jobs
        if job.period_seconds is not None
    ]
    if db.has_test_clocks:
        tasks.append(asyncio.create_task(rounds.run(), name="rounds of test clocks"))
    try:
        while True:
            await asyncio.sleep(LOCK_POLL_SECONDS)
            await connection.execute("SELECT 1")  # raises once the lock's connection is gone
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _repeat(db: Database, job: Job, period_seconds: float, rounds: Rounds) -> None:
    while True:
        is_full = False
        for turn in await _turns_or_others(db):
            try:
                async with rounds.apart(turn.organization_id) as may_run:
                    if may_run:
                        with turn_scope(turn):
                            is_full = await run_once(db.name, job) >= job.batch_limit or is_full
            except Exception as error:  # of the job, told already, or the database is away
                _log.debug("job.interrupted", job=job.name, error=str(error) or type(error).__name__)
        if not is_full:
            await asyncio.sleep(period_seconds * random.uniform(0.9, 1.1))  # noqa: S311


async def _turns_or_others(db: Database) -> list[Turn]:
    try:
        return await turns(db)
    except Exception as error:
        _log.warning("jobs.clocks_unknown", error=str(error) or type(error).__name__)
        return [OTHERS]


async def _locked(connection: psycopg.AsyncConnection[Any]) -> bool:
    row = await (await connection.execute("SELECT pg_try_advisory_lock(%s)", [_ADVISORY_LOCK])).fetchone()
    return row is not None and bool(row[0])

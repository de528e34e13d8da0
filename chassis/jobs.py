"""Work that starts by the clock. Of all worker processes of a service one runs the jobs: the lock's holder."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

import psycopg
import structlog
from prometheus_client import Counter, Histogram

from chassis.database import Database

LOCK_POLL_SECONDS = 1.0
_ADVISORY_LOCK = 0x7461_6C6C_796A_6F62  # "tallyjob"

_HANDLED = Counter("tallyport_job_items_total", "Items that jobs have handled.", ["service", "job"])
_FAILED = Counter("tallyport_job_failures_total", "Job runs that ended in an error.", ["service", "job"])
_SECONDS = Histogram("tallyport_job_seconds", "How long a job's run takes.", ["service", "job"])
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Job:
    """`run` handles at most `batch_limit` items and returns how many; a full batch is followed at once."""

    name: str
    period_seconds: float
    run: Callable[[], Awaitable[int]]
    batch_limit: int = 100


async def run_jobs(
    db: Database, jobs: Sequence[Job], *, lock_poll_seconds: float = LOCK_POLL_SECONDS
) -> None:
    """Run jobs until cancelled, whenever this process holds the lock. A failing job does not stop others."""
    while True:
        try:
            async with db.direct() as connection:
                while not await _locked(connection):  # noqa: ASYNC110  another process holds it
                    await asyncio.sleep(lock_poll_seconds)
                await _run_while_locked(connection, db.name, jobs)
        except (psycopg.Error, OSError) as error:
            _log.warning("jobs.interrupted", error=str(error) or type(error).__name__)
        await asyncio.sleep(lock_poll_seconds)


async def _run_while_locked(
    connection: psycopg.AsyncConnection[Any], service: str, jobs: Sequence[Job]
) -> None:
    tasks = [asyncio.create_task(_repeat(service, job), name=f"job {job.name}") for job in jobs]
    try:
        while True:
            await asyncio.sleep(LOCK_POLL_SECONDS)
            await connection.execute("SELECT 1")  # raises once the lock's connection is gone
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _repeat(service: str, job: Job) -> None:
    while True:
        handled = 0
        try:
            with _SECONDS.labels(service, job.name).time():
                handled = await job.run()
        except Exception:
            _FAILED.labels(service, job.name).inc()
            _log.exception("job.failed", job=job.name)
        _HANDLED.labels(service, job.name).inc(handled)
        if handled < job.batch_limit:
            await asyncio.sleep(job.period_seconds * random.uniform(0.9, 1.1))  # noqa: S311


async def _locked(connection: psycopg.AsyncConnection[Any]) -> bool:
    row = await (await connection.execute("SELECT pg_try_advisory_lock(%s)", [_ADVISORY_LOCK])).fetchone()
    return row is not None and bool(row[0])

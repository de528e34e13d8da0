"""Jobs run in one process at a time and survive each other's failures."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from chassis.database import Database
from chassis.jobs import Job, run_jobs
from tests.support.wait import until


@asynccontextmanager
async def running(db: Database, *jobs: Job) -> AsyncIterator[asyncio.Task[None]]:
    task = asyncio.create_task(run_jobs(db, jobs, lock_poll_seconds=0.05))
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_a_full_batch_is_followed_at_once_and_a_short_one_by_a_pause(db: Database) -> None:
    found = iter([10, 10, 4])
    runs: list[int] = []

    async def work() -> int:
        runs.append(next(found))
        return runs[-1]

    async with running(db, Job("drain", period_seconds=3600, run=work, batch_limit=10)):
        await until(lambda: len(runs) == 3)


async def test_a_failing_job_is_tried_again_and_does_not_stop_others(db: Database) -> None:
    failures: list[int] = []
    successes: list[int] = []

    async def fail() -> int:
        failures.append(1)
        raise RuntimeError("broken")

    async def succeed() -> int:
        successes.append(1)
        return 0

    jobs = (Job("fails", 0.02, fail), Job("succeeds", 0.02, succeed))
    async with running(db, *jobs):
        await until(lambda: len(failures) >= 3 and len(successes) >= 3)


async def test_only_the_holder_of_the_lock_runs_and_another_takes_over(db: Database) -> None:
    runs: list[str] = []

    def job(process: str) -> Job:
        async def work() -> int:
            runs.append(process)
            return 0

        return Job("tick", 0.01, work)

    async with running(db, job("first")) as first:
        await until(lambda: len(runs) >= 3)
        async with running(db, job("second")):
            await until(lambda: len(runs) >= 30)
            assert set(runs) == {"first"}
            first.cancel()
            await until(lambda: "second" in runs)

"""`stack.ready_s` and `stack.idle_pss_mb`: what `tallyport up` costs somebody who has installed it."""

import asyncio

from bench.results import Figure, NothingPrintedError, median
from bench.stack import BenchStack, free_ports
from devstack.layout import Layout
from devstack.memory import memory_of_trees

READY_BUDGET_SECONDS = 10.0
IDLE_BUDGET_MEGABYTES = 900.0
IDLE_SECONDS = 10.0
STARTS = 2
"""Starts that are stopped again at once, beside the one whose memory is read."""


async def start_again(layout: Layout) -> float:
    """Seconds from the command to the state `ready`, data of an earlier start being there."""
    async with BenchStack(layout.home, free_ports()) as stack:
        return stack.ready_seconds


def ready_figure(starts_seconds: list[float]) -> Figure:
    return Figure(
        name="stack.ready_s",
        value=round(median(starts_seconds), 2),
        unit="s",
        baseline="budget",
        baseline_value=READY_BUDGET_SECONDS,
        command=f"tallyport up, not the first; to phase ready, median of {len(starts_seconds)}",
    )


async def idle_figure(stack: BenchStack) -> Figure:
    """Waits, then adds up the supervisor and all its descendants, PostgreSQL's backends among them."""
    await asyncio.sleep(IDLE_SECONDS)
    pid = stack.state().pid
    kilobytes = memory_of_trees([pid])[pid].pss_kilobytes
    if kilobytes is None:
        raise NothingPrintedError("this system does not tell PSS (/proc/PID/smaps_rollup)")
    return Figure(
        name="stack.idle_pss_mb",
        value=round(kilobytes / 1024, 1),
        unit="MB",
        baseline="budget",
        baseline_value=IDLE_BUDGET_MEGABYTES,
        command=(
            f"sum of Pss in smaps_rollup over the supervisor and all its descendants, {IDLE_SECONDS:g} s after ready"
        ),
    )

"""Who comes alone waits for nobody; who comes in a crowd lets the others come along, for a while."""

import asyncio
import itertools
from collections.abc import Callable

from chassis.pace import LONGEST_SECONDS, Pace

TURNS = 17
"""More looks than this are only taken after a wait."""


def arriving() -> Callable[[], int]:
    """One more at each look."""
    numbers = itertools.count(1)
    return lambda: next(numbers)


async def looks_of(pace: Pace, *, most: int) -> int:
    arrived = arriving()
    await pace.gather(arrived, most=most)
    return arrived() - 1


async def test_the_first_waits_for_turns_of_the_loop_only() -> None:
    assert await looks_of(Pace(), most=1_000) <= TURNS


async def test_after_one_who_came_alone_nobody_waits() -> None:
    pace = Pace()
    pace.note(1, seconds=0.05)
    assert await looks_of(pace, most=1_000) <= TURNS


async def test_after_a_shared_batch_others_are_waited_for_but_no_longer_than_it_took() -> None:
    pace = Pace()
    pace.note(12, seconds=0.04)
    began = asyncio.get_running_loop().time()
    assert await looks_of(pace, most=1_000) > TURNS
    assert asyncio.get_running_loop().time() - began >= 0.04


async def test_a_slow_batch_does_not_make_the_next_one_late() -> None:
    pace = Pace()
    pace.note(12, seconds=5.0)
    async with asyncio.timeout(1.0 + LONGEST_SECONDS):
        await looks_of(pace, most=1_000)


async def test_the_wait_ends_when_a_moment_brings_nothing_more_or_the_batch_is_full() -> None:
    pace = Pace()
    pace.note(12, seconds=0.05)
    await pace.gather(lambda: 3, most=1_000)
    assert await looks_of(pace, most=5) <= 6

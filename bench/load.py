"""A closed loop: so many requests always in flight, each next one sent when one is answered."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from typing import TypeVar

ERRORS_MAX = 100
"""Nothing is to be learned from more of them."""
T = TypeVar("T")


@dataclass(slots=True)
class Window:
    """What one stretch of load did. Times are of time.perf_counter()."""

    began_at: float = 0.0
    ended_at: float = 0.0
    latencies_seconds: list[float] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    @property
    def answers(self) -> int:
        return len(self.latencies_seconds)

    @property
    def seconds(self) -> float:
        """From the first request to the last answer."""
        return self.ended_at - self.began_at


async def closed_loop(
    work: Iterator[T], ask: Callable[[int, T], Awaitable[str | None]], *, in_flight: int, seconds: float
) -> Window:
    """Ask for `seconds`, then wait for what is on its way. `ask` (lane, item) returns what went wrong, or None."""
    window = Window(began_at=time.perf_counter())
    end_at = window.began_at + seconds

    async def lane(number: int) -> None:
        while time.perf_counter() < end_at and (item := next(work, None)) is not None:
            sent_at = time.perf_counter()
            problem = await ask(number, item)
            if problem is None:
                window.latencies_seconds.append(time.perf_counter() - sent_at)
            else:
                window.errors.append(problem)
                if len(window.errors) >= ERRORS_MAX:
                    return

    await asyncio.gather(*(lane(number) for number in range(in_flight)))
    window.ended_at = time.perf_counter()
    return window

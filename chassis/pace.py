"""When a batch begins: at once for who comes alone, a moment later while others are just arriving.

What a batch costs hardly depends on its size. If it begins with the first that comes back from the last one, batches
stay small for ever, however many are on their way.
"""

import asyncio
from collections.abc import Callable
from typing import Final

_TURNS: Final = 16
_PAUSES: Final = 4
LONGEST_SECONDS: Final = 0.06
"""Nobody waits longer than this for others to come along."""


class Pace:
    """How large the last batch of a kind was and how long it took: from this follows when the next one begins."""

    def __init__(self) -> None:
        self._seconds = 0.0
        self._ended_at = float("-inf")

    def note(self, size: int, *, seconds: float) -> None:
        """A batch of so many has ended after `seconds`."""
        self._seconds = min(seconds, LONGEST_SECONDS) if size > 1 else 0.0
        self._ended_at = asyncio.get_running_loop().time()

    async def gather(self, count: Callable[[], int], *, most: int) -> None:
        """Let come along what is arriving, until a moment brings nothing more or there are `most`.

        A moment is a turn of the event loop; after a batch that was shared and has just ended, a quarter of the time
        that it took, and in all no longer than it took.
        """
        loop = asyncio.get_running_loop()
        found = -1
        for _ in range(_TURNS):
            if (waiting := count()) == found or waiting >= most:
                break
            found = waiting
            await asyncio.sleep(0)
        now = loop.time()
        if now > self._ended_at + LONGEST_SECONDS:
            return
        end_at = now + self._seconds
        while (found := count()) < most and loop.time() < end_at:
            await asyncio.sleep(self._seconds / _PAUSES)
            if count() == found:
                return

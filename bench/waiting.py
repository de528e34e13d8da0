"""Waiting for something to become true."""

import asyncio
import time
from collections.abc import Awaitable, Callable


async def until(
    condition: Callable[[], Awaitable[bool]],
    what: str,
    *,
    timeout_seconds: float,
    period_seconds: float = 0.02,
) -> None:
    """Ask again and again. TimeoutError names `what` did not happen."""
    give_up_at = time.monotonic() + timeout_seconds
    while not await condition():
        if time.monotonic() > give_up_at:
            raise TimeoutError(f"not within {timeout_seconds:g} s: {what}")
        await asyncio.sleep(period_seconds)

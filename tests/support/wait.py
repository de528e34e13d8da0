"""Waiting for a condition, since tests do not sleep."""

import asyncio
import inspect
from collections.abc import Awaitable, Callable
from typing import Any

INTERVAL_SECONDS = 0.02


async def until(
    condition: Callable[[], Any] | Callable[[], Awaitable[Any]], timeout_seconds: float = 10.0
) -> Any:
    """Wait until `condition()` (plain or async) is true and return what it gave; TimeoutError otherwise."""
    loop = asyncio.get_running_loop()
    give_up_at = loop.time() + timeout_seconds
    while True:
        found = condition()
        if inspect.isawaitable(found):
            found = await found
        if found:
            return found
        if loop.time() > give_up_at:
            raise TimeoutError(f"{inspect.getsource(condition).strip()} was not true in {timeout_seconds} s")
        await asyncio.sleep(INTERVAL_SECONDS)

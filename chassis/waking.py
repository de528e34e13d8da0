"""Wakes who waits for committed rows: NOTIFY after the commit, never inside it.

A NOTIFY inside a transaction takes a lock of the whole server until its commit is on disk, so that commits of all
databases queue up behind each other. Whoever is woken polls as well: a wake-up that is lost costs a second.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable

import structlog

_log = structlog.get_logger(__name__)

Execute = Callable[[str], Awaitable[None]]


class Waker:
    """Sends wake-ups for one database; those that come while one is under way leave together afterwards."""

    def __init__(self, execute: Execute) -> None:
        self._execute = execute
        self._pending: set[str] = set()
        self._task: asyncio.Task[None] | None = None

    def wake(self, channels: Iterable[str]) -> None:
        """Wake the listeners of the channels, soon and without waiting."""
        self._pending.update(channels)
        if self._pending and self._task is None:
            self._task = asyncio.create_task(self._run(), name="wake listeners")

    async def close(self) -> None:
        """Let what is under way end."""
        if self._task is not None:
            await asyncio.wait({self._task}, timeout=1)

    async def _run(self) -> None:
        try:
            while self._pending:
                channels = sorted(self._pending)
                self._pending.clear()
                await self._execute("; ".join(f"NOTIFY {channel}" for channel in channels))
        except Exception as error:
            _log.info("wake.failed", error=str(error) or type(error).__name__)
        finally:
            self._task = None

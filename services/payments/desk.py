"""What the operations work with: built once per process, handed to each of them."""

import asyncio
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

import structlog

from chassis.caller import call_scope, current_call_or_none, service_call
from chassis.database import Database
from chassis.errors import ServiceError
from services.payments.invoicing import Reservations
from services.payments.providers import Provider
from services.payments.settings import Settings

T = TypeVar("T")
_log = structlog.get_logger("payments")
RESULT_SECONDS = 0.6
"""Kept back from the provider's time, so that the result can still be written and told."""
SHORTEST_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class Desk:
    """Database, provider, invoicing and settings."""

    db: Database
    provider: Provider
    reservations: Reservations
    settings: Settings
    _running: set[asyncio.Task[Any]] = field(default_factory=set)

    def provider_seconds(self) -> float:
        """How long the provider may take to answer now."""
        call = current_call_or_none()
        remaining = call.remaining_seconds() if call is not None else None
        most = self.settings.provider_timeout_seconds
        return most if remaining is None else max(SHORTEST_SECONDS, min(most, remaining - RESULT_SECONDS))

    async def to_the_end(self, work: Coroutine[Any, Any, T]) -> T:
        """Run what must not stop halfway because the caller went away."""
        task = asyncio.get_running_loop().create_task(work)
        self._running.add(task)
        task.add_done_callback(self._done)
        return await asyncio.shield(task)

    def _done(self, task: asyncio.Task[Any]) -> None:
        """Its caller may be gone: an error is then told to nobody but the log."""
        self._running.discard(task)
        error = None if task.cancelled() else task.exception()
        if error is not None and not isinstance(error, ServiceError):
            _log.error("payment interrupted", exc_info=error)


@contextmanager
def unhurried(organization_id: str) -> Iterator[None]:
    """The caller's time limit no longer binds, for writing down what has happened.

    A result must not be lost because somebody stopped waiting for it.
    """
    call = current_call_or_none() or service_call("payments", organization_id)
    with call_scope(replace(call, deadline=None)):
        yield

"""What the operations work with: built once per process, handed to each of them."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, TypeVar

import structlog

from chassis.caller import call_scope, current_call_or_none, service_call
from chassis.database import Database, WriteTx
from chassis.errors import ServiceError
from chassis.group_commit import GroupCommit
from services.payments.domain.attempt import Attempt
from services.payments.identity import FindColleagues, nobody_is_asked
from services.payments.invoicing import Reservations
from services.payments.providers import Provider, ProviderUnreachableError
from services.payments.settings import Settings

T = TypeVar("T")
Item = TypeVar("Item")
_log = structlog.get_logger("payments")
RESULT_SECONDS = 0.6
"""Kept back from the provider's time, so that the result can still be written and told."""
SHORTEST_SECONDS = 0.5
FINISH_SECONDS = 5.0


class Alone(Exception):
    """As the answer to an item of a batch: it needs a transaction of its own, and none of it was written here."""


@dataclass(frozen=True, slots=True)
class Desk:
    """Database, providers, invoicing and settings.

    `provider` takes new payments where the organization's policy names no other; `providers` are all that may
    still have to answer for earlier ones, by name.
    """

    db: Database
    provider: Provider
    reservations: Reservations
    settings: Settings
    providers: Mapping[str, Provider] = field(default_factory=dict)
    find_colleagues: FindColleagues = nobody_is_asked
    _running: set[asyncio.Task[Any]] = field(default_factory=set)
    _groups: dict[object, GroupCommit[Any, Any]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "providers", {**self.providers, self.provider.name: self.provider})

    def provider_for(self, attempt: Attempt) -> Provider:
        """The one that an attempt was made at: it alone can answer for it.

        ProviderUnreachableError if this process is not set up for it: then nothing is known, and nothing was asked.
        """
        known = self.providers.get(attempt.provider)
        if known is None:
            raise ProviderUnreachableError(f"provider {attempt.provider} is not set up here")
        return known

    def together(
        self, flush: Callable[["Desk", WriteTx, Sequence[Item]], Awaitable[Sequence[T | Exception]]]
    ) -> GroupCommit[Item, T]:
        """Where items of this kind wait for the next transaction."""
        group = self._groups.get(flush)
        if group is None:
            group = self._groups[flush] = GroupCommit(self.db, partial(flush, self))
        return group

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

    async def finish(self) -> None:
        """Wait for what goes on though its caller is gone; before the database is closed."""
        if self._running:
            _, slow = await asyncio.wait(set(self._running), timeout=FINISH_SECONDS)
            for task in slow:  # every step is safe to lose, and done again by a repetition or a job
                task.cancel()
            await asyncio.gather(*slow, return_exceptions=True)

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

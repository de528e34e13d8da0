"""Many small writes in few transactions: what waits while one is being committed makes up the next one.

There is no timer. A lone request is written at once; under load the batch is whatever came meanwhile, in the order in
which it came. Each request has the outcome that a transaction of its own would have had.
"""

import asyncio
import contextvars
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, Generic, TypeVar

from chassis.caller import call_scope, current_call_or_none, service_call
from chassis.crashpoints import crashpoint
from chassis.database import Database, WriteTx
from chassis.errors import Kind, ServiceError

MAX_BATCH: Final = 128
MAX_TRANSACTIONS: Final = 4
_STOP_SECONDS: Final = 5.0
_HOPELESS: Final = frozenset({Kind.UNAVAILABLE, Kind.RESOURCE_EXHAUSTED})
"""Errors after which it is not known whether the batch was written, or nobody else would fare better now."""

Item = TypeVar("Item")
Result = TypeVar("Result")
Flush = Callable[[WriteTx, Sequence[Item]], Awaitable[Sequence[Result | Exception]]]
"""Writes items and answers each, in their order. An exception as an answer refuses that item alone, of which nothing
may have been written. An exception that is raised rolls the batch back, which is then tried again in two halves; so
it may see an item several times. What belongs to an item's caller runs in `item`'s own context (see `in_context`)."""


@dataclass(slots=True)
class _Waiting(Generic[Item, Result]):
    item: Item
    deadline: float | None
    answer: "asyncio.Future[Result]" = field(
        default_factory=lambda: asyncio.get_running_loop().create_future()
    )

    def refuse(self, error: BaseException) -> None:
        if not self.answer.done():
            self.answer.set_exception(error)


class GroupCommit(Generic[Item, Result]):
    """Writes one kind of item. Organizations never share a transaction; some of them are written side by side."""

    def __init__(
        self,
        db: Database,
        flush: Flush[Item, Result],
        *,
        max_batch: int = MAX_BATCH,
        max_transactions: int = MAX_TRANSACTIONS,
    ) -> None:
        self._db = db
        self._flush = flush
        self._max_batch = max_batch
        self._max_transactions = max_transactions
        self._waiting: dict[str, deque[_Waiting[Item, Result]]] = {}
        self._ready: deque[str] = deque()
        self._tasks: dict[str, asyncio.Task[None]] = {}

    async def submit(self, organization_id: str, item: Item) -> Result:
        """Write `item` together with others. Raises what its own transaction would have raised.

        A caller that goes away does not stop the write; one whose time is over before it begins is refused.
        """
        call = current_call_or_none()
        waiting: _Waiting[Item, Result] = _Waiting(item, None if call is None else call.deadline)
        waiting.answer.add_done_callback(_look_at)
        queue = self._waiting.setdefault(organization_id, deque())
        queue.append(waiting)
        if len(queue) == 1 and organization_id not in self._tasks:
            self._ready.append(organization_id)
            self._begin()
        return await asyncio.shield(waiting.answer)

    async def close(self) -> None:
        """Write what waits, for a few seconds at most."""
        while self._tasks:
            done, _ = await asyncio.wait(self._tasks.values(), timeout=_STOP_SECONDS)
            if not done:
                return

    def _begin(self) -> None:
        loop = asyncio.get_running_loop()
        while self._ready and len(self._tasks) < self._max_transactions:
            organization_id = self._ready.popleft()
            # A context of its own: the first one's call, with its time limit, is not everybody's.
            task = loop.create_task(
                self._write_waiting(organization_id), name="group commit", context=contextvars.Context()
            )
            self._tasks[organization_id] = task

    async def _write_waiting(self, organization_id: str) -> None:
        await asyncio.sleep(0)  # what has arrived in this turn of the loop comes along
        queue = self._waiting[organization_id]
        batch = [queue.popleft() for _ in range(min(len(queue), self._max_batch))]
        try:
            await self._write(organization_id, batch)
        except BaseException as error:
            for waiting in batch:
                waiting.refuse(error)
            if not isinstance(error, Exception):
                raise
        finally:
            del self._tasks[organization_id]
            if queue:
                self._ready.append(organization_id)
            else:
                del self._waiting[organization_id]
            self._begin()

    async def _write(self, organization_id: str, batch: Sequence[_Waiting[Item, Result]]) -> None:
        batch = _in_time(batch)
        if not batch:
            return
        try:
            answers = await self._transaction(organization_id, batch)
        except Exception as error:
            if len(batch) == 1 or (isinstance(error, ServiceError) and error.kind in _HOPELESS):
                for waiting in batch:
                    waiting.refuse(error)
                return
            middle = len(batch) // 2
            await self._write(organization_id, batch[:middle])
            await self._write(organization_id, batch[middle:])
            return
        crashpoint("group.after_commit")
        for waiting, answer in zip(batch, answers, strict=True):
            if isinstance(answer, Exception):
                waiting.refuse(answer)
            elif not waiting.answer.done():
                waiting.answer.set_result(answer)

    async def _transaction(
        self, organization_id: str, batch: Sequence[_Waiting[Item, Result]]
    ) -> Sequence[Result | Exception]:
        items = [waiting.item for waiting in batch]

        async def work(tx: WriteTx) -> Sequence[Result | Exception]:
            answers = await self._flush(tx, items)
            if len(answers) != len(items):
                raise ValueError(f"{len(answers)} answers to {len(items)} items")
            crashpoint("group.before_commit")
            return answers

        call = service_call(self._db.name, organization_id, method="group commit")
        with call_scope(replace(call, deadline=_latest(batch))):
            return await self._db.run_write(organization_id, work)


def _in_time(batch: Sequence[_Waiting[Item, Result]]) -> Sequence[_Waiting[Item, Result]]:
    """Those whose callers can still be answered; the others are refused, and nothing of them is written."""
    now = asyncio.get_running_loop().time()
    late = [waiting for waiting in batch if waiting.deadline is not None and waiting.deadline <= now]
    for waiting in late:
        waiting.refuse(
            ServiceError(Kind.DEADLINE_EXCEEDED, "DEADLINE_EXCEEDED", "This took too long. Please try again.")
        )
    return [waiting for waiting in batch if waiting not in late] if late else batch


def _latest(batch: Sequence[_Waiting[Item, Result]]) -> float | None:
    """The batch has as much time as the most patient of its callers."""
    deadlines = [waiting.deadline for waiting in batch]
    return None if None in deadlines else max(one for one in deadlines if one is not None)


def _look_at(answer: "asyncio.Future[Result]") -> None:
    """An answer that nobody waits for any more is not an error that nobody saw."""
    if not answer.cancelled():
        answer.exception()

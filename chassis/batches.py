"""Many small requests in few big ones: what waits while one is under way makes up the next one.

There is no timer. A lone request leaves at once; under load a batch is whatever came meanwhile, in the order in which
it came. Each request has the outcome that it would have had alone.
"""

import asyncio
import contextvars
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, Generic, TypeVar

from opentelemetry import trace

from chassis.caller import call_scope, current_call_or_none, service_call
from chassis.errors import Kind, ServiceError

MAX_BATCH: Final = 128
_STOP_SECONDS: Final = 5.0
_HOPELESS: Final = frozenset({Kind.UNAVAILABLE, Kind.RESOURCE_EXHAUSTED})
"""Errors after which it is not known what became of the batch, or nobody would fare better alone."""

Item = TypeVar("Item")
Result = TypeVar("Result")
Process = Callable[[str, Sequence[Item]], Awaitable[Sequence[Result | Exception]]]
"""Deals with items of one group (an organization) and answers each, in their order. An exception as an answer
refuses that item alone. One that is raised means that nothing was done for anybody: then it is tried again in two
halves, so that only the culprit fails."""


@dataclass(slots=True)
class _Waiting(Generic[Item, Result]):
    item: Item
    deadline: float | None
    span: trace.Span
    answer: "asyncio.Future[Result]" = field(
        default_factory=lambda: asyncio.get_running_loop().create_future()
    )

    def refuse(self, error: BaseException) -> None:
        if not self.answer.done():
            self.answer.set_exception(error)


class Batches(Generic[Item, Result]):
    """Batches of one kind of item. Groups never share a batch; up to `max_running` are under way side by side."""

    def __init__(
        self,
        process: Process[Item, Result],
        *,
        service: str,
        max_batch: int = MAX_BATCH,
        max_running: int,
    ) -> None:
        self._process = process
        self._service = service
        self._max_batch = max_batch
        self._max_running = max_running
        self._waiting: dict[str, deque[_Waiting[Item, Result]]] = {}
        self._ready: deque[str] = deque()
        self._tasks: dict[str, asyncio.Task[None]] = {}

    async def submit(self, group: str, item: Item) -> Result:
        """Have `item` dealt with. Raises what it alone would have raised.

        A caller that goes away does not stop it; one whose time is over before it begins is refused.
        """
        call = current_call_or_none()
        waiting: _Waiting[Item, Result] = _Waiting(
            item, None if call is None else call.deadline, trace.get_current_span()
        )
        waiting.answer.add_done_callback(_look_at)
        queue = self._waiting.setdefault(group, deque())
        queue.append(waiting)
        if len(queue) == 1 and group not in self._tasks:
            self._ready.append(group)
            self._begin()
        return await asyncio.shield(waiting.answer)

    async def close(self) -> None:
        """Deal with what waits, for a few seconds at most."""
        while self._tasks:
            done, _ = await asyncio.wait(self._tasks.values(), timeout=_STOP_SECONDS)
            if not done:
                return

    def _begin(self) -> None:
        loop = asyncio.get_running_loop()
        while self._ready and len(self._tasks) < self._max_running:
            group = self._ready.popleft()
            # A context of its own: the first one's call, with its time limit, is not everybody's.
            self._tasks[group] = loop.create_task(
                self._run(group), name="batch", context=contextvars.Context()
            )

    async def _run(self, group: str) -> None:
        await asyncio.sleep(0)  # what has arrived in this turn of the loop comes along
        queue = self._waiting[group]
        batch = [queue.popleft() for _ in range(min(len(queue), self._max_batch))]
        try:
            # What the batch asks and writes is seen in the trace of the request that has waited longest.
            with trace.use_span(batch[0].span, record_exception=False, set_status_on_exception=False):
                await self._deal_with(group, batch)
        except BaseException as error:
            for waiting in batch:
                waiting.refuse(error)
            if not isinstance(error, Exception):
                raise
        finally:
            del self._tasks[group]
            if queue:
                self._ready.append(group)
            else:
                del self._waiting[group]
            self._begin()

    async def _deal_with(self, group: str, batch: Sequence[_Waiting[Item, Result]]) -> None:
        batch = _in_time(batch)
        if not batch:
            return
        call = replace(service_call(self._service, group, method="batch"), deadline=_latest(batch))
        try:
            with call_scope(call):
                answers = await self._process(group, [waiting.item for waiting in batch])
            if len(answers) != len(batch):
                raise ValueError(f"{len(answers)} answers to {len(batch)} items")
        except Exception as error:
            if len(batch) == 1 or (isinstance(error, ServiceError) and error.kind in _HOPELESS):
                for waiting in batch:
                    waiting.refuse(error)
                return
            middle = len(batch) // 2
            await self._deal_with(group, batch[:middle])
            await self._deal_with(group, batch[middle:])
            return
        for waiting, answer in zip(batch, answers, strict=True):
            if isinstance(answer, Exception):
                waiting.refuse(answer)
            elif not waiting.answer.done():
                waiting.answer.set_result(answer)


def _in_time(batch: Sequence[_Waiting[Item, Result]]) -> Sequence[_Waiting[Item, Result]]:
    """Those whose callers can still be answered; the others are refused, and nothing is done for them."""
    now = asyncio.get_running_loop().time()
    kept = []
    for waiting in batch:
        if waiting.deadline is None or waiting.deadline > now:
            kept.append(waiting)
            continue
        waiting.refuse(
            ServiceError(Kind.DEADLINE_EXCEEDED, "DEADLINE_EXCEEDED", "This took too long. Please try again.")
        )
    return kept


def _latest(batch: Sequence[_Waiting[Item, Result]]) -> float | None:
    """The batch has as much time as the most patient of its callers."""
    deadlines = [waiting.deadline for waiting in batch]
    return None if None in deadlines else max(one for one in deadlines if one is not None)


def _look_at(answer: "asyncio.Future[Result]") -> None:
    """An answer that nobody waits for any more is not an error that nobody saw."""
    if not answer.cancelled():
        answer.exception()

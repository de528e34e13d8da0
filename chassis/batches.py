"""Many small requests in few big ones: what waits while one is under way makes up the next one.

A lone request leaves at once; under load a batch is whatever came meanwhile, in the order in which it came, and what is
just arriving (see chassis.pace). Each request has the outcome that it would have had alone.
"""

import asyncio
import contextvars
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, Generic, TypeVar

from opentelemetry import trace

from chassis.caller import Call, call_scope, current_call_or_none, service_call
from chassis.database import HOPELESS
from chassis.errors import Kind, ServiceError
from chassis.pace import Pace

MAX_BATCH: Final = 128
MAX_GROUPS: Final = 32
SLOW_SECONDS: Final = 0.1
"""A batch that takes longer, because one of its groups has to wait, no longer keeps others from beginning."""
_STOP_SECONDS: Final = 5.0

Item = TypeVar("Item")
Result = TypeVar("Result")
Answers = Mapping[str, Sequence[Result | Exception] | Exception]
"""By group: an answer to each of its items, in their order, or why there is none for any of them."""
Process = Callable[[Mapping[str, Sequence[Item]]], Awaitable[Answers[Result]]]
"""Deals with items by group (organization). An exception as an item's answer refuses that item alone. One as a group's
answer, or raised for all, means that nothing was done: then it is tried again, each group by itself and then in
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
    """Batches of one kind of item, of all groups that wait: one at a time, and of each group one.

    Only while a batch is slow do others go beside it, up to `max_running` in all.
    """

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
        self._ready: dict[str, None] = {}
        """Groups of which something waits and nothing is under way; who has waited longest comes first."""
        self._busy: dict[str, object] = {}
        """Groups of which something is under way, each with the batch that it belongs to."""
        self._tasks: set[asyncio.Task[None]] = set()
        self._slow: set[asyncio.Task[None]] = set()
        self._is_beginning = False
        self._pace = Pace()

    async def submit(self, group: str, item: Item) -> Result:
        """Have `item` dealt with. Raises what it alone would have raised.

        A caller that goes away does not stop it; one whose time is over before it begins is refused.
        """
        call = current_call_or_none()
        waiting: _Waiting[Item, Result] = _Waiting(
            item, None if call is None else call.deadline, trace.get_current_span()
        )
        waiting.answer.add_done_callback(_look_at)
        self._waiting.setdefault(group, deque()).append(waiting)
        if group not in self._busy:
            self._ready.setdefault(group)
            self._begin()
        return await asyncio.shield(waiting.answer)

    async def close(self) -> None:
        """Deal with what waits, for a few seconds at most."""
        while self._tasks:
            done, _ = await asyncio.wait(self._tasks, timeout=_STOP_SECONDS)
            if not done:
                return

    def _begin(self) -> None:
        may_begin = self._tasks == self._slow and len(self._tasks) < self._max_running
        if not self._ready or self._is_beginning or not may_begin:
            return
        self._is_beginning = True
        loop = asyncio.get_running_loop()
        # A context of its own: the first one's call, with its time limit, is not everybody's.
        task = loop.create_task(self._run(), name="batch", context=contextvars.Context())
        self._tasks.add(task)
        task.add_done_callback(self._end)

    def _grow_impatient(self) -> None:
        """From now on the running batch may be called slow; what it waited for others does not count."""
        task = asyncio.current_task()
        assert task is not None
        patience = asyncio.get_running_loop().call_later(SLOW_SECONDS, self._note_slow, task)
        task.add_done_callback(lambda _: patience.cancel())

    def _note_slow(self, task: "asyncio.Task[None]") -> None:
        self._slow.add(task)
        self._begin()

    def _end(self, task: "asyncio.Task[None]") -> None:
        self._tasks.discard(task)
        self._slow.discard(task)
        self._begin()

    async def _run(self) -> None:
        try:
            await self._pace.gather(self._count_ready, most=self._max_batch)
        finally:
            self._is_beginning = False
        self._grow_impatient()
        batch = self._take()
        mark = object()
        self._busy |= dict.fromkeys(batch, mark)
        self._begin()
        oldest = next(iter(batch.values()))[0]
        began_at = asyncio.get_running_loop().time()
        try:
            # What the batch asks and writes is seen in the trace of the request that has waited longest.
            with trace.use_span(oldest.span, record_exception=False, set_status_on_exception=False):
                await self._deal_with(batch)
        except BaseException as error:
            _refuse(batch, error)
            if not isinstance(error, Exception):
                raise
        finally:
            seconds = asyncio.get_running_loop().time() - began_at
            self._pace.note(sum(map(len, batch.values())), seconds=seconds)
            for group in batch:
                if self._busy.get(group) is mark:  # it may be free already, and in another batch by now
                    self._free(group)

    def _count_ready(self) -> int:
        return sum(len(self._waiting[group]) for group in self._ready)

    def _free(self, group: str) -> None:
        """A group has its answers: what waits of it may go with the next batch."""
        del self._busy[group]
        if self._waiting[group]:
            self._ready.setdefault(group)
            self._begin()
        else:
            del self._waiting[group]

    def _take(self) -> dict[str, Sequence[_Waiting[Item, Result]]]:
        """The next batch: of each group that is ready its share, so that none crowds out the others."""
        groups = list(self._ready)[: min(MAX_GROUPS, self._max_batch)]
        taken: dict[str, Sequence[_Waiting[Item, Result]]] = {}
        room = self._max_batch
        for place, group in enumerate(sorted(groups, key=lambda one: len(self._waiting[one]))):
            queue = self._waiting[group]
            share = room // (len(groups) - place)
            taken[group] = [queue.popleft() for _ in range(min(len(queue), share))]
            room -= len(taken[group])
            del self._ready[group]
        return {group: taken[group] for group in groups}

    async def _deal_with(self, batch: Mapping[str, Sequence[_Waiting[Item, Result]]]) -> None:
        batch = {group: kept for group, items in batch.items() if (kept := _in_time(items))}
        if not batch:
            return
        try:
            with call_scope(self._call_for(batch)):
                answers = await self._process(
                    {group: [waiting.item for waiting in items] for group, items in batch.items()}
                )
        except Exception as error:
            if len(batch) == 1 or _is_hopeless(error):
                answers = dict.fromkeys(batch, error)
            else:
                await asyncio.gather(*(self._deal_alone(group, items) for group, items in batch.items()))
                return
        for group, items in batch.items():
            await self._tell(group, items, answers[group])

    async def _deal_alone(self, group: str, items: Sequence[_Waiting[Item, Result]]) -> None:
        """A group whose batch failed: it waits for no other, and none for it."""
        await self._deal_with({group: items})
        self._free(group)

    async def _tell(
        self,
        group: str,
        items: Sequence[_Waiting[Item, Result]],
        answers: Sequence[Result | Exception] | Exception,
    ) -> None:
        """Give a group its answers, or try it again in halves."""
        if not isinstance(answers, Exception) and len(answers) != len(items):
            answers = ValueError(f"{len(answers)} answers to {len(items)} items")
        if isinstance(answers, Exception):
            if len(items) == 1 or _is_hopeless(answers):
                _refuse({group: items}, answers)
                return
            middle = len(items) // 2
            await self._deal_with({group: items[:middle]})
            await self._deal_with({group: items[middle:]})
            return
        for waiting, answer in zip(items, answers, strict=True):
            if isinstance(answer, Exception):
                waiting.refuse(answer)
            elif not waiting.answer.done():
                waiting.answer.set_result(answer)

    def _call_for(self, batch: Mapping[str, Sequence[_Waiting[Item, Result]]]) -> Call:
        organization_id = next(iter(batch)) if len(batch) == 1 else None
        call = service_call(self._service, organization_id, method="batch")
        return replace(call, deadline=_latest([one for items in batch.values() for one in items]))


def _refuse(batch: Mapping[str, Sequence[_Waiting[Item, Result]]], error: BaseException) -> None:
    for items in batch.values():
        for waiting in items:
            waiting.refuse(error)


def _is_hopeless(error: Exception) -> bool:
    return isinstance(error, ServiceError) and error.kind in HOPELESS


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

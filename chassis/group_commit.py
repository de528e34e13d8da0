"""Many small writes in few transactions: what waits while one is being committed makes up the next one.

Each write has the outcome that a transaction of its own would have had. See chassis.batches.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from typing import Final, TypeVar

from chassis.batches import MAX_BATCH, Answers, Batches
from chassis.caller import call_scope, current_call, service_call
from chassis.crashpoints import crashpoint
from chassis.database import Database, WriteTx

MAX_TRANSACTIONS: Final = 4

Item = TypeVar("Item")
Result = TypeVar("Result")
Flush = Callable[[WriteTx, Sequence[Item]], Awaitable[Sequence[Result | Exception]]]
"""Writes one organization's items and answers each, in their order. An exception as an answer refuses that item alone,
of which nothing may have been written. An exception that is raised rolls the batch back, and it is tried again: each
organization by itself, then in halves. So it may see an item several times, and does nothing that outlives a rollback.
"""


class GroupCommit(Batches[Item, Result]):
    """Writes one kind of item. Organizations share a COMMIT and nothing else; a few transactions run side by side."""

    def __init__(
        self,
        db: Database,
        flush: Flush[Item, Result],
        *,
        max_batch: int = MAX_BATCH,
        max_transactions: int = MAX_TRANSACTIONS,
    ) -> None:
        def writing(
            organization_id: str, items: Sequence[Item]
        ) -> Callable[[WriteTx], Awaitable[Sequence[Result | Exception]]]:
            async def work(tx: WriteTx) -> Sequence[Result | Exception]:
                call = service_call(db.name, organization_id, method="batch")
                with call_scope(replace(call, deadline=current_call().deadline)):
                    answers = await flush(tx, items)
                if len(answers) != len(items):
                    raise ValueError(f"{len(answers)} answers to {len(items)} items")
                crashpoint("group.before_commit")
                return answers

            return work

        async def transaction(batch: Mapping[str, Sequence[Item]]) -> Answers[Result]:
            answers = await db.run_all_or_none({one: writing(one, items) for one, items in batch.items()})
            crashpoint("group.after_commit")
            return answers

        super().__init__(transaction, service=db.name, max_batch=max_batch, max_running=max_transactions)

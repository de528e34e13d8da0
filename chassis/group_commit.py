"""Many small writes in few transactions: what waits while one is being committed makes up the next one.

Each write has the outcome that a transaction of its own would have had. See chassis.batches.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import Final, TypeVar

from chassis.batches import MAX_BATCH, Batches
from chassis.crashpoints import crashpoint
from chassis.database import Database, WriteTx

MAX_TRANSACTIONS: Final = 2

Item = TypeVar("Item")
Result = TypeVar("Result")
Flush = Callable[[WriteTx, Sequence[Item]], Awaitable[Sequence[Result | Exception]]]
"""Writes items and answers each, in their order. An exception as an answer refuses that item alone, of which nothing
may have been written. An exception that is raised rolls the batch back, and it is tried again in two halves: so it
may see an item several times, and does nothing that outlives a rollback."""


class GroupCommit(Batches[Item, Result]):
    """Writes one kind of item. Organizations never share a transaction; a few are written side by side."""

    def __init__(
        self,
        db: Database,
        flush: Flush[Item, Result],
        *,
        max_batch: int = MAX_BATCH,
        max_transactions: int = MAX_TRANSACTIONS,
    ) -> None:
        async def transaction(organization_id: str, items: Sequence[Item]) -> Sequence[Result | Exception]:
            async def work(tx: WriteTx) -> Sequence[Result | Exception]:
                answers = await flush(tx, items)
                if len(answers) != len(items):
                    raise ValueError(f"{len(answers)} answers to {len(items)} items")
                crashpoint("group.before_commit")
                return answers

            answers = await db.run_write(organization_id, work)
            crashpoint("group.after_commit")
            return answers

        super().__init__(transaction, service=db.name, max_batch=max_batch, max_running=max_transactions)

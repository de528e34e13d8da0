"""A batch of writes has the outcomes that single transactions would have had, whatever fails in between."""

import asyncio
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from chassis.caller import call_scope, service_call
from chassis.crashpoints import Crashed, armed
from chassis.database import Database, WriteTx
from chassis.errors import Kind, ServiceError
from chassis.group_commit import GroupCommit
from tests.service.chassis.conftest import ACME, BETA
from tests.support.wait import until

LIMIT = 3


@dataclass(frozen=True)
class Mark:
    """Counts a note up; beyond LIMIT it is refused. A poisonous one makes every transaction fail that it is in."""

    note: str
    poison: str = ""


class Poisoned(Exception):
    """The flush itself fails."""


async def count_up(tx: WriteTx, marks: Sequence[Mark]) -> Sequence[int | Exception]:
    """Set-shaped: one read and one write for the batch."""
    params = {"organization_id": tx.organization_id, "note_ids": sorted({mark.note for mark in marks})}
    found = await tx.execute(
        text(
            "SELECT note_id, times_seen FROM notes WHERE organization_id = :organization_id"
            " AND note_id = ANY(CAST(:note_ids AS text[])) ORDER BY note_id FOR UPDATE"
        ),
        params,
    )
    seen = {row.note_id: row.times_seen for row in found}
    answers: list[int | Exception] = []
    for mark in marks:
        if mark.poison == "flush":
            raise Poisoned(mark.note)
        if seen.get(mark.note, 0) >= LIMIT:
            answers.append(ServiceError(Kind.FAILED_PRECONDITION, "ENOUGH", "No more.", note=mark.note))
            continue
        seen[mark.note] = seen.get(mark.note, 0) + 1
        answers.append(seen[mark.note])
    units = [None if mark.poison == "constraint" else 0 for mark in marks]
    tx.enqueue(
        text(
            "INSERT INTO notes (organization_id, note_id, times_seen)"
            " SELECT :organization_id, note_id, seen FROM unnest(CAST(:note_ids AS text[]),"
            " CAST(:seen AS integer[])) AS new (note_id, seen)"
            " ON CONFLICT (organization_id, note_id) DO UPDATE SET times_seen = excluded.times_seen"
        ),
        {"organization_id": tx.organization_id, "note_ids": list(seen), "seen": list(seen.values())},
    )
    if None in units:  # violates NOT NULL, at the very end of the transaction
        tx.enqueue(text("UPDATE notes SET times_seen = NULL"), {})
    return answers


async def outcomes(group: GroupCommit[Mark, int], organization_id: str, marks: Sequence[Mark]) -> list[str]:
    answers = await asyncio.gather(
        *(group.submit(organization_id, mark) for mark in marks), return_exceptions=True
    )
    return [str(one) if isinstance(one, int) else type(one).__name__ for one in answers]


async def notes(db: Database, organization_id: str) -> dict[str, int]:
    async with db.read(organization_id) as tx:
        rows = await tx.execute(
            text("SELECT note_id, times_seen FROM notes WHERE organization_id = :organization_id"),
            {"organization_id": organization_id},
        )
        return {row.note_id: row.times_seen for row in rows}


ANY_MARK = st.builds(
    Mark,
    note=st.sampled_from(["a", "b", "c"]),
    poison=st.sampled_from(["", "", "", "", "flush", "constraint"]),
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(marks=st.lists(ANY_MARK, max_size=14), max_batch=st.integers(1, 16))
async def test_a_batch_ends_as_single_transactions_would(
    db: Database, marks: list[Mark], max_batch: int
) -> None:
    together, singly = f"org_{uuid.uuid4().hex}", f"org_{uuid.uuid4().hex}"
    batched = await outcomes(GroupCommit(db, count_up, max_batch=max_batch), together, marks)
    alone = []
    for mark in marks:
        alone += await outcomes(GroupCommit(db, count_up, max_batch=1), singly, [mark])
    assert batched == alone
    assert await notes(db, together) == await notes(db, singly)


async def test_what_waits_during_a_commit_is_written_by_the_next(db: Database) -> None:
    sizes: list[int] = []
    gate = asyncio.Event()

    async def flush(tx: WriteTx, marks: Sequence[Mark]) -> Sequence[int | Exception]:
        sizes.append(len(marks))
        await gate.wait()
        return await count_up(tx, marks)

    group: GroupCommit[Mark, int] = GroupCommit(db, flush)
    first = asyncio.create_task(group.submit(ACME, Mark("a")))
    await until(lambda: bool(sizes))
    rest = [asyncio.create_task(group.submit(ACME, Mark(f"n{number}"))) for number in range(20)]
    other = asyncio.create_task(group.submit(BETA, Mark("a")))
    await until(lambda: len(sizes) == 2)  # another organization does not wait for this one
    gate.set()
    assert await asyncio.gather(first, other, *rest) == [1] * 22
    assert sizes == [1, 1, 20]


async def test_no_more_transactions_run_at_once_than_allowed(db: Database) -> None:
    running: list[object] = []
    most = 0

    async def flush(tx: WriteTx, marks: Sequence[Mark]) -> Sequence[int | Exception]:
        nonlocal most
        running.append(tx.wire.driver)
        most = max(most, len(set(running)))
        answers = await count_up(tx, marks)
        running.remove(tx.wire.driver)
        return answers

    group: GroupCommit[Mark, int] = GroupCommit(db, flush, max_batch=2, max_transactions=2)
    names = [f"org_{number}" for number in range(9)]
    answers = await asyncio.gather(*(group.submit(name, Mark("a")) for name in names for _ in range(2)))
    assert sorted(answers) == [1] * 9 + [2] * 9
    assert most <= 2


async def test_a_caller_that_goes_away_does_not_stop_the_write(db: Database) -> None:
    group = GroupCommit(db, count_up)
    gone = asyncio.create_task(group.submit(ACME, Mark("a")))
    await asyncio.sleep(0)
    gone.cancel()
    assert await group.submit(ACME, Mark("a")) == 2
    assert gone.cancelled()


async def test_a_call_whose_time_is_over_is_refused_and_its_neighbours_are_not(db: Database) -> None:
    group = GroupCommit(db, count_up)
    late = replace(service_call("payments", ACME), deadline=asyncio.get_running_loop().time() - 1)

    async def hurried() -> int:
        with call_scope(late):
            return await group.submit(ACME, Mark("late"))

    answers = await asyncio.gather(hurried(), group.submit(ACME, Mark("a")), return_exceptions=True)
    assert isinstance(answers[0], ServiceError)
    assert answers[0].kind is Kind.DEADLINE_EXCEEDED
    assert answers[1] == 1
    assert await notes(db, ACME) == {"a": 1}


async def test_a_death_before_the_commit_writes_nothing_and_one_after_it_everything(db: Database) -> None:
    marks = [Mark("a"), Mark("b"), Mark("c")]
    with armed("group.before_commit"):
        assert await outcomes(GroupCommit(db, count_up), ACME, marks) == [Crashed.__name__] * 3
    assert await notes(db, ACME) == {}
    with armed("group.after_commit"):
        assert await outcomes(GroupCommit(db, count_up), ACME, marks) == [Crashed.__name__] * 3
    assert await notes(db, ACME) == {"a": 1, "b": 1, "c": 1}


async def test_after_a_lost_connection_nobody_is_told_that_it_was_written(db: Database) -> None:
    async def flush(tx: WriteTx, marks: Sequence[Mark]) -> Sequence[int | Exception]:
        answers = await count_up(tx, marks)
        await tx.execute(text("SELECT 1"))
        await tx.wire.driver.close()
        return answers

    told = await asyncio.gather(
        *(GroupCommit(db, flush).submit(ACME, Mark(name)) for name in "ab"), return_exceptions=True
    )
    assert all(isinstance(one, Exception) for one in told)
    assert await notes(db, ACME) == {}


async def test_closing_writes_what_waits(db: Database) -> None:
    group = GroupCommit(db, count_up, max_batch=1)
    waiting = [asyncio.create_task(group.submit(ACME, Mark(name))) for name in "abc"]
    await asyncio.sleep(0)
    await group.close()
    assert await notes(db, ACME) == {"a": 1, "b": 1, "c": 1}
    assert await asyncio.gather(*waiting) == [1, 1, 1]


async def test_a_flush_that_forgets_an_answer_is_a_defect(db: Database) -> None:
    async def flush(tx: WriteTx, marks: Sequence[Mark]) -> Sequence[int | Exception]:
        return []

    with pytest.raises(ValueError, match="0 answers to 1 items"):
        await GroupCommit(db, flush).submit(ACME, Mark("a"))
    assert await notes(db, ACME) == {}

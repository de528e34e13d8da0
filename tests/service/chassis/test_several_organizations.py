"""Organizations that share a COMMIT share nothing else: no row, no failure, no answer."""

import asyncio
import uuid
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError, IntegrityError

from chassis import audit, outbox
from chassis.crashpoints import Crashed, armed
from chassis.database import Database, WriteTx
from chassis.errors import Kind, ServiceError
from chassis.group_commit import GroupCommit
from chassis.ledger import Entry, balance, credit, debit, post
from chassis.money import Money
from tallyport.common.v1 import money_pb2
from tests.service.chassis.conftest import ACME, BETA
from tests.service.chassis.sample.tables import notes as notes_table
from tests.service.chassis.test_group_commit import ANY_MARK, Mark, count_up, notes, outcomes

GAMMA = "org_gamma"
COUNT = text("SELECT count(*) AS n FROM notes")
INSERT = text("INSERT INTO notes (organization_id, note_id) VALUES (:organization_id, :note_id)")
UPDATE = text("UPDATE notes SET times_seen = 99 WHERE organization_id = :organization_id")
Work = Callable[[WriteTx], Awaitable[object]]


async def submitted(group: GroupCommit[Mark, int], marks: Sequence[tuple[str, Mark]]) -> list[str]:
    answers = await asyncio.gather(
        *(group.submit(organization_id, mark) for organization_id, mark in marks), return_exceptions=True
    )
    return [str(one) if isinstance(one, int) else type(one).__name__ for one in answers]


async def seed(db: Database, *organization_ids: str) -> None:
    for organization_id in organization_ids:
        async with db.write(organization_id) as tx:
            await tx.execute(INSERT, {"organization_id": organization_id, "note_id": "mine"})


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(marks=st.lists(st.tuples(st.integers(0, 3), ANY_MARK), max_size=16))
async def test_a_batch_of_several_organizations_ends_as_single_transactions_would(
    db: Database, marks: list[tuple[int, Mark]]
) -> None:
    together = [f"org_{uuid.uuid4().hex}" for _ in range(4)]
    singly = [f"org_{uuid.uuid4().hex}" for _ in range(4)]
    batched = await submitted(GroupCommit(db, count_up), [(together[who], mark) for who, mark in marks])
    alone = []
    for who, mark in marks:
        alone += await outcomes(GroupCommit(db, count_up, max_batch=1), singly[who], [mark])
    assert batched == alone
    for one, other in zip(together, singly, strict=True):
        assert await notes(db, one) == await notes(db, other)


async def test_what_waits_of_several_organizations_is_one_transaction(db: Database) -> None:
    transactions: dict[str, int] = {}

    async def flush(tx: WriteTx, marks: Sequence[Mark]) -> Sequence[int | Exception]:
        row = (await tx.execute(text("SELECT pg_current_xact_id()::text::bigint AS id"))).one()
        transactions[tx.organization_id] = row.id
        return await count_up(tx, marks)

    group: GroupCommit[Mark, int] = GroupCommit(db, flush)
    assert await submitted(group, [(one, Mark("a")) for one in (ACME, BETA, GAMMA, ACME)]) == [
        "1", "1", "1", "2",
    ]  # fmt: skip
    assert len(transactions) == 3
    assert len(set(transactions.values())) == 1


async def test_a_statement_sees_its_own_organization_only(db: Database) -> None:
    await seed(db, ACME, BETA, GAMMA)
    seen: dict[str, list[object]] = {}

    async def look(tx: WriteTx) -> None:
        mine = seen.setdefault(tx.organization_id, [])
        mine.append((await tx.execute(COUNT)).scalar_one())
        mine += [row.organization_id for row in await tx.execute(select(notes_table.c.organization_id))]
        for result in await tx.execute_all((COUNT, {}), (COUNT, {})):
            mine.append(result.scalar_one())
        mine.append((await tx.execute(text("SELECT current_setting('app.organization_id')"))).scalar_one())

    await db.write_together(dict.fromkeys((GAMMA, ACME, BETA), look))
    assert seen == {one: [1, one, 1, 1, one] for one in (ACME, BETA, GAMMA)}


@pytest.mark.parametrize("way", ["execute", "enqueue", "built"])
async def test_a_statement_cannot_write_into_another_organization(db: Database, way: str) -> None:
    await seed(db, ACME, BETA)

    async def write_there(tx: WriteTx) -> None:
        params = {"organization_id": BETA, "note_id": "foreign"}
        if way == "execute":
            await tx.execute(INSERT, params)
        elif way == "enqueue":
            tx.enqueue(INSERT, params)
        else:
            await tx.execute(notes_table.insert().values(**params))

    async def write_here(tx: WriteTx) -> None:
        await tx.execute(INSERT, {"organization_id": BETA, "note_id": "own"})

    with pytest.raises(DBAPIError, match="row-level security"):
        await db.write_together({ACME: write_there, BETA: write_here})
    assert await notes(db, BETA) == {"mine": 0}
    answers = await db.run_write_together({ACME: write_there, BETA: write_here})
    assert isinstance(answers[ACME], DBAPIError)
    assert await notes(db, BETA) == {"mine": 0, "own": 0}


async def test_a_statement_cannot_change_or_delete_anothers_rows(db: Database) -> None:
    await seed(db, ACME, BETA)
    changed: list[int] = []

    async def reach_over(tx: WriteTx) -> None:
        changed.append((await tx.execute(UPDATE, {"organization_id": BETA})).rowcount)
        changed.append((await tx.execute(text("DELETE FROM notes WHERE note_id = 'mine'"))).rowcount)
        tx.enqueue(UPDATE, {"organization_id": BETA})

    async def idle(tx: WriteTx) -> None:
        await tx.execute(COUNT)

    await db.write_together({ACME: reach_over, BETA: idle})
    assert changed == [0, 1]  # its own row, and none of the other's
    assert await notes(db, ACME) == {}
    assert await notes(db, BETA) == {"mine": 0}


async def test_what_is_written_at_the_end_belongs_to_each_organization(db: Database) -> None:
    def writes(count: int) -> Work:
        async def work(tx: WriteTx) -> None:
            for number in range(1, count + 1):
                audit.record(tx, "note.written", f"note_{number}")
                outbox.append(
                    tx, money_pb2.Money(minor_units=number, currency="USD"),
                    aggregate_type="note", aggregate_id="note_1", aggregate_version=number,
                )  # fmt: skip

        return work

    await db.write_together({BETA: writes(2), ACME: writes(1), GAMMA: writes(3)})
    for organization_id, count in ((ACME, 1), (BETA, 2), (GAMMA, 3)):
        async with db.read(organization_id) as tx:
            assert await audit.verify(tx) is None
            assert await audit.count_entries(tx) == count
            events = await outbox.events_since(tx, organization_id, from_sequence=1)
        assert [event.aggregate_version for event in events] == list(range(1, count + 1))


def captured(payment_id: str) -> Entry:
    ten = Money(1000, "USD")
    return Entry(
        source="payment", source_id=payment_id, kind="captured", occurred_at=datetime(2026, 1, 5, tzinfo=UTC),
        lines=[debit("cash", "-", ten), credit("receivables", "cus_1", ten)],
    )  # fmt: skip


async def test_entries_are_checked_under_their_own_organization(db: Database) -> None:
    async def book(tx: WriteTx) -> None:
        await post(tx, captured(f"pay_{tx.organization_id}"))

    async def without_lines(tx: WriteTx) -> None:
        tx.enqueue(
            text(
                "INSERT INTO ledger_entries (organization_id, entry_id, source, source_id, kind, occurred_at,"
                " posted_at) VALUES (:organization_id, 'ent_1', 'payment', 'pay_1', 'captured', :at, :at)"
            ),
            {"organization_id": tx.organization_id, "at": tx.now()},
        )

    await db.write_together(dict.fromkeys((ACME, BETA), book))
    with pytest.raises(IntegrityError, match="fewer than two lines"):
        await db.write_together({ACME: without_lines, GAMMA: book})
    for organization_id, units in ((ACME, 1000), (BETA, 1000), (GAMMA, 0)):
        async with db.read(organization_id) as tx:
            assert await balance(tx, "cash", "-", "USD") == Money(units, "USD")


async def test_who_waits_for_a_row_fails_alone_and_soon(db: Database) -> None:
    await seed(db, ACME, BETA)

    async def change(tx: WriteTx) -> str:
        await tx.execute(UPDATE, {"organization_id": tx.organization_id})
        return tx.organization_id

    async with db.write(ACME) as holder:
        await holder.execute(UPDATE, {"organization_id": ACME})
        answers = await db.run_write_together({ACME: change, BETA: change})
    refused = answers[ACME]
    assert isinstance(refused, ServiceError)
    assert refused.kind is Kind.ABORTED
    assert answers[BETA] == BETA
    assert await notes(db, BETA) == {"mine": 99}


async def test_others_go_on_while_one_waits_for_a_row(db: Database) -> None:
    group = GroupCommit(db, count_up)
    assert await submitted(group, [(ACME, Mark("a"))]) == ["1"]
    async with db.write(ACME) as holder:
        await holder.execute(UPDATE, {"organization_id": ACME})
        late = asyncio.create_task(group.submit(ACME, Mark("a")))
        assert await submitted(group, [(BETA, Mark(name)) for name in "ab"]) == ["1", "1"]
        assert await submitted(group, [(BETA, Mark("a")), (GAMMA, Mark("a"))]) == ["2", "1"]
        assert not late.done()
        await holder.execute(text("UPDATE notes SET times_seen = 1"))
    assert await late == 2
    assert await submitted(group, [(one, Mark("b")) for one in (ACME, BETA)]) == ["1", "2"]


async def test_after_a_lost_connection_no_organization_is_told_that_it_was_written(db: Database) -> None:
    async def flush(tx: WriteTx, marks: Sequence[Mark]) -> Sequence[int | Exception]:
        answers = await count_up(tx, marks)
        await tx.execute(text("SELECT 1"))
        await tx.wire.driver.close()
        return answers

    told = await asyncio.gather(
        *(GroupCommit(db, flush).submit(one, Mark("a")) for one in (ACME, BETA)), return_exceptions=True
    )
    assert all(isinstance(one, Exception) for one in told)
    assert await notes(db, ACME) == await notes(db, BETA) == {}


async def test_a_death_around_the_shared_commit_writes_all_or_nothing(db: Database) -> None:
    marks = [(one, Mark(name)) for one in (ACME, BETA) for name in "ab"]
    for point in ("group.before_commit", "group.before_commit:2"):
        with armed(point):
            assert await submitted(GroupCommit(db, count_up), marks) == [Crashed.__name__] * 4
        assert await notes(db, ACME) == await notes(db, BETA) == {}
    with armed("group.after_commit"):
        assert await submitted(GroupCommit(db, count_up), marks) == [Crashed.__name__] * 4
    assert await notes(db, ACME) == await notes(db, BETA) == {"a": 1, "b": 1}


async def test_a_crowd_of_one_organization_leaves_room_for_the_others(db: Database) -> None:
    written: list[tuple[str, int]] = []

    async def flush(tx: WriteTx, marks: Sequence[Mark]) -> Sequence[int | Exception]:
        written.append((tx.organization_id, len(marks)))
        return await count_up(tx, marks)

    group: GroupCommit[Mark, int] = GroupCommit(db, flush, max_batch=4, max_transactions=1)
    marks = [(ACME, Mark(f"n{number}")) for number in range(9)] + [(BETA, Mark("a"))]
    assert await submitted(group, marks) == ["1"] * 10
    assert written == [(ACME, 3), (BETA, 1), (ACME, 4), (ACME, 2)]

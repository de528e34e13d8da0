"""Transactions, row-level security and time limits against a real PostgreSQL."""

import asyncio
from contextlib import suppress

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, IntegrityError

from chassis.caller import Call, call_scope, service_call
from chassis.clock import SystemClock
from chassis.database import Database, UnsafeDatabaseError, WriteTx, violated_constraint
from chassis.errors import Kind, ServiceError
from chassis.migrations import migrate, schema_differences
from chassis.tables import TRANSPORT_TABLES
from tests.service.chassis.conftest import ACME, BETA, SAMPLE
from tests.support.database import DatabaseUrls

INSERT = text("INSERT INTO notes (organization_id, note_id) VALUES (:organization_id, :note_id)")
ALL_NOTES = text("SELECT organization_id, note_id FROM notes ORDER BY 1, 2")


async def _note(db: Database, organization_id: str, note_id: str) -> None:
    async with db.write(organization_id) as tx:
        await tx.execute(INSERT, {"organization_id": organization_id, "note_id": note_id})


async def test_an_organization_sees_only_its_own_rows(db: Database) -> None:
    await _note(db, ACME, "a")
    await _note(db, BETA, "b")
    async with db.read(BETA) as tx:
        assert [row.note_id for row in await tx.execute(ALL_NOTES)] == ["b"]


async def test_a_row_of_another_organization_cannot_be_written(db: Database) -> None:
    with pytest.raises(DBAPIError, match="row-level security"):
        async with db.write(ACME) as tx:
            await tx.execute(INSERT, {"organization_id": BETA, "note_id": "a"})


async def test_a_transaction_without_organization_cannot_touch_business_tables(db: Database) -> None:
    await _note(db, ACME, "a")
    with pytest.raises(DBAPIError, match="organization_is_set"):
        async with db.transport() as tx:
            await tx.execute(ALL_NOTES)


async def test_a_bare_connection_of_the_app_role_fails_closed(db: Database, urls: DatabaseUrls) -> None:
    await _note(db, ACME, "a")
    async with await psycopg.AsyncConnection.connect(urls.app, autocommit=True) as connection:
        with pytest.raises(psycopg.errors.UndefinedObject):
            await connection.execute("SELECT * FROM notes")
        async with connection.transaction():
            await connection.execute("SELECT set_config('app.organization_id', 'org_acme', true)")
        with pytest.raises(psycopg.errors.CheckViolation):
            await connection.execute("SELECT * FROM notes")


async def test_the_owner_is_bound_by_the_policies_and_the_superuser_is_not(
    db: Database, urls: DatabaseUrls
) -> None:
    """The superuser is the negative control: without the policy the row would be seen."""
    await _note(db, ACME, "a")
    async with await psycopg.AsyncConnection.connect(urls.owner) as connection:
        await connection.execute("SELECT set_config('app.organization_id', 'org_beta', true)")
        assert await (await connection.execute("SELECT * FROM notes")).fetchall() == []
    async with await psycopg.AsyncConnection.connect(urls.superuser) as connection:
        assert len(await (await connection.execute("SELECT * FROM notes")).fetchall()) == 1


async def test_the_app_role_cannot_switch_row_level_security_off(urls: DatabaseUrls) -> None:
    async with await psycopg.AsyncConnection.connect(urls.app, autocommit=True) as connection:
        for statement in (
            "ALTER TABLE notes DISABLE ROW LEVEL SECURITY",
            "DROP POLICY tenant ON notes",
            "SET ROLE sample_owner",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                await connection.execute(statement)
        await connection.execute("SET row_security = off")
        await connection.execute("SELECT set_config('app.organization_id', 'org_beta', false)")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            await connection.execute("SELECT * FROM notes")


async def test_a_sweep_sees_ids_of_all_organizations_on_sweep_tables_only(db: Database) -> None:
    await _note(db, ACME, "a")
    await _note(db, BETA, "b")
    async with db.sweep() as tx:
        assert len((await tx.execute(ALL_NOTES)).all()) == 2
        assert (await tx.execute(text("SELECT 1 FROM ledger_entries"))).all() == []
    with pytest.raises(DBAPIError, match="read-only"):
        async with db.sweep() as tx:
            await tx.execute(text("DELETE FROM notes"))


async def test_the_organization_does_not_stay_on_a_pooled_connection(db: Database) -> None:
    for number in range(3):
        await _note(db, ACME, f"a{number}")
    async with db.read(BETA) as tx:
        assert (await tx.execute(ALL_NOTES)).all() == []


async def test_an_exception_rolls_the_transaction_back(db: Database) -> None:
    async def fail_after_writing() -> None:
        async with db.write(ACME) as tx:
            await tx.execute(INSERT, {"organization_id": ACME, "note_id": "a"})
            raise RuntimeError

    with pytest.raises(RuntimeError):
        await fail_after_writing()
    async with db.read(ACME) as tx:
        assert (await tx.execute(ALL_NOTES)).all() == []


async def test_a_read_transaction_refuses_to_write(db: Database) -> None:
    with pytest.raises(DBAPIError, match="read-only"):
        async with db.read(ACME) as tx:
            await tx.execute(INSERT, {"organization_id": ACME, "note_id": "a"})


async def test_a_violated_constraint_is_told_by_name(db: Database) -> None:
    await _note(db, ACME, "a")
    with pytest.raises(IntegrityError) as caught:
        await _note(db, ACME, "a")
    assert violated_constraint(caught.value) == "pk_notes"


async def test_a_statement_ends_with_the_deadline_of_the_call(db: Database) -> None:
    base = service_call("sample", ACME)
    deadline = asyncio.get_running_loop().time() + 0.2
    with call_scope(Call(caller=base.caller, method="m", request_id="r", deadline=deadline)):
        with pytest.raises(ServiceError) as caught:
            async with db.read(ACME) as tx:
                await tx.execute(text("SELECT pg_sleep(5)"))
    assert caught.value.kind is Kind.DEADLINE_EXCEEDED


async def test_a_deadlock_is_tried_again(db: Database) -> None:
    await _note(db, ACME, "a")
    await _note(db, ACME, "b")
    both_hold_one = asyncio.Barrier(2)
    tries: list[str] = []

    async def update(first: str, second: str) -> None:
        async def work(tx: WriteTx) -> None:
            tries.append(first)
            await _see(tx, first)
            if len(tries) <= 2:
                await both_hold_one.wait()
            await _see(tx, second)

        await db.run_write(ACME, work)

    await asyncio.gather(update("a", "b"), update("b", "a"))
    async with db.read(ACME) as tx:
        seen = [row.times_seen for row in await tx.execute(text("SELECT times_seen FROM notes"))]
    assert seen == [2, 2]
    # PostgreSQL may let the loser have its row back before the winner wakes; then they meet once more.
    assert len(tries) >= 3


async def _see(tx: WriteTx, note_id: str) -> None:
    await tx.execute(
        text(
            "UPDATE notes SET times_seen = times_seen + 1"
            " WHERE organization_id = :organization_id AND note_id = :note_id"
        ),
        {"organization_id": tx.organization_id, "note_id": note_id},
    )


async def test_a_pool_whose_connections_were_cut_recovers(db: Database, urls: DatabaseUrls) -> None:
    await _note(db, ACME, "a")
    async with await psycopg.AsyncConnection.connect(urls.superuser, autocommit=True) as admin:
        await admin.execute(
            "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
    await _note(db, ACME, "b")


async def test_a_role_that_bypasses_row_level_security_is_refused(urls: DatabaseUrls) -> None:
    with pytest.raises(UnsafeDatabaseError, match="bypasses"):
        await Database(urls.superuser, name="sample", clock=SystemClock()).open()


async def test_a_database_without_durable_commits_is_refused(urls: DatabaseUrls) -> None:
    async with await psycopg.AsyncConnection.connect(urls.superuser, autocommit=True) as admin:
        await admin.execute("ALTER ROLE sample_app SET synchronous_commit = off")
        try:
            with pytest.raises(UnsafeDatabaseError, match="synchronous_commit"):
                await Database(urls.app, name="sample", clock=SystemClock()).open()
        finally:
            await admin.execute("ALTER ROLE sample_app RESET synchronous_commit")


async def test_migrations_may_run_again_and_at_the_same_time(urls: DatabaseUrls) -> None:
    await asyncio.gather(*(migrate(urls.owner, SAMPLE, app_role="sample_app") for _ in range(3)))


async def test_the_migrated_schema_is_what_the_tables_say(urls: DatabaseUrls) -> None:
    found = await asyncio.to_thread(schema_differences, urls.owner, SAMPLE, app_role="sample_app")
    assert found == []


async def test_every_table_has_a_policy_or_is_a_transport_table(urls: DatabaseUrls) -> None:
    async with await psycopg.AsyncConnection.connect(urls.superuser) as admin:
        rows = await (
            await admin.execute(
                "SELECT relname FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace"
                " WHERE nspname = 'public' AND relkind IN ('r', 'p') AND NOT (relrowsecurity"
                " AND relforcerowsecurity AND EXISTS (SELECT 1 FROM pg_policy WHERE polrelid = c.oid))"
            )
        ).fetchall()
    assert {name for (name,) in rows} == set(TRANSPORT_TABLES)


async def test_a_swallowed_error_does_not_pass_for_a_commit(db: Database) -> None:
    async def note_twice() -> None:
        async with db.write(ACME) as tx:
            for _ in range(2):
                with suppress(IntegrityError):
                    await tx.execute(INSERT, {"organization_id": ACME, "note_id": "a"})

    with pytest.raises(RuntimeError, match="swallowed"):
        await note_twice()

"""The audit log shows every kind of tampering."""

import asyncio

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from chassis import audit
from chassis.database import Database
from tests.service.chassis.conftest import ACME, BETA
from tests.support.database import DatabaseUrls

ENTRIES = 6
TAMPERINGS = {
    "a changed record": (
        (
            "UPDATE audit_log SET record = convert_to(replace(convert_from(record, 'UTF8'), 'note', 'bote'),"
            " 'UTF8') WHERE seq = 3"
        ),
        3,
    ),
    "a changed column": ("UPDATE audit_log SET actor = 'person:other' WHERE seq = 4", 4),
    "a deleted row": ("DELETE FROM audit_log WHERE seq = 2", 2),
    "two swapped rows": (
        (
            "UPDATE audit_log SET record = other.record FROM audit_log AS other"
            " WHERE (audit_log.seq, other.seq) IN ((2, 5), (5, 2))"
        ),
        2,
    ),
    "an inserted row": (
        (
            "INSERT INTO audit_log SELECT organization_id, 7, at, actor, action, object_id, request_id, record,"
            " hash, sha256(hash || record) FROM audit_log WHERE seq = 6"
        ),
        7,
    ),
    "a cut tail": ("DELETE FROM audit_log WHERE seq >= 5", 5),
}


async def _fill(db: Database, organization_id: str) -> None:
    for number in range(ENTRIES // 2):
        async with db.write(organization_id) as tx:
            audit.record(tx, "note.created", f"note_{number}", after=b"x")
            audit.record(tx, "note.sent", f"note_{number}", before=b"x", after=b"y", reason="asked for")


async def test_an_untouched_chain_is_whole(db: Database) -> None:
    """The negative control of the tampering tests."""
    await _fill(db, ACME)
    await _fill(db, BETA)
    for organization_id in (ACME, BETA, "org_without_rows"):
        async with db.read(organization_id) as tx:
            assert await audit.verify(tx) is None


@pytest.mark.parametrize("kind", TAMPERINGS)
async def test_tampering_is_found_at_its_first_row(db: Database, urls: DatabaseUrls, kind: str) -> None:
    await _fill(db, ACME)
    statement, first_bad_seq = TAMPERINGS[kind]
    async with await psycopg.AsyncConnection.connect(urls.superuser, autocommit=True) as admin:
        await admin.execute("SET session_replication_role = replica")  # past the append-only triggers
        await admin.execute(statement.encode())
    async with db.read(ACME) as tx:
        assert await audit.verify(tx) == first_bad_seq


async def test_the_chain_holds_under_concurrent_writers(db: Database) -> None:
    async def writer(number: int) -> None:
        for _ in range(10):
            async with db.write(ACME) as tx:
                audit.record(tx, "note.created", f"note_{number}")
                audit.record(tx, "note.sent", f"note_{number}")

    await asyncio.gather(*(writer(number) for number in range(16)))
    async with db.read(ACME) as tx:
        assert await audit.verify(tx) is None


async def test_rows_cannot_be_changed_by_the_app_or_the_owner(db: Database, urls: DatabaseUrls) -> None:
    await _fill(db, ACME)
    with pytest.raises(DBAPIError, match="permission denied"):
        async with db.write(ACME) as tx:
            await tx.execute(text("DELETE FROM audit_log"))
    async with await psycopg.AsyncConnection.connect(urls.owner) as owner:
        await owner.execute("SELECT set_config('app.organization_id', 'org_acme', true)")
        with pytest.raises(psycopg.errors.RestrictViolation):
            await owner.execute("UPDATE audit_log SET actor = 'nobody'")


async def test_no_change_leaves_without_its_audit_row(db: Database) -> None:
    async def fail_after_recording() -> None:
        async with db.write(ACME) as tx:
            audit.record(tx, "note.created", "note_1")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        await fail_after_recording()
    async with db.read(ACME) as tx:
        assert (await tx.execute(text("SELECT 1 FROM audit_log"))).all() == []

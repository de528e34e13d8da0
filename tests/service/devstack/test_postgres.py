"""PostgreSQL of the dev stack: services cannot see each other, and nothing committed is lost."""

import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import psycopg
import pytest
import pytest_asyncio

from devstack.postgres import Postgres
from tests.support.servers import free_port


@pytest_asyncio.fixture
async def own_server(tmp_path: Path) -> AsyncIterator[Postgres]:
    server = Postgres(tmp_path / "postgres", free_port(), throwaway=True)
    await server.start()
    yield server
    await server.stop()


async def test_a_role_cannot_connect_to_another_services_database(postgres: Postgres) -> None:
    east_app, east_owner = await postgres.ensure_service("east")
    await postgres.ensure_service("west")
    for url in (east_app, east_owner):
        with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
            await psycopg.AsyncConnection.connect(url.removesuffix("/east") + "/west")


async def test_neither_role_may_connect_to_the_administrators_database(postgres: Postgres) -> None:
    for url in await postgres.ensure_service("east"):
        with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
            await psycopg.AsyncConnection.connect(url.removesuffix("/east") + "/postgres")


async def test_the_owner_makes_tables_and_the_app_role_cannot(postgres: Postgres) -> None:
    app_url, owner_url = await postgres.ensure_service("east")
    async with await psycopg.AsyncConnection.connect(owner_url) as owner:
        await owner.execute("CREATE TABLE owned (id int)")
    async with await psycopg.AsyncConnection.connect(app_url) as app:
        with pytest.raises(psycopg.errors.InsufficientPrivilege, match="schema public"):
            await app.execute("CREATE TABLE sneaked (id int)")
        await app.rollback()
        with pytest.raises(psycopg.errors.InsufficientPrivilege, match="table owned"):
            await app.execute("SELECT * FROM owned")


async def test_roles_cannot_bypass_row_level_security(postgres: Postgres) -> None:
    await postgres.ensure_service("east")
    query = (
        "SELECT rolname FROM pg_roles WHERE rolname LIKE 'east%' "
        "AND (rolsuper OR rolbypassrls OR rolcreaterole OR rolcreatedb)"
    )
    async with await psycopg.AsyncConnection.connect(postgres.admin_url) as admin:
        assert await (await admin.execute(query)).fetchall() == []


async def test_a_wrong_password_is_refused(postgres: Postgres) -> None:
    app_url, _ = await postgres.ensure_service("east")
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        await psycopg.AsyncConnection.connect(app_url.replace("east_app:", "east_app:x"))


async def test_durability_is_left_on(postgres: Postgres) -> None:
    query = "SELECT name FROM pg_settings WHERE setting = 'on' AND name IN (%s, %s, %s) ORDER BY name"
    wanted = ["fsync", "full_page_writes", "synchronous_commit"]
    async with await psycopg.AsyncConnection.connect(postgres.admin_url) as admin:
        assert [row[0] for row in await (await admin.execute(query, wanted)).fetchall()] == wanted


async def test_committed_rows_survive_a_killed_server(own_server: Postgres) -> None:
    _, owner_url = await own_server.ensure_service("east")
    async with await psycopg.AsyncConnection.connect(owner_url, autocommit=True) as owner:
        await owner.execute("CREATE TABLE kept AS SELECT 42 AS answer")
    assert own_server.pid is not None
    os.kill(own_server.pid, signal.SIGKILL)
    await own_server.stop()
    await own_server.start()
    async with await psycopg.AsyncConnection.connect(owner_url) as owner:
        assert await (await owner.execute("SELECT answer FROM kept")).fetchone() == (42,)


async def test_a_server_left_by_an_earlier_run_makes_room(own_server: Postgres) -> None:
    again = Postgres(own_server.root, own_server.port)
    await again.start()
    assert await again.is_ready()
    await again.stop()


async def test_passwords_are_for_their_owner_only(own_server: Postgres) -> None:
    await own_server.ensure_service("east")
    files = list((own_server.root / "passwords").iterdir())
    assert {file.name for file in files} == {"postgres", "east_app", "east_owner"}
    assert all(file.stat().st_mode & 0o077 == 0 for file in files)


async def test_a_name_that_is_not_plain_is_refused(postgres: Postgres) -> None:
    with pytest.raises(ValueError, match="not a plain lower-case name"):
        await postgres.ensure_service('x"; DROP DATABASE postgres')

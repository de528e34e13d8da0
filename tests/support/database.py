"""Migrated databases for tests: each service is migrated once, then cloned for whoever asks.

A clone that a test gives back is emptied for the next one, which costs a tenth of a new clone.
"""

import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import psycopg
import pytest_asyncio
from psycopg import sql

from chassis.clock import Clock, SystemClock
from chassis.database import Database
from chassis.migrations import migrate
from devstack.postgres import Postgres

_MOST_BYTES = 4_000_000
_TABLES = "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
_BYTES = """
    SELECT sum(pg_relation_size(oid)) FROM pg_class
    WHERE relkind IN ('r', 'i') AND relnamespace = 'public'::regnamespace
"""
# A row of the catalogue gets another xmin when somebody alters what it describes.
_CATALOGUE = """
    SELECT sum(of_one) FROM (
        SELECT sum(hashtext(oid || ' ' || xmin)) AS of_one FROM pg_class WHERE relkind <> 't'
        UNION ALL SELECT sum(hashtext(attrelid || ' ' || xmin)) FROM pg_attribute
        UNION ALL SELECT sum(hashtext(oid || ' ' || xmin)) FROM pg_trigger
        UNION ALL SELECT sum(hashtext(oid || ' ' || xmin)) FROM pg_constraint
        UNION ALL SELECT sum(hashtext(oid || ' ' || xmin)) FROM pg_policy
        UNION ALL SELECT sum(hashtext(oid || ' ' || xmin)) FROM pg_proc
    ) AS catalogue
"""
_DISCONNECT = """
    SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid()
"""
_RESTART_SEQUENCES = """
    SELECT setval(seqrelid::regclass, seqstart, false) FROM pg_sequence JOIN pg_class ON pg_class.oid = seqrelid
    WHERE relnamespace = 'public'::regnamespace
"""


@dataclass(frozen=True, slots=True)
class DatabaseUrls:
    """How the three kinds of user reach one test database."""

    app: str
    owner: str
    superuser: str


@dataclass(frozen=True, slots=True)
class Birth:
    """What a clone was when it was new: its tables, the rows that migrations wrote, a sum over its catalogue."""

    tables: tuple[str, ...]
    rows: dict[str, str]
    catalogue: int

    @classmethod
    async def of(cls, admin: psycopg.AsyncConnection) -> "Birth":
        """Read it from a new clone."""
        tables = tuple(row[0] for row in await (await admin.execute(_TABLES)).fetchall())
        rows = {}
        for table in tables:
            query = sql.SQL("SELECT jsonb_agg(to_jsonb(t))::text FROM {} t").format(sql.Identifier(table))
            found = await (await admin.execute(query)).fetchone()
            if found is not None and found[0] is not None:
                rows[table] = found[0]
        return cls(tables, rows, await _catalogue(admin))

    async def restore(self, admin: psycopg.AsyncConnection) -> bool:
        """Make it new again; false if it had better be dropped, being changed or grown (nothing vacuums here)."""
        await admin.execute(_DISCONNECT)
        size = await (await admin.execute(_BYTES)).fetchone()
        if size is None or size[0] > _MOST_BYTES or await _catalogue(admin) != self.catalogue:
            return False
        async with admin.transaction():
            await admin.execute("SET LOCAL session_replication_role = replica")  # ledgers refuse a DELETE
            empty = [sql.SQL("DELETE FROM {}").format(sql.Identifier(table)) for table in self.tables]
            await admin.execute(sql.SQL("; ").join(empty))
            for table, rows in self.rows.items():
                back = sql.SQL("INSERT INTO {} SELECT * FROM jsonb_populate_recordset(NULL::{}, {})")
                name = sql.Identifier(table)
                await admin.execute(back.format(name, name, sql.Literal(rows)))
            await admin.execute(_RESTART_SEQUENCES)
        return True


async def _catalogue(admin: psycopg.AsyncConnection) -> int:
    row = await (await admin.execute(_CATALOGUE)).fetchone()
    assert row is not None
    return int(row[0])


class Databases:
    """Makes databases of a service by cloning its migrated template."""

    def __init__(self, postgres: Postgres) -> None:
        self._postgres = postgres
        self._templates: set[str] = set()
        self._numbers = itertools.count(1)
        self._born: dict[str, Birth] = {}
        self._spare: dict[str, list[DatabaseUrls]] = {}

    async def create(self, service: str, *, package: str | None = None) -> DatabaseUrls:
        """A fresh database migrated by `<package>/migrations/versions` (default services.<service>)."""
        template = f"{service}_template"
        if template not in self._templates:
            _, owner_url = await self._postgres.ensure_service(service, database=template)
            await migrate(owner_url, package or f"services.{service}", app_role=f"{service}_app")
            self._templates.add(template)
        name = f"{service}_{next(self._numbers)}"
        app, owner = await self._postgres.ensure_service(service, database=name, template=template)
        return DatabaseUrls(app, owner, self._postgres.admin_url.rpartition("/")[0] + f"/{name}")

    async def drop(self, urls: DatabaseUrls) -> None:
        """Remove a database and whoever is still connected to it."""
        name = urls.app.rpartition("/")[2]
        async with await psycopg.AsyncConnection.connect(self._postgres.admin_url, autocommit=True) as admin:
            await admin.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))

    @asynccontextmanager
    async def fresh(
        self, service: str, *, package: str | None = None, clock: Clock | None = None, pool_size: int = 6
    ) -> AsyncIterator[tuple[Database, DatabaseUrls]]:
        """An open Database that holds what its migrations made; it is emptied or dropped at the end."""
        spare = self._spare.setdefault(package or service, [])
        urls = spare.pop() if spare else await self._clone(service, package)
        db = Database(urls.app, pool_size=pool_size, name=service, clock=clock or SystemClock())
        await db.open()
        try:
            yield db, urls
        finally:
            await db.close()
            if await self._emptied(urls):
                spare.append(urls)
            else:
                await self.drop(urls)

    async def _clone(self, service: str, package: str | None) -> DatabaseUrls:
        urls = await self.create(service, package=package)
        async with await psycopg.AsyncConnection.connect(urls.superuser, autocommit=True) as admin:
            self._born[urls.app] = await Birth.of(admin)
        return urls

    async def _emptied(self, urls: DatabaseUrls) -> bool:
        async with await psycopg.AsyncConnection.connect(urls.superuser, autocommit=True) as admin:
            return await self._born[urls.app].restore(admin)


@pytest_asyncio.fixture(scope="session")
async def databases(postgres: Postgres) -> Databases:
    """The maker of test databases."""
    return Databases(postgres)

"""Migrated databases for tests: each service is migrated once, then cloned for every test that asks."""

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


@dataclass(frozen=True, slots=True)
class DatabaseUrls:
    """How the three kinds of user reach one test database."""

    app: str
    owner: str
    superuser: str


class Databases:
    """Makes databases of a service by cloning its migrated template."""

    def __init__(self, postgres: Postgres) -> None:
        self._postgres = postgres
        self._templates: set[str] = set()
        self._numbers = itertools.count(1)

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
        """An open Database on a fresh clone, dropped at the end."""
        urls = await self.create(service, package=package)
        db = Database(urls.app, pool_size=pool_size, name=service, clock=clock or SystemClock())
        await db.open()
        try:
            yield db, urls
        finally:
            await db.close()
            await self.drop(urls)


@pytest_asyncio.fixture(scope="session")
async def databases(postgres: Postgres) -> Databases:
    """The maker of test databases."""
    return Databases(postgres)

"""One database and two roles for each service: the owner migrates, the app reads and writes rows."""

import re
from dataclasses import dataclass
from typing import Any, LiteralString

import psycopg
from psycopg import sql

_NAME = re.compile(r"[a-z][a-z0-9_]{0,48}")
_DATABASE_RIGHTS: tuple[LiteralString, ...] = (
    "REVOKE CONNECT ON DATABASE postgres FROM PUBLIC",
    "REVOKE CONNECT ON DATABASE template1 FROM PUBLIC",
    "REVOKE ALL ON DATABASE {database} FROM PUBLIC",
    "GRANT CONNECT ON DATABASE {database} TO {app}",
)
_SCHEMA_RIGHTS: tuple[LiteralString, ...] = (
    "REVOKE ALL ON SCHEMA public FROM PUBLIC",
    "GRANT USAGE ON SCHEMA public TO {app}",
    "GRANT USAGE, CREATE ON SCHEMA public TO {owner}",
)


@dataclass(frozen=True, slots=True, repr=False)
class Roles:
    """The two roles of one service with their passwords."""

    service: str
    app_password: str
    owner_password: str

    @property
    def app(self) -> str:
        return f"{self.service}_app"

    @property
    def owner(self) -> str:
        return f"{self.service}_owner"


async def ensure(admin_url: str, roles: Roles, database: str, template: str | None = None) -> None:
    """Make what is missing, set what may have changed. `admin_url` has {database} for the name."""
    for word in (roles.service, database):
        if not _NAME.fullmatch(word):
            raise ValueError(f"not a plain lower-case name: {word!r}")
    names = {
        "database": sql.Identifier(database),
        "app": sql.Identifier(roles.app),
        "owner": sql.Identifier(roles.owner),
    }
    async with await _connect(admin_url.format(database="postgres")) as admin:
        await admin.execute("SELECT pg_advisory_lock(7241)")  # two at once would trip over the same rights
        await _ensure_role(admin, roles.app, roles.app_password)
        await _ensure_role(admin, roles.owner, roles.owner_password)
        if not await _exists(admin, "SELECT 1 FROM pg_database WHERE datname = %s", database):
            create = sql.SQL("CREATE DATABASE {} OWNER {} TEMPLATE {}")
            base = sql.Identifier(template or "template0")
            await admin.execute(create.format(names["database"], names["owner"], base))
        for statement in _DATABASE_RIGHTS:
            await admin.execute(sql.SQL(statement).format(**names))
    async with await _connect(admin_url.format(database=database)) as inside:
        for statement in _SCHEMA_RIGHTS:
            await inside.execute(sql.SQL(statement).format(**names))


async def drop(admin_url: str, database: str) -> None:
    """Drop a database and whoever is connected to it."""
    async with await _connect(admin_url) as admin:
        await admin.execute(
            sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(database))
        )


async def _connect(url: str) -> psycopg.AsyncConnection:
    return await psycopg.AsyncConnection.connect(url, autocommit=True)


async def _ensure_role(admin: psycopg.AsyncConnection, role: str, password: str) -> None:
    found = await _exists(admin, "SELECT 1 FROM pg_roles WHERE rolname = %s", role)
    rights = "LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOBYPASSRLS"
    statement: Any = f"{'ALTER' if found else 'CREATE'} ROLE {{}} {rights} PASSWORD {{}}"
    await admin.execute(sql.SQL(statement).format(sql.Identifier(role), sql.Literal(password)))


async def _exists(admin: psycopg.AsyncConnection, query: LiteralString, name: str) -> bool:
    return await (await admin.execute(query, [name])).fetchone() is not None

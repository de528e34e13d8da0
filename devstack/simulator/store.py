"""The provider's record: one SQLite file, committed before anything is answered.

Everything runs on the event loop's thread: a statement takes microseconds, and no two requests can interleave
inside a transaction.
"""

import contextlib
import sqlite3
from collections.abc import Generator
from pathlib import Path

from uuid_utils import uuid7

_SCHEMA = Path(__file__).with_name("schema.sql")
_VERSION = 2
_FROM_VERSION_1 = """
INSERT INTO schedule (due_at, action, object_id)
    SELECT expires_at, 'expire_checkout', id FROM checkouts WHERE status = 'open';
INSERT INTO balance_lines
    (kind, object_id, organization_id, attempt_id, amount_minor_units, fee_minor_units, currency, created_at)
    SELECT 'charge', id, coalesce(json_extract(metadata, '$.organization_id'), ''), attempt_id,
        amount_minor_units, fee_minor_units, currency, created_at
    FROM charges WHERE status = 'succeeded' ORDER BY seq;
UPDATE checkouts SET challenge = NULL;
UPDATE charges SET settled_at = created_at WHERE status = 'succeeded';
"""
Row = sqlite3.Row


class Store:
    """One connection in WAL mode; `synchronous=NORMAL` survives a killed process."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._connection = sqlite3.connect(path, isolation_level=None, cached_statements=256)
        self._connection.row_factory = sqlite3.Row
        self._connection.execute("PRAGMA journal_mode=WAL")
        self._connection.execute("PRAGMA synchronous=NORMAL")
        self._connection.execute("PRAGMA cache_size=-2000")
        self._prepare()
        self._connection.execute("PRAGMA foreign_keys=ON")

    def _prepare(self) -> None:
        """Make the tables; those of the first version are copied into their present form."""
        (version,) = self._connection.execute("PRAGMA user_version").fetchone()
        tables = {row["name"] for row in self.all("SELECT name FROM sqlite_master WHERE type = 'table'")}
        old = [name for name in ("checkouts", "charges") if name in tables] if version < _VERSION else []
        script = ["BEGIN IMMEDIATE;"]
        columns = {name: self._columns(name) for name in old}
        for name in old:
            script += [
                f"CREATE TABLE {name}_old AS SELECT * FROM {name};",  # noqa: S608
                f"DROP TABLE {name};",
            ]
        if "schedule" in tables and "account" not in self._columns("schedule"):
            script.append("ALTER TABLE schedule ADD COLUMN account TEXT NOT NULL DEFAULT '';")
        script.append(_SCHEMA.read_text())
        for name in old:
            script += [
                f"INSERT INTO {name} ({columns[name]}) SELECT {columns[name]} FROM {name}_old;",  # noqa: S608
                f"DROP TABLE {name}_old;",
            ]
        script += [_FROM_VERSION_1 if old else "", f"PRAGMA user_version = {_VERSION};", "COMMIT;"]
        self._connection.executescript("\n".join(script))

    def _columns(self, table: str) -> str:
        return ", ".join(row["name"] for row in self._connection.execute(f"PRAGMA table_info({table})"))

    def close(self) -> None:
        self._connection.close()

    @contextlib.contextmanager
    def transaction(self) -> Generator[None]:
        """Everything executed inside is committed together or not at all; inside another one it is part of it."""
        if self._connection.in_transaction:
            yield
            return
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._connection.execute("ROLLBACK")
            raise
        self._connection.execute("COMMIT")

    def execute(self, statement: str, **values: object) -> sqlite3.Cursor:
        return self._connection.execute(statement, values)

    def one(self, statement: str, **values: object) -> Row | None:
        """The first row, if any."""
        row: Row | None = self._connection.execute(statement, values).fetchone()
        return row

    def all(self, statement: str, **values: object) -> list[Row]:
        return self._connection.execute(statement, values).fetchall()

    def by_id(self, table: str, object_id: str) -> Row | None:
        """The object with that id, if any; the table's name comes from our code."""
        return self.one(f"SELECT * FROM {table} WHERE id = :id", id=object_id)  # noqa: S608

    def insert(self, table: str, **values: object) -> None:
        """Insert one row; table and column names come from our code, never from a request."""
        columns = ", ".join(values)
        places = ", ".join(f":{name}" for name in values)
        self._connection.execute(f"INSERT INTO {table} ({columns}) VALUES ({places})", values)  # noqa: S608

    def change(self, table: str, object_id: str, **values: object) -> Row:
        """Set columns of an object, count its version, and read it back."""
        places = ", ".join(f"{name} = :{name}" for name in values)
        self._connection.execute(
            f"UPDATE {table} SET {places}, version = version + 1 WHERE id = :id",  # noqa: S608
            values | {"id": object_id},
        )
        row = self.by_id(table, object_id)
        if row is None:
            raise LookupError(f"there is no {object_id} in {table}")
        return row


def new_id(prefix: str) -> str:
    """A sortable id whose random part cannot be guessed."""
    return f"{prefix}_{uuid7().hex}"

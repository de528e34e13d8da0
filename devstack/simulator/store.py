"""The provider's record: one SQLite file, committed before anything is answered.

Everything runs on the event loop's thread: a statement takes microseconds, and no two requests can interleave
inside a transaction.
"""

import contextlib
import json
import sqlite3
from collections.abc import Generator
from pathlib import Path
from typing import Any

from uuid_utils import uuid7

from devstack.simulator.cards import DECLINES
from devstack.webkit import pages

_SCHEMA = Path(__file__).with_name("schema.sql")
Row = sqlite3.Row


class Store:
    """One connection in WAL mode; `synchronous=NORMAL` survives a killed process."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._connection = sqlite3.connect(path, isolation_level=None, cached_statements=256)
        self._connection.row_factory = sqlite3.Row
        self._connection.execute("PRAGMA journal_mode=WAL")
        self._connection.execute("PRAGMA synchronous=NORMAL")
        self._connection.execute("PRAGMA foreign_keys=ON")
        self._connection.execute("PRAGMA cache_size=-2000")
        self._connection.executescript(_SCHEMA.read_text())

    def close(self) -> None:
        self._connection.close()

    @contextlib.contextmanager
    def transaction(self) -> Generator[None]:
        """Everything executed inside is committed together or not at all."""
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

    def insert(self, table: str, **values: object) -> None:
        """Insert one row; table and column names come from our code, never from a request."""
        columns = ", ".join(values)
        places = ", ".join(f":{name}" for name in values)
        self._connection.execute(f"INSERT INTO {table} ({columns}) VALUES ({places})", values)  # noqa: S608


def new_id(prefix: str) -> str:
    """A sortable id whose random part cannot be guessed."""
    return f"{prefix}_{uuid7().hex}"


def rfc3339(unix_seconds: float | None) -> str | None:
    """A moment for the API."""
    return None if unix_seconds is None else pages.rfc3339(unix_seconds)


def charge_document(charge: Row) -> dict[str, Any]:
    """A charge as the API shows it."""
    code = charge["decline_code"]
    return {
        "id": charge["id"],
        "object": "charge",
        "status": charge["status"],
        "checkout_id": charge["checkout_id"],
        "amount_minor_units": charge["amount_minor_units"],
        "currency": charge["currency"],
        "reference": charge["reference"],
        "metadata": json.loads(charge["metadata"]),
        "card": {"brand": charge["brand"], "last4": charge["last4"], "exp": charge["exp"]},
        "decline_code": code,
        "decline_message": DECLINES[code] if code else None,
        "fee_minor_units": charge["fee_minor_units"],
        "created_at": rfc3339(charge["created_at"]),
    }


def checkout_document(store: Store, checkout: Row, public_url: str) -> dict[str, Any]:
    """A checkout as the API shows it, with the charge that paid it."""
    charge = store.one("SELECT * FROM charges WHERE id = :id", id=checkout["charge_id"])
    code = checkout["decline_code"]
    return {
        "id": checkout["id"],
        "object": "checkout",
        "status": checkout["status"],
        "url": f"{public_url}/checkout/{checkout['id']}",
        "amount_minor_units": checkout["amount_minor_units"],
        "currency": checkout["currency"],
        "reference": checkout["reference"],
        "description": checkout["description"],
        "return_url": checkout["return_url"],
        "merchant_name": checkout["merchant_name"],
        "customer_name": checkout["customer_name"],
        "line_items": json.loads(checkout["line_items"]),
        "metadata": json.loads(checkout["metadata"]),
        "tries": checkout["tries"],
        "charge": charge_document(charge) if charge else None,
        "decline_code": code,
        "decline_message": DECLINES[code] if code else None,
        "cancel_reason": checkout["cancel_reason"],
        "version": checkout["version"],
        "created_at": rfc3339(checkout["created_at"]),
        "expires_at": rfc3339(checkout["expires_at"]),
        "finished_at": rfc3339(checkout["finished_at"]),
    }

"""Many rows in one statement."""

import json
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from typing import Any

from sqlalchemy import Table, TextClause, text

from chassis.database import WriteTx


async def insert_rows(tx: WriteTx, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert any number of rows of the transaction's organization at once; all must have the same keys."""
    if rows:
        await tx.execute(*_insertion_of(tx, table, rows))


def enqueue_rows(tx: WriteTx, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """The same without a round trip: what the rows violate is raised later, at the latest by COMMIT."""
    if rows:
        tx.enqueue(*_insertion_of(tx, table, rows))


def _insertion_of(
    tx: WriteTx, table: Table, rows: Sequence[Mapping[str, Any]]
) -> tuple[TextClause, Mapping[str, Any]]:
    content = json.dumps([dict(row) for row in rows], default=_plain, ensure_ascii=False)
    return _insertion(table.name, tuple(rows[0])), {"organization_id": tx.organization_id, "rows": content}


@cache
def _insertion(table: str, columns: tuple[str, ...]) -> TextClause:
    """Names come from our tables only, never from a request."""
    names = ", ".join(columns)
    return text(
        f"INSERT INTO {table} (organization_id, {names}) SELECT :organization_id, {names}"  # noqa: S608
        f" FROM jsonb_populate_recordset(CAST(NULL AS {table}), CAST(:rows AS jsonb))"
    )


def _plain(value: object) -> str:
    if isinstance(value, (date, datetime)):
        return value.isoformat()
    if isinstance(value, Decimal):
        return str(value)
    raise TypeError(f"cannot write {type(value).__name__}")


def like_pattern(query: str) -> str:
    """A LIKE pattern that finds the text anywhere, whatever signs it holds."""
    escaped = query.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"%{escaped}%"

"""Many rows in one statement, and the opaque tokens of keyset pages."""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from typing import Any

from sqlalchemy import Table, TextClause, text

from chassis.database import WriteTx
from chassis.errors import invalid


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


def encode_page_token(*values: str) -> str:
    """The place after a row as an opaque text."""
    return urlsafe_b64encode(json.dumps(values).encode()).rstrip(b"=").decode()


def decode_page_token(token: str, scope: str) -> list[str] | None:
    """The values behind `scope`, None for the first page; VALIDATION_FAILED for a token of another list."""
    if not token:
        return None
    try:
        values = json.loads(urlsafe_b64decode(token.encode() + b"=" * (-len(token) % 4)))
        if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
            raise ValueError("not a list of texts")
        if len(values) != 3 or values[0] != scope:
            raise ValueError("of another list")
    except ValueError:
        raise invalid("page_token", "page_token", "This page token is not of this list.") from None
    return values[1:]


def like_pattern(query: str) -> str:
    """A LIKE pattern that finds the text anywhere, whatever signs it holds."""
    escaped = query.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"%{escaped}%"

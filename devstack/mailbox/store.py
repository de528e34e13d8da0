"""The captured mails, in one SQLite file that survives restarts."""

import asyncio
import secrets
import sqlite3
import time
from dataclasses import dataclass
from pathlib import Path

from devstack.mailbox.mail import Mail

_SCHEMA = Path(__file__).with_name("schema.sql")
_SUMMARY = (
    "id, message_id, recipient, sender, subject, attachment_count, deliveries, received_at, last_received_at"
)
Row = sqlite3.Row


@dataclass(frozen=True)
class Search:
    """Which mails are wanted; empty fields do not matter. `to` is a whole address."""

    to: str = ""
    subject: str = ""
    query: str = ""
    after_id: int = 0

    @property
    def values(self) -> dict[str, object]:
        return {
            "to": self.to.strip().lower(),
            "subject": _contains(self.subject),
            "query": _contains(self.query),
            "after_id": self.after_id,
        }


_WHERE = (
    " WHERE id > :after_id AND (:to = '' OR recipient = :to) AND subject LIKE :subject ESCAPE '\\'"
    " AND (recipient LIKE :query ESCAPE '\\' OR sender LIKE :query ESCAPE '\\'"
    " OR subject LIKE :query ESCAPE '\\' OR text LIKE :query ESCAPE '\\')"
)


class Store:
    """Keeps each mail once per recipient and wakes whoever waits for one."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._connection = sqlite3.connect(path, isolation_level=None)
        self._connection.row_factory = sqlite3.Row
        self._connection.execute("PRAGMA journal_mode=WAL")
        self._connection.execute("PRAGMA synchronous=NORMAL")
        self._connection.execute("PRAGMA cache_size=-2000")
        self._connection.executescript(_SCHEMA.read_text())
        self._changed = asyncio.Condition()

    def close(self) -> None:
        self._connection.close()

    async def keep(self, raw: bytes, sender: str, recipients: list[str]) -> None:
        """Store a mail for each of its envelope recipients, in one transaction."""
        mail, now = Mail(raw), time.time()
        message_id = mail.header("Message-ID").strip()
        values = {
            "dedupe_key": message_id or secrets.token_hex(16),
            "message_id": message_id,
            "sender": mail.header("From") or sender,
            "subject": mail.header("Subject"),
            "text": mail.text,
            "attachment_count": len(mail.attachments),
            "raw": raw,
            "now": now,
        }
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            self._connection.executemany(
                "INSERT INTO messages (dedupe_key, message_id, recipient, sender, subject, text,"
                " attachment_count, raw, received_at, last_received_at) VALUES (:dedupe_key, :message_id,"
                " :recipient, :sender, :subject, :text, :attachment_count, :raw, :now, :now)"
                " ON CONFLICT (dedupe_key, recipient)"
                " DO UPDATE SET deliveries = deliveries + 1, last_received_at = excluded.received_at",
                [{**values, "recipient": recipient.lower()} for recipient in recipients],
            )
        except BaseException:
            self._connection.execute("ROLLBACK")
            raise
        self._connection.execute("COMMIT")
        async with self._changed:
            self._changed.notify_all()

    def count(self, search: Search) -> int:
        """How many mails match."""
        return int(
            self._connection.execute(f"SELECT count(*) FROM messages{_WHERE}", search.values).fetchone()[0]  # noqa: S608
        )

    def find(self, search: Search, *, limit: int) -> list[Row]:
        """Summaries, newest first."""
        statement = f"SELECT {_SUMMARY} FROM messages{_WHERE} ORDER BY id DESC LIMIT :limit"  # noqa: S608
        return self._connection.execute(statement, {**search.values, "limit": limit}).fetchall()

    async def wait_for(self, search: Search, *, count: int, timeout_seconds: float) -> None:
        """Return when at least `count` mails match, or after the timeout."""
        try:
            async with asyncio.timeout(timeout_seconds), self._changed:
                await self._changed.wait_for(lambda: self.count(search) >= count)
        except TimeoutError:
            return

    def get(self, number: int) -> Row | None:
        """One mail with its raw bytes."""
        statement = f"SELECT {_SUMMARY}, raw FROM messages WHERE id = ?"  # noqa: S608
        row: Row | None = self._connection.execute(statement, (number,)).fetchone()
        return row

    def clear(self) -> int:
        """Delete all mails; returns how many there were."""
        return self._connection.execute("DELETE FROM messages").rowcount


def _contains(text: str) -> str:
    escaped = text.strip().replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"%{escaped}%"

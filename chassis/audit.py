"""Who did what: an append-only log per organization in which every row's hash covers the row before it.

No change without its audit row: both are in one transaction. A changed, deleted, swapped or inserted row and
a cut tail break the chain. A superuser could rewrite a whole chain; only a copy of (seq, hash) kept
elsewhere shows that.
"""

import hashlib
import json
from datetime import datetime
from typing import Any

from sqlalchemy import text

from chassis.caller import current_call_or_none
from chassis.database import ReadTx, WriteTx
from chassis.wire import Statement, driver_sql

FLUSH_ORDER = 10
PAGE_SIZE = 1_000


def record(
    tx: WriteTx,
    action: str,
    object_id: str,
    *,
    before: bytes = b"",
    after: bytes = b"",
    reason: str = "",
) -> None:
    """Log an action such as "invoice.finalized" when the transaction commits.

    Of `before` and `after` only SHA-256 digests are kept, so that no personal data enters the log.
    """
    call = current_call_or_none()
    entry = {
        "at": tx.now().isoformat(),
        "actor": call.actor if call else "service:unknown",
        "action": action,
        "object_id": object_id,
        "request_id": call.request_id if call else "",
        "before": _digest(before),
        "after": _digest(after),
        "reason": reason,
    }
    tx.collect(FLUSH_ORDER, _flush, entry)


async def verify(tx: ReadTx) -> int | None:
    """The first sequence number at which the organization's chain is broken; None if it is whole.

    What is appended meanwhile does not disturb it.
    """
    head_seq, head_hash = await _head(tx)
    expected_seq, previous, at_head = 1, b"", b""
    while True:
        params = {"organization_id": tx.organization_id, "from": expected_seq, "limit": PAGE_SIZE}
        rows = (await tx.execute(_PAGE, params)).all()
        for row in rows:
            if row.seq != expected_seq or not _is_whole(row, previous):
                return expected_seq
            expected_seq, previous = expected_seq + 1, bytes(row.hash)
            if row.seq == head_seq:
                at_head = previous
        if len(rows) < PAGE_SIZE:
            break
    if at_head != head_hash:
        return min(head_seq + 1, expected_seq)
    if expected_seq - 1 > head_seq:
        head_seq, head_hash = await _head(tx)
        if head_seq < expected_seq - 1 or (head_seq == expected_seq - 1 and head_hash != previous):
            return min(head_seq + 1, expected_seq)
    return None


async def organizations(tx: ReadTx) -> list[str]:
    """Everybody who may have a chain here: whose events this database sent or received. In Database.transport()."""
    return [row.organization_id for row in await tx.execute(_ORGANIZATIONS)]


async def count_entries(tx: ReadTx) -> int:
    """How many entries the organization's chain has."""
    params = {"organization_id": tx.organization_id}
    return int((await tx.execute(_COUNT, params)).scalar_one())


async def _head(tx: ReadTx) -> tuple[int, bytes]:
    row = (await tx.execute(_HEAD, {"organization_id": tx.organization_id})).first()
    return (0, b"") if row is None else (row.seq, bytes(row.hash))


def _is_whole(row: Any, previous: bytes) -> bool:
    content = bytes(row.record)
    if bytes(row.prev_hash) != previous or bytes(row.hash) != hashlib.sha256(previous + content).digest():
        return False
    entry = json.loads(content)
    columns = (row.actor, row.action, row.object_id, row.request_id)
    kept = (entry["actor"], entry["action"], entry["object_id"], entry["request_id"])
    return columns == kept and row.at == datetime.fromisoformat(entry["at"])


def _flush(tx: WriteTx, entries: list[Any]) -> list[Statement]:
    """The organization's head row is locked from here to COMMIT."""
    params = {
        "organization_id": tx.organization_id,
        "count": len(entries),
        "at": tx.now(),
        "actors": [entry["actor"] for entry in entries],
        "actions": [entry["action"] for entry in entries],
        "object_ids": [entry["object_id"] for entry in entries],
        "request_ids": [entry["request_id"] for entry in entries],
        "records": [json.dumps(entry, sort_keys=True).encode() for entry in entries],
    }
    return [(_ENSURE_HEAD, {"organization_id": tx.organization_id}), (_APPEND, params)]


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest() if content else ""


_APPEND = driver_sql(
    text("""
    WITH RECURSIVE head AS MATERIALIZED (
        SELECT seq, hash FROM audit_heads WHERE organization_id = :organization_id FOR UPDATE
    ), new AS MATERIALIZED (
        SELECT * FROM unnest(
            CAST(:actors AS text[]), CAST(:actions AS text[]), CAST(:object_ids AS text[]),
            CAST(:request_ids AS text[]), CAST(:records AS bytea[])
        ) WITH ORDINALITY AS new (actor, action, object_id, request_id, record, position)
    ), chain AS (
        SELECT CAST(0 AS bigint) AS position, CAST('' AS bytea) AS prev_hash, hash FROM head
        UNION ALL
        SELECT new.position, chain.hash, sha256(chain.hash || new.record)
        FROM chain JOIN new ON new.position = chain.position + 1
    ), written AS (
        INSERT INTO audit_log (
            organization_id, seq, at, actor, action, object_id, request_id, record, prev_hash, hash
        )
        SELECT :organization_id, head.seq + position, :at, actor, action, object_id, request_id, record,
               chain.prev_hash, chain.hash
        FROM head, chain JOIN new USING (position)
    )
    UPDATE audit_heads SET seq = head.seq + :count, hash = chain.hash
    FROM head, chain
    WHERE audit_heads.organization_id = :organization_id AND chain.position = :count
""")
)
_ENSURE_HEAD = driver_sql(
    text(
        "INSERT INTO audit_heads (organization_id, seq, hash) VALUES (:organization_id, 0, '')"
        " ON CONFLICT DO NOTHING"
    )
)
_PAGE = text(
    "SELECT seq, at, actor, action, object_id, request_id, record, prev_hash, hash FROM audit_log"
    " WHERE organization_id = :organization_id AND seq >= :from ORDER BY seq LIMIT :limit"
)
_COUNT = text("SELECT count(*) FROM audit_log WHERE organization_id = :organization_id")
_ORGANIZATIONS = text(
    "SELECT organization_id FROM outbox_counters UNION SELECT organization_id FROM inbox_positions ORDER BY 1"
)
_HEAD = text("SELECT seq, hash FROM audit_heads WHERE organization_id = :organization_id")

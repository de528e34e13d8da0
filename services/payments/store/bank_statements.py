"""Statements and their lines. What is known already is never written twice."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Row, text

from chassis.database import ReadTx, WriteTx
from chassis.ids import new_id
from chassis.money import Money
from services.payments.domain.bank_statement import (
    BankFileFormat,
    Entry,
    Identity,
    Kept,
    Known,
    StatementLine,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptStatement:
    """A statement as lists show it; its id is empty when nothing was kept."""

    bank_statement_id: str
    bank_account_id: str
    account_identification: str
    statement_reference: str
    from_day: date | None
    to_day: date | None
    opening: Money | None
    closing: Money | None
    lines: int
    unmatched_lines: int
    imported_at: datetime | None
    gap_before: Money | None = None
    """Opening balance less the closing balance of the statement before, when one in between is missing."""


@dataclass(frozen=True, slots=True)
class Source:
    """Where a statement came from."""

    file_name: str
    format: BankFileFormat
    imported_by: str


async def find_by_digest(tx: ReadTx, bank_account_id: str, digest: bytes) -> str | None:
    """The id of the very same statement, if it is there already."""
    params = {"organization_id": tx.organization_id, "bank_account_id": bank_account_id, "digest": digest}
    found = (await tx.execute(_FIND_BY_DIGEST, params)).scalar_one_or_none()
    return None if found is None else str(found)


async def known_entries(tx: ReadTx, bank_account_id: str, keys: Sequence[bytes]) -> set[Identity]:
    """Which entries with these keys are there already."""
    params = {"organization_id": tx.organization_id, "bank_account_id": bank_account_id, "keys": list(keys)}
    rows = await tx.execute(_KNOWN, params)
    return {Identity(bytes(row.content_key), row.occurrence) for row in rows}


async def kept_alike(tx: ReadTx, bank_account_id: str, entries: Sequence[Entry]) -> list[Kept]:
    """Entries of one line that are there, with the days and sums of these."""
    lines = [entry.lines[0] for entry in entries]
    params = {
        "organization_id": tx.organization_id,
        "bank_account_id": bank_account_id,
        "days": sorted({line.booked_on for line in lines}),
        "amounts": sorted({line.amount.minor_units for line in lines}),
    }
    return [
        Kept(
            identity=Identity(bytes(row.content_key), row.occurrence),
            booked_on=row.booked_on,
            amount=Money(row.amount_minor_units, row.currency),
            bank_reference=row.bank_reference,
            end_to_end_id=row.end_to_end_id,
            counterparty_name=row.counterparty_name,
            remittance_text=row.remittance_text,
        )
        for row in await tx.execute(_ALIKE, params)
    ]


async def counted_before(
    tx: ReadTx, bank_account_id: str, known: Known, keys: Sequence[bytes]
) -> Mapping[bytes, int]:
    """How often equal entries stand in the statements of the same day which this one goes on from.

    It goes on from one whose closing balance is its opening balance: its entries are new, however equal.
    """
    statement = known.statement
    first_day, _ = statement.days()
    if statement.opening is None or first_day is None:
        return {}
    params = {
        "organization_id": tx.organization_id,
        "bank_account_id": bank_account_id,
        "opening": statement.opening.minor_units,
        "day": min((line.booked_on for line in statement.lines), default=first_day),
        "digest": known.digest,
        "keys": list(keys),
    }
    return {bytes(row.content_key): int(row.n) for row in await tx.execute(_COUNTED_BEFORE, params)}


async def insert(tx: WriteTx, bank_account_id: str, known: Known, source: Source) -> str:
    """Write a statement without its lines; returns its id."""
    bank_statement_id, statement = new_id("bst"), known.statement
    from_day, to_day = statement.days()
    params = {
        "organization_id": tx.organization_id,
        "bank_statement_id": bank_statement_id,
        "bank_account_id": bank_account_id,
        "account_identification": statement.account_identification,
        "statement_reference": statement.reference,
        "format": source.format.value,
        "file_name": source.file_name,
        "currency": statement.currency,
        "from_day": from_day,
        "to_day": to_day,
        "opening": statement.opening.minor_units if statement.opening else None,
        "closing": statement.closing.minor_units if statement.closing else None,
        "line_count": len(statement.lines),
        "digest": known.digest,
        "now": tx.now(),
        "imported_by": source.imported_by,
    }
    await tx.execute(_INSERT, params)
    return bank_statement_id


async def insert_entries(
    tx: WriteTx, bank_account_id: str, bank_statement_id: str, entries: Sequence[Entry]
) -> list[str]:
    """Write the lines of new entries; returns the ids of those that matching may look at."""
    rows = [
        _line_row(entry.identity, part, line) for entry in entries for part, line in enumerate(entry.lines)
    ]
    if not rows:
        return []
    params = {
        "organization_id": tx.organization_id,
        "bank_account_id": bank_account_id,
        "bank_statement_id": bank_statement_id,
        "rows": json.dumps(rows),
    }
    await tx.execute(_INSERT_LINES, params)
    return [row["bank_line_id"] for row in rows if row["status"] != "ignored"]


async def load(tx: ReadTx, bank_statement_id: str) -> KeptStatement:
    """One statement that is there."""
    params = {"organization_id": tx.organization_id, "bank_statement_id": bank_statement_id}
    return _kept((await tx.execute(_LOAD, params)).one())


async def page(
    tx: ReadTx, *, bank_account_id: str, after: tuple[datetime, str] | None, limit: int
) -> list[KeptStatement]:
    """At most `limit` statements below a position, the newest imported first; of all accounts if none is named."""
    params = {
        "organization_id": tx.organization_id,
        "bank_account_id": bank_account_id,
        "imported_at": after[0] if after else None,
        "bank_statement_id": after[1] if after else "",
        "limit": limit,
    }
    return [_kept(row) for row in await tx.execute(_PAGE, params)]


def _line_row(identity: Identity, part: int, line: StatementLine) -> dict[str, Any]:
    units = line.amount.minor_units
    return {
        "bank_line_id": new_id("bln"),
        "position": line.line_number,
        "booked_on": line.booked_on.isoformat(),
        "value_on": line.value_on.isoformat() if line.value_on else None,
        "amount_minor_units": units,
        "currency": line.amount.currency,
        "counterparty_name": line.counterparty_name,
        "counterparty_account": line.counterparty_account,
        "remittance_text": line.remittance_text,
        "structured_reference": line.structured_reference,
        "end_to_end_id": line.end_to_end_id,
        "bank_reference": line.bank_reference,
        "content_key": identity.content_key.hex(),
        "occurrence": identity.occurrence,
        "part": part,
        "status": "unmatched" if units > 0 else "outgoing" if units < 0 else "ignored",
        "note": "" if units else "No money moved.",
    }


def _kept(row: Row[Any]) -> KeptStatement:
    def money(units: int | None) -> Money | None:
        return None if units is None else Money(units, row.currency)

    return KeptStatement(
        bank_statement_id=row.bank_statement_id,
        bank_account_id=row.bank_account_id,
        account_identification=row.account_identification,
        statement_reference=row.statement_reference,
        from_day=row.from_day,
        to_day=row.to_day,
        opening=money(row.opening_minor_units),
        closing=money(row.closing_minor_units),
        lines=row.line_count,
        unmatched_lines=row.unmatched_lines,
        imported_at=row.imported_at,
        gap_before=money(row.gap_before),
    )


_FIND_BY_DIGEST = text(
    "SELECT bank_statement_id FROM bank_statements WHERE organization_id = :organization_id"
    " AND bank_account_id = :bank_account_id AND digest = :digest"
)
_KNOWN = text(
    "SELECT content_key, occurrence FROM bank_lines WHERE organization_id = :organization_id"
    " AND bank_account_id = :bank_account_id AND content_key = ANY(:keys) AND part = 0"
)
_ALIKE = text("""
    SELECT l.* FROM bank_lines l
    WHERE l.organization_id = :organization_id AND l.bank_account_id = :bank_account_id AND l.part = 0
        AND l.booked_on = ANY(CAST(:days AS date[])) AND l.amount_minor_units = ANY(CAST(:amounts AS bigint[]))
        AND NOT EXISTS (
            SELECT FROM bank_lines o
            WHERE o.organization_id = l.organization_id AND o.bank_account_id = l.bank_account_id
                AND o.content_key = l.content_key AND o.occurrence = l.occurrence AND o.part = 1
        )
    ORDER BY l.booked_on, l.bank_line_id
""")
_COUNTED_BEFORE = text("""
    WITH RECURSIVE before AS (
        SELECT bank_statement_id, opening_minor_units, 1 AS depth FROM bank_statements
        WHERE organization_id = :organization_id AND bank_account_id = :bank_account_id AND to_day = :day
            AND closing_minor_units = :opening AND opening_minor_units <> closing_minor_units AND digest <> :digest
        UNION
        SELECT s.bank_statement_id, s.opening_minor_units, before.depth + 1
        FROM bank_statements s JOIN before ON s.closing_minor_units = before.opening_minor_units
        WHERE s.organization_id = :organization_id AND s.bank_account_id = :bank_account_id AND s.to_day = :day
            AND s.opening_minor_units <> s.closing_minor_units AND before.depth < 20
    )
    SELECT l.content_key, max(l.occurrence) AS n FROM bank_lines l
    WHERE l.organization_id = :organization_id AND l.bank_statement_id IN (SELECT bank_statement_id FROM before)
        AND l.content_key = ANY(:keys)
    GROUP BY l.content_key
""")
_INSERT = text("""
    INSERT INTO bank_statements (
        organization_id, bank_statement_id, bank_account_id, account_identification, statement_reference, format,
        file_name, currency, from_day, to_day, opening_minor_units, closing_minor_units, line_count, digest,
        imported_at, imported_by
    ) VALUES (
        :organization_id, :bank_statement_id, :bank_account_id, :account_identification, :statement_reference,
        :format, :file_name, :currency, :from_day, :to_day, :opening, :closing, :line_count, :digest,
        :now, :imported_by
    )
""")
_INSERT_LINES = text("""
    INSERT INTO bank_lines (
        organization_id, bank_account_id, bank_statement_id, bank_line_id, position, booked_on, value_on,
        amount_minor_units, currency, counterparty_name, counterparty_account, remittance_text,
        structured_reference, end_to_end_id, bank_reference, content_key, occurrence, part, status, note
    )
    SELECT :organization_id, :bank_account_id, :bank_statement_id, r.bank_line_id, r.position, r.booked_on, r.value_on,
        r.amount_minor_units, r.currency, r.counterparty_name, r.counterparty_account, r.remittance_text,
        r.structured_reference, r.end_to_end_id, r.bank_reference, decode(r.content_key, 'hex'), r.occurrence,
        r.part, r.status, r.note
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS r (
        bank_line_id text, position integer, booked_on date, value_on date, amount_minor_units bigint,
        currency text, counterparty_name text, counterparty_account text, remittance_text text,
        structured_reference text, end_to_end_id text, bank_reference text, content_key text,
        occurrence integer, part integer, status text, note text
    )
""")
_COLUMNS = """
    SELECT s.*, (
        SELECT count(*) FROM bank_lines l WHERE l.organization_id = s.organization_id
            AND l.bank_statement_id = s.bank_statement_id AND l.status = 'unmatched'
    ) AS unmatched_lines, s.opening_minor_units - before.closing_minor_units AS gap_before
    FROM bank_statements s
    LEFT JOIN LATERAL (
        SELECT b.closing_minor_units, b.to_day FROM bank_statements b
        WHERE b.organization_id = s.organization_id AND b.bank_account_id = s.bank_account_id
            AND b.to_day <= s.from_day AND b.from_day < s.from_day AND b.closing_minor_units IS NOT NULL
        ORDER BY b.to_day DESC, b.from_day DESC, b.imported_at DESC, b.bank_statement_id DESC LIMIT 1
    ) before ON NOT EXISTS (
        SELECT FROM bank_statements o
        WHERE o.organization_id = s.organization_id AND o.bank_account_id = s.bank_account_id
            AND o.bank_statement_id <> s.bank_statement_id AND o.to_day >= before.to_day
            AND (
                (o.closing_minor_units = s.opening_minor_units AND o.to_day <= s.to_day)
                OR (o.from_day < s.from_day AND o.to_day > s.from_day)
            )
    )
"""
_LOAD = text(
    f"{_COLUMNS} WHERE s.organization_id = :organization_id AND s.bank_statement_id = :bank_statement_id"
)
_PAGE = text(f"""
    {_COLUMNS}
    WHERE s.organization_id = :organization_id
        AND (:bank_account_id = '' OR s.bank_account_id = :bank_account_id)
        AND (
            CAST(:imported_at AS timestamptz) IS NULL
            OR (s.imported_at, s.bank_statement_id) < (CAST(:imported_at AS timestamptz), :bank_statement_id)
        )
    ORDER BY s.imported_at DESC, s.bank_statement_id DESC LIMIT :limit
""")

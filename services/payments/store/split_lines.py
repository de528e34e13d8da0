"""Bank lines that others stand for, and those others."""

from collections.abc import Mapping

from sqlalchemy import text

from chassis.database import WriteTx
from chassis.money import Money
from services.payments.domain.bank_line import JOINED, BankLine
from services.payments.store import line_matches

FIRST_PART = 1_000_000
"""Parts of a line are counted from here: below are the positions of entries within a bank's batch."""


async def supersede(tx: WriteTx, bank_line_id: str, *, by: str) -> None:
    """Let a line, locked before, stand for nothing itself."""
    await tx.execute(_SUPERSEDE, {**_of(tx, bank_line_id), "by": by})


async def insert_parts(tx: WriteTx, bank_line_id: str, parts: Mapping[str, Money]) -> None:
    """Write lines like this one with other amounts, by their ids."""
    params = _of(tx, bank_line_id) | {
        "ids": list(parts),
        "amounts": [amount.minor_units for amount in parts.values()],
        "first": FIRST_PART,
    }
    await tx.execute(_INSERT, params)


async def lock_parts(tx: WriteTx, bank_line_id: str) -> list[BankLine]:
    """What a line was split into last; nobody matches it until this transaction ends."""
    rows = await tx.execute(_PARTS, _of(tx, bank_line_id))
    return [await line_matches.lock(tx, row.bank_line_id) for row in rows]


async def join(tx: WriteTx, bank_line_id: str, *, by: str) -> None:
    """Let the line wait again, and its parts, locked before, stand for nothing."""
    await tx.execute(_JOIN, {**_of(tx, bank_line_id), "by": by})
    await tx.execute(_WAIT, _of(tx, bank_line_id))


def _of(tx: WriteTx, bank_line_id: str) -> dict[str, object]:
    return {
        "organization_id": tx.organization_id,
        "bank_line_id": bank_line_id,
        "now": tx.now(),
        "joined": JOINED,
    }


_ONE = "organization_id = :organization_id AND bank_line_id = :bank_line_id"
_SUPERSEDE = text(
    "UPDATE bank_lines SET status = 'ignored', superseded = true, matched_by = :by, matched_at = :now,"  # noqa: S608
    f" note = '', assignee = '', version = version + 1 WHERE {_ONE}"
)
_INSERT = text("""
    INSERT INTO bank_lines (
        organization_id, bank_account_id, bank_statement_id, bank_line_id, position, booked_on, value_on,
        amount_minor_units, currency, counterparty_name, counterparty_account, remittance_text,
        structured_reference, end_to_end_id, bank_reference, content_key, occurrence, part, status, note, split_from
    )
    SELECT b.organization_id, b.bank_account_id, b.bank_statement_id, given.id, b.position, b.booked_on, b.value_on,
        given.amount, b.currency, b.counterparty_name, b.counterparty_account, b.remittance_text,
        b.structured_reference, b.end_to_end_id, b.bank_reference, b.content_key, b.occurrence,
        (SELECT greatest(:first, max(o.part) + 1) FROM bank_lines o WHERE o.organization_id = b.organization_id
            AND o.bank_account_id = b.bank_account_id AND o.content_key = b.content_key
            AND o.occurrence = b.occurrence) + given.at - 1,
        'unmatched', '', b.bank_line_id
    FROM bank_lines b, unnest(CAST(:ids AS text[]), CAST(:amounts AS bigint[])) WITH ORDINALITY
        AS given (id, amount, at)
    WHERE b.organization_id = :organization_id AND b.bank_line_id = :bank_line_id
""")
_PARTS = text(
    "SELECT bank_line_id FROM bank_lines WHERE organization_id = :organization_id AND split_from = :bank_line_id"
    " AND NOT (superseded AND note = :joined) ORDER BY bank_line_id"
)
_JOIN = text(
    "UPDATE bank_lines SET status = 'ignored', superseded = true, matched_by = :by, matched_at = :now,"
    " note = :joined, version = version + 1"
    " WHERE organization_id = :organization_id AND split_from = :bank_line_id AND NOT superseded"
)
_WAIT = text(
    "UPDATE bank_lines SET status = 'unmatched', superseded = false, matched_by = '', matched_at = NULL,"  # noqa: S608
    f" version = version + 1 WHERE {_ONE}"
)

"""Disputes, their steps and files, and what they come to on invoices."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from sqlalchemy import Row, insert, select, text, update
from sqlalchemy.dialects.postgresql import insert as upsert

from chassis.database import ReadTx, WriteTx
from chassis.errors import invalid, not_found
from chassis.money import Money
from services.invoicing.domain.dispute import (
    Dispute,
    DisputedLine,
    DisputePolicy,
    DisputeReason,
    DisputeState,
    Side,
    Step,
)
from services.invoicing.domain.evidence import Evidence
from services.invoicing.store.pages import decode_page_token, page_of
from services.invoicing.store.rows import insert_rows
from services.invoicing.tables.disputes import dispute_entries, dispute_evidence, dispute_policies, disputes

_SCOPE = "disputes"


@dataclass(frozen=True, slots=True)
class Entry:
    """A step of a dispute."""

    entry_no: int
    step: Step
    side: Side
    author_name: str
    text: str
    created_at: datetime


async def insert_disputes(tx: WriteTx, new: Sequence[Dispute]) -> None:
    """Add disputes."""
    await insert_rows(tx, disputes, [_values(one) for one in new])


async def update_dispute(tx: WriteTx, dispute: Dispute) -> None:
    """Write a dispute that was locked."""
    await tx.execute(
        update(disputes)
        .where(disputes.c.organization_id == tx.organization_id)
        .where(disputes.c.dispute_id == dispute.dispute_id)
        .values(**_values(dispute))
    )


async def get_dispute(tx: ReadTx, dispute_id: str) -> Dispute:
    """A dispute; DISPUTE_NOT_FOUND."""
    return await _one(tx, dispute_id, is_locking=False)


async def lock_dispute(tx: WriteTx, dispute_id: str) -> Dispute:
    """A dispute that nobody else changes meanwhile; DISPUTE_NOT_FOUND. Its invoice, if at all, is locked before."""
    return await _one(tx, dispute_id, is_locking=True)


async def _one(tx: ReadTx, dispute_id: str, *, is_locking: bool) -> Dispute:
    query = select(disputes).where(
        disputes.c.organization_id == tx.organization_id, disputes.c.dispute_id == dispute_id
    )
    row = (await tx.execute(query.with_for_update() if is_locking else query)).first()
    if row is None:
        raise not_found("dispute")
    return _dispute(row)


async def lock_open_disputes(tx: WriteTx, invoice_id: str) -> list[Dispute]:
    """Those of a locked invoice that are open, the oldest first."""
    query = (
        select(disputes)
        .where(disputes.c.organization_id == tx.organization_id, disputes.c.invoice_id == invoice_id)
        .where(disputes.c.state == DisputeState.OPEN.value)
        .order_by(disputes.c.opened_at, disputes.c.dispute_id)
        .with_for_update()
    )
    return [_dispute(row) for row in await tx.execute(query)]


async def sum_up(tx: WriteTx, invoice_id: str) -> None:
    """Write what the open disputes of a locked invoice come to; it counts as a change of the invoice."""
    await tx.execute(_SUM_UP, {"organization_id": tx.organization_id, "invoice_id": invoice_id})


async def add_entry(
    tx: WriteTx, dispute: Dispute, step: Step, side: Side, *, author_name: str, words: str
) -> None:
    """Add a step to a locked dispute."""
    params = {
        "organization_id": tx.organization_id, "dispute_id": dispute.dispute_id, "step": step.value,
        "side": side.value, "author_name": author_name, "text": words, "created_at": tx.now(),
    }  # fmt: skip
    await tx.execute(_ADD_ENTRY, params)


async def entries_of(tx: ReadTx, dispute_id: str) -> list[Entry]:
    """What happened, the oldest first."""
    query = (
        select(dispute_entries)
        .where(dispute_entries.c.organization_id == tx.organization_id)
        .where(dispute_entries.c.dispute_id == dispute_id)
        .order_by(dispute_entries.c.entry_no)
    )
    return [
        Entry(row.entry_no, Step(row.step), Side(row.side), row.author_name, row.text, row.created_at)
        for row in await tx.execute(query)
    ]


async def insert_evidence(tx: WriteTx, dispute_id: str, file: Evidence, content: bytes) -> None:
    """Add a file."""
    await tx.execute(
        insert(dispute_evidence).values(
            organization_id=tx.organization_id, dispute_id=dispute_id, evidence_id=file.evidence_id,
            file_name=file.file_name, media_type=file.media_type, size_bytes=file.size_bytes, content=content,
            side=file.side.value, created_at=file.created_at,
        )
    )  # fmt: skip


async def evidence_of(tx: ReadTx, dispute_id: str) -> list[Evidence]:
    """Files without content, the oldest first."""
    table = dispute_evidence.c
    query = (
        select(
            table.evidence_id,
            table.file_name,
            table.media_type,
            table.size_bytes,
            table.side,
            table.created_at,
        )
        .where(table.organization_id == tx.organization_id, table.dispute_id == dispute_id)
        .order_by(table.created_at, table.evidence_id)
    )
    return [_evidence(row) for row in await tx.execute(query)]


async def get_evidence(tx: ReadTx, dispute_id: str, evidence_id: str) -> tuple[Evidence, bytes]:
    """A file with its content; EVIDENCE_NOT_FOUND."""
    query = select(dispute_evidence).where(
        dispute_evidence.c.organization_id == tx.organization_id,
        dispute_evidence.c.dispute_id == dispute_id,
        dispute_evidence.c.evidence_id == evidence_id,
    )
    row = (await tx.execute(query)).first()
    if row is None:
        raise not_found("evidence")
    return _evidence(row), bytes(row.content)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which disputes; an empty text means all."""

    customer_id: str = ""
    invoice_id: str = ""
    owner_id: str = ""
    only_open: bool = False


@dataclass(frozen=True, slots=True)
class Listed:
    """A dispute with what a list says besides."""

    dispute: Dispute
    invoice_number: str
    customer_name: str
    undisputed_due: Money


async def list_disputes(
    tx: ReadTx, wanted: Wanted, *, page_size: int, page_token: str
) -> tuple[list[Listed], str]:
    """A page: open ones by the day they are to be resolved, then closed ones; and the token of the next page."""
    after = decode_page_token(page_token, _SCOPE)
    params = {
        **_params(tx, wanted), "limit": page_size + 1,
        "after_rank": _rank(after[0]) if after else None, "after_id": after[1] if after else "",
    }  # fmt: skip
    rows = list(await tx.execute(_PAGE, params))
    rows, token = page_of(rows, page_size, _SCOPE, lambda last: (str(last.rank), last.dispute_id))
    return [_listed(row) for row in rows], token


async def get_listed(tx: ReadTx, dispute_id: str) -> Listed:
    """One as in a list; DISPUTE_NOT_FOUND."""
    params = {"organization_id": tx.organization_id, "dispute_id": dispute_id}
    row = (await tx.execute(_LISTED, params)).first()
    if row is None:
        raise not_found("dispute")
    return _listed(row)


async def count_open(tx: ReadTx, wanted: Wanted) -> tuple[int, int]:
    """How many are open, and how many of those are escalated or late."""
    row = (await tx.execute(_COUNT, {**_params(tx, wanted), "now": tx.now()})).one()
    return row.open, row.late


async def awake_disputes(tx: ReadTx, *, limit: int) -> list[tuple[str, str]]:
    """Organization and id of those that are to be looked at now, of all organizations in the sweep."""
    rows = await tx.execute(_AWAKE, {"now": tx.now(), "limit": limit})
    return [(row.organization_id, row.dispute_id) for row in rows]


async def get_policy(tx: ReadTx) -> DisputePolicy:
    """How soon disputes are dealt with."""
    query = select(dispute_policies).where(dispute_policies.c.organization_id == tx.organization_id)
    row = (await tx.execute(query)).first()
    return DisputePolicy() if row is None else DisputePolicy(row.answer_within_hours, row.resolve_within_days)


async def put_policy(tx: WriteTx, policy: DisputePolicy) -> None:
    """Write it."""
    values: dict[str, Any] = {
        "answer_within_hours": policy.answer_within_hours,
        "resolve_within_days": policy.resolve_within_days,
        "changed_at": tx.now(),
    }
    await tx.execute(
        upsert(dispute_policies)
        .values(organization_id=tx.organization_id, **values)
        .on_conflict_do_update(index_elements=["organization_id"], set_=values)
    )


def _params(tx: ReadTx, wanted: Wanted) -> Mapping[str, Any]:
    return {
        "organization_id": tx.organization_id, "customer_id": wanted.customer_id,
        "invoice_id": wanted.invoice_id, "owner_id": wanted.owner_id, "only_open": wanted.only_open,
    }  # fmt: skip


def _rank(token: str) -> Decimal:
    try:
        return Decimal(token)
    except InvalidOperation:
        raise invalid("page_token", "page_token", "This page token is not of this list.") from None


def _listed(row: Row[Any]) -> Listed:
    return Listed(
        _dispute(row), row.invoice_number or "", row.customer_name,
        Money(max(0, row.undisputed_minor_units), row.currency),
    )  # fmt: skip


def _evidence(row: Row[Any]) -> Evidence:
    return Evidence(
        row.evidence_id, row.file_name, row.media_type, row.size_bytes, Side(row.side), row.created_at
    )


def _values(one: Dispute) -> dict[str, Any]:
    return {
        "dispute_id": one.dispute_id,
        "invoice_id": one.invoice_id,
        "customer_id": one.customer_id,
        "currency": one.amount.currency,
        "amount_minor_units": one.amount.minor_units,
        "lines": [
            {
                "line_no": line.line_no,
                "minor_units": line.amount.minor_units if line.amount else None,
                "description": line.description,
            }
            for line in one.lines
        ],
        "reason": one.reason.value,
        "text": one.text,
        "state": one.state.value,
        "opened_by": one.opened_by.value,
        "opened_by_name": one.opened_by_name,
        "imported": one.imported,
        "opened_at": one.opened_at,
        "answer_due_at": one.answer_due_at,
        "resolve_due_at": one.resolve_due_at,
        "answered_at": one.answered_at,
        "escalated_at": one.escalated_at,
        "wake_at": one.next_wake(),
        "owner_id": one.owner_id,
        "owner_name": one.owner_name,
        "closed_at": one.closed_at,
        "resolution": one.resolution,
        "credited_minor_units": one.credited.minor_units,
        "credit_note_id": one.credit_note_id,
        "event_version": one.event_version,
    }


def _dispute(row: Row[Any]) -> Dispute:
    currency = row.currency
    return Dispute(
        dispute_id=row.dispute_id,
        invoice_id=row.invoice_id,
        customer_id=row.customer_id,
        amount=Money(row.amount_minor_units, currency),
        lines=tuple(
            DisputedLine(
                one["line_no"],
                None if one["minor_units"] is None else Money(one["minor_units"], currency),
                one["description"],
            )
            for one in row.lines
        ),
        reason=DisputeReason(row.reason),
        text=row.text,
        state=DisputeState(row.state),
        opened_by=Side(row.opened_by),
        opened_by_name=row.opened_by_name,
        imported=row.imported,
        opened_at=row.opened_at,
        answer_due_at=row.answer_due_at,
        resolve_due_at=row.resolve_due_at,
        answered_at=row.answered_at,
        escalated_at=row.escalated_at,
        owner_id=row.owner_id,
        owner_name=row.owner_name,
        closed_at=row.closed_at,
        resolution=row.resolution,
        credited=Money(row.credited_minor_units, currency),
        credit_note_id=row.credit_note_id,
        event_version=row.event_version,
    )


_SUM_UP = text("""
    UPDATE invoices SET disputed_minor_units = found.disputed, disputed = found.disputed > 0, version = version + 1
    FROM (
        SELECT coalesce(sum(amount_minor_units), 0) AS disputed FROM disputes
        WHERE organization_id = :organization_id AND invoice_id = :invoice_id AND state = 'open'
    ) AS found
    WHERE invoices.organization_id = :organization_id AND invoices.invoice_id = :invoice_id
""")
_ADD_ENTRY = text("""
    INSERT INTO dispute_entries (
        organization_id, dispute_id, entry_no, step, side, author_name, text, created_at
    )
    SELECT :organization_id, :dispute_id, coalesce(max(entry_no), 0) + 1, :step, :side, :author_name, :text,
        :created_at
    FROM dispute_entries WHERE organization_id = :organization_id AND dispute_id = :dispute_id
""")
_VIEW = """
    SELECT disputes.*, invoices.number AS invoice_number, customers.name AS customer_name,
        invoices.total_minor_units - invoices.paid_minor_units - invoices.credited_minor_units
            - invoices.reserved_minor_units
            - least(invoices.disputed_minor_units,
                    invoices.total_minor_units - invoices.paid_minor_units - invoices.credited_minor_units)
        AS undisputed_minor_units,
        CASE WHEN state = 'open' THEN extract(epoch FROM resolve_due_at)
             ELSE 100000000000 - extract(epoch FROM opened_at) END AS rank
    FROM disputes
    JOIN invoices USING (organization_id, invoice_id)
    JOIN customers ON customers.organization_id = disputes.organization_id
        AND customers.customer_id = disputes.customer_id
    WHERE disputes.organization_id = :organization_id
"""
_MATCHING = """
    AND (:customer_id = '' OR disputes.customer_id = :customer_id)
    AND (:invoice_id = '' OR disputes.invoice_id = :invoice_id)
    AND (:owner_id = '' OR disputes.owner_id = :owner_id)
"""
_LISTED = text(_VIEW + " AND disputes.dispute_id = :dispute_id")
_PAGE = text(
    f"SELECT * FROM ({_VIEW}{_MATCHING}) AS found"  # noqa: S608 - our own texts
    " WHERE (NOT :only_open OR state = 'open')"
    " AND (CAST(:after_rank AS numeric) IS NULL OR (rank, dispute_id) > (:after_rank, :after_id))"
    " ORDER BY rank, dispute_id LIMIT :limit"
)
_COUNT = text(
    "SELECT count(*) AS open,"  # noqa: S608 - our own texts
    " count(*) FILTER (WHERE escalated_at IS NOT NULL OR resolve_due_at < :now"
    " OR (answered_at IS NULL AND answer_due_at < :now)) AS late"
    f" FROM disputes WHERE organization_id = :organization_id AND state = 'open' {_MATCHING}"
)
_AWAKE = text("""
    SELECT organization_id, dispute_id FROM disputes
    WHERE wake_at IS NOT NULL AND wake_at <= :now
    ORDER BY wake_at, dispute_id LIMIT :limit
""")

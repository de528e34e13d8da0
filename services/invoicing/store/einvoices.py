"""Where e-invoices stand, and what was reported of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, func, select, text, update
from sqlalchemy.dialects.postgresql import insert

from chassis.database import ReadTx, WriteTx
from services.invoicing.domain.einvoice_status import Clarification, Code, EInvoice, Status
from services.invoicing.store.pages import decode_page_token, moment_of, page_of
from services.invoicing.tables.einvoices import einvoice_statuses, einvoices

_SCOPE = "einvoices"


@dataclass(frozen=True, slots=True)
class SentDocument:
    """An invoice or credit note that is final; for an invoice, `document_id` and `invoice_id` are the same."""

    document_id: str
    number: str
    invoice_id: str
    customer_id: str


async def find_document(tx: ReadTx, document: str) -> SentDocument | None:
    """By id or number; None for what does not exist or is a draft."""
    params = {"organization_id": tx.organization_id, "document": document}
    row = (await tx.execute(_DOCUMENT, params)).first()
    if row is None:
        return None
    return SentDocument(row.document_id, row.number, row.invoice_id, row.customer_id)


async def claim_status(tx: WriteTx, document_id: str, status: Status) -> bool:
    """Keep a report; False when its external id is known. Who reports it at the same time waits."""
    statement = (
        insert(einvoice_statuses)
        .values(
            organization_id=tx.organization_id, document_id=document_id, external_id=status.external_id,
            code=status.code.value, occurred_at=status.occurred_at, reported_at=status.reported_at,
            reasons=_plain(status.reasons), actions=_plain(status.actions), network=status.network,
            recipient=status.recipient, reported_by_name=status.reported_by_name,
        )
        .on_conflict_do_nothing()
        .returning(einvoice_statuses.c.external_id)
    )  # fmt: skip
    return (await tx.execute(statement)).first() is not None


async def get_status(tx: ReadTx, external_id: str) -> tuple[str, Status]:
    """(document, report) of a known external id."""
    query = select(einvoice_statuses).where(
        einvoice_statuses.c.organization_id == tx.organization_id,
        einvoice_statuses.c.external_id == external_id,
    )
    row = (await tx.execute(query)).one()
    return row.document_id, _status(row)


async def statuses_of(tx: ReadTx, document_id: str) -> list[Status]:
    """All that was reported, by when it was said, the oldest first."""
    query = (
        select(einvoice_statuses)
        .where(einvoice_statuses.c.organization_id == tx.organization_id)
        .where(einvoice_statuses.c.document_id == document_id)
        .order_by(einvoice_statuses.c.occurred_at, einvoice_statuses.c.reported_at)
    )
    return [_status(row) for row in await tx.execute(query)]


async def get_einvoice(tx: ReadTx, document_id: str) -> EInvoice | None:
    """None while nothing was reported."""
    row = (await tx.execute(_of(tx, document_id))).first()
    return None if row is None else _einvoice(row)


async def lock_einvoice(tx: WriteTx, document_id: str) -> EInvoice | None:
    """The same, changed by nobody else meanwhile."""
    row = (await tx.execute(_of(tx, document_id).with_for_update())).first()
    return None if row is None else _einvoice(row)


async def insert_einvoice(tx: WriteTx, einvoice: EInvoice) -> bool:
    """Add the first state; False when somebody else just did."""
    statement = (
        insert(einvoices)
        .values(organization_id=tx.organization_id, **_values(einvoice))
        .on_conflict_do_nothing()
        .returning(einvoices.c.einvoice_id)
    )
    return (await tx.execute(statement)).first() is not None


async def update_einvoice(tx: WriteTx, einvoice: EInvoice) -> None:
    """Write one that was locked."""
    await tx.execute(
        update(einvoices)
        .where(einvoices.c.organization_id == tx.organization_id)
        .where(einvoices.c.einvoice_id == einvoice.einvoice_id)
        .values(**_values(einvoice))
    )


async def waits_for_staff(tx: ReadTx, invoice_id: str) -> bool:
    """Whether the invoice's own e-invoice was rejected or queried, and nobody decided."""
    found = await get_einvoice(tx, invoice_id)
    return found is not None and found.waits


async def list_einvoices(
    tx: ReadTx, *, waiting: bool, page_size: int, page_token: str
) -> tuple[list[tuple[EInvoice, Status]], str]:
    """A page with the report that counts, the latest news first, and the token of the next one."""
    after = decode_page_token(page_token, _SCOPE)
    params = {
        "organization_id": tx.organization_id, "waiting": waiting,
        "before": moment_of(after[0]) if after else None, "before_id": after[1] if after else "",
        "limit": page_size + 1,
    }  # fmt: skip
    rows = list(await tx.execute(_PAGE, params))
    rows, token = page_of(
        rows, page_size, _SCOPE, lambda last: (last.occurred_at.isoformat(), last.einvoice_id)
    )
    last = await _statuses(tx, [row.last_external_id for row in rows])
    return [(_einvoice(row), last[row.last_external_id]) for row in rows], token


async def count_waiting(tx: ReadTx) -> int:
    """How many wait for staff."""
    return int((await tx.execute(_COUNT, {"organization_id": tx.organization_id})).scalar_one())


def _of(tx: ReadTx, document_id: str) -> Any:
    return select(einvoices).where(
        einvoices.c.organization_id == tx.organization_id, einvoices.c.document_id == document_id
    )


async def _statuses(tx: ReadTx, external_ids: Sequence[str]) -> dict[str, Status]:
    query = (
        select(einvoice_statuses)
        .where(einvoice_statuses.c.organization_id == tx.organization_id)
        .where(einvoice_statuses.c.external_id == func.any(list(external_ids)))
    )
    return {row.external_id: _status(row) for row in await tx.execute(query)}


def _values(einvoice: EInvoice) -> dict[str, Any]:
    return {
        "einvoice_id": einvoice.einvoice_id,
        "document_id": einvoice.document_id,
        "number": einvoice.number,
        "invoice_id": einvoice.invoice_id,
        "customer_id": einvoice.customer_id,
        "code": einvoice.code.value,
        "occurred_at": einvoice.occurred_at,
        "last_external_id": einvoice.last_external_id,
        "is_waiting": einvoice.waits,
        "upheld_at": einvoice.upheld_at,
        "upheld_by_name": einvoice.upheld_by_name,
        "uphold_reason": einvoice.uphold_reason,
        "event_version": einvoice.event_version,
    }


def _einvoice(row: Row[Any]) -> EInvoice:
    return EInvoice(
        einvoice_id=row.einvoice_id, document_id=row.document_id, number=row.number,
        invoice_id=row.invoice_id, customer_id=row.customer_id, code=Code(row.code),
        occurred_at=row.occurred_at, last_external_id=row.last_external_id, waits=row.is_waiting,
        upheld_at=row.upheld_at, upheld_by_name=row.upheld_by_name, uphold_reason=row.uphold_reason,
        event_version=row.event_version,
    )  # fmt: skip


def _status(row: Row[Any]) -> Status:
    return Status(
        external_id=row.external_id, code=Code(row.code), occurred_at=row.occurred_at,
        reported_at=row.reported_at, reasons=_clarifications(row.reasons),
        actions=_clarifications(row.actions), network=row.network, recipient=row.recipient,
        reported_by_name=row.reported_by_name,
    )  # fmt: skip


def _plain(clarifications: Sequence[Clarification]) -> list[list[str]]:
    return [[one.code, one.text] for one in clarifications]


def _clarifications(rows: Sequence[Sequence[str]]) -> tuple[Clarification, ...]:
    return tuple(Clarification(code, words) for code, words in rows)


_DOCUMENT = text("""
    SELECT invoice_id AS document_id, number, invoice_id, customer_id FROM invoices
    WHERE organization_id = :organization_id AND (invoice_id = :document OR number = :document)
      AND number IS NOT NULL
    UNION ALL
    SELECT credit_note_id, number, invoice_id, customer_id FROM credit_notes
    WHERE organization_id = :organization_id AND (credit_note_id = :document OR number = :document)
    LIMIT 1
""")
_WAITING = """
    einvoices.is_waiting AND (
        einvoices.document_id <> einvoices.invoice_id
        OR (invoices.status <> 'void' AND invoices.credited_minor_units < invoices.total_minor_units)
    )
"""
"""A rejected invoice that was voided or credited as a whole needs nobody any more."""
_PAGE = text(f"""
    SELECT einvoices.* FROM einvoices JOIN invoices USING (organization_id, invoice_id)
    WHERE einvoices.organization_id = :organization_id
      AND (NOT CAST(:waiting AS boolean) OR ({_WAITING}))
      AND (CAST(:before AS timestamptz) IS NULL OR (occurred_at, einvoice_id) < (:before, :before_id))
    ORDER BY occurred_at DESC, einvoice_id DESC LIMIT :limit
""")  # noqa: S608 - our own words
_COUNT = text(f"""
    SELECT count(*) FROM einvoices JOIN invoices USING (organization_id, invoice_id)
    WHERE einvoices.organization_id = :organization_id AND {_WAITING}
""")  # noqa: S608 - our own words

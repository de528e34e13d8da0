"""Credit notes, and which payments had paid what they give back."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from sqlalchemy import Row, Select, func, select, text

from chassis.database import ReadTx, WriteTx
from chassis.errors import not_found
from chassis.money import Money
from services.invoicing.domain.adjustment import AdjustmentKind
from services.invoicing.domain.credit_note import (
    CreditLine,
    CreditNote,
    CreditReason,
    LineCredited,
    PaidBy,
    TaxCredit,
)
from services.invoicing.domain.reversal import Use
from services.invoicing.domain.tax_correction import CorrectedGroup
from services.invoicing.store.adjustments import taxes_of
from services.invoicing.store.pages import decode_page_token, page_of
from services.invoicing.store.rows import insert_rows
from services.invoicing.tables.adjustments import credit_note_lines, credit_note_parts, credit_notes
from services.invoicing.tables.invoices import invoices

_SCOPE = "credit_notes"


async def insert_credit_note(tx: WriteTx, note: CreditNote, lifted: Sequence[PaidBy]) -> None:
    """Add a credit note with its lines and with what it takes off payments."""
    assert note.created_at is not None
    values = {
        "credit_note_id": note.credit_note_id,
        "number": note.number,
        "invoice_id": note.invoice_id,
        "customer_id": note.customer_id,
        "currency": note.total.currency,
        "subtotal_minor_units": note.subtotal.minor_units,
        "tax_minor_units": note.tax.minor_units,
        "total_minor_units": note.total.minor_units,
        "to_credit_minor_units": note.to_credit.minor_units,
        "reason_code": note.reason_code.value,
        "reason": note.reason,
        "issued_on": note.issued_on,
        "created_at": note.created_at,
    }
    await insert_rows(tx, credit_notes, [values])
    lines = [
        {
            "credit_note_id": note.credit_note_id,
            "line_no": line_no,
            "invoice_id": note.invoice_id,
            "invoice_line_no": line.invoice_line_no,
            "description": line.description,
            "quantity": line.quantity,
            "amount_minor_units": line.amount.minor_units,
        }
        for line_no, line in enumerate(note.lines, start=1)
    ]
    await insert_rows(tx, credit_note_lines, lines)
    parts = [
        {
            "credit_note_id": note.credit_note_id,
            "payment_id": one.use.payment_id,
            "source_payment_id": one.use.source_payment_id,
            "amount_minor_units": one.use.amount.minor_units,
        }
        for one in lifted
    ]
    await insert_rows(tx, credit_note_parts, parts)


async def credited_lines(tx: ReadTx, invoice_id: str, currency: str) -> dict[int, LineCredited]:
    """What credit notes took off each line of an invoice."""
    query = (
        select(
            credit_note_lines.c.invoice_line_no,
            func.sum(credit_note_lines.c.quantity).label("quantity"),
            func.sum(credit_note_lines.c.amount_minor_units).label("amount"),
        )
        .where(credit_note_lines.c.organization_id == tx.organization_id)
        .where(credit_note_lines.c.invoice_id == invoice_id)
        .where(credit_note_lines.c.invoice_line_no.is_not(None))
        .group_by(credit_note_lines.c.invoice_line_no)
    )
    return {
        row.invoice_line_no: LineCredited(row.quantity, Money(int(row.amount), currency))
        for row in await tx.execute(query)
    }


async def uses_on(tx: ReadTx, invoice_id: str, currency: str) -> list[PaidBy]:
    """What paid an invoice, the last payment first; the invoice is locked."""
    rows = await tx.execute(_USES_ON, {"organization_id": tx.organization_id, "invoice_id": invoice_id})
    return [
        PaidBy(
            Use(row.payment_id, row.source_payment_id, invoice_id, Money(row.amount_minor_units, currency)),
            row.customer_id,
        )
        for row in rows
    ]


async def get_credit_note(tx: ReadTx, credit_note_id: str) -> CreditNote:
    """A credit note with lines and taxes; CREDIT_NOTE_NOT_FOUND."""
    row = (await tx.execute(_notes(tx).where(credit_notes.c.credit_note_id == credit_note_id))).first()
    if row is None:
        raise not_found("credit note")
    found = await tx.execute(
        select(credit_note_lines)
        .where(credit_note_lines.c.organization_id == tx.organization_id)
        .where(credit_note_lines.c.credit_note_id == credit_note_id)
        .order_by(credit_note_lines.c.line_no)
    )
    lines = tuple(
        CreditLine(
            line.invoice_line_no, line.description, line.quantity,
            Money(line.amount_minor_units, row.currency),
        )
        for line in found
    )  # fmt: skip
    taxes = tuple(
        TaxCredit(
            tax["name"], Decimal(tax["rate_percent"]), Money(group.taxable_minor_units, row.currency),
            Money(tax["minor_units"], row.currency),
        )
        for group in await taxes_of(tx, AdjustmentKind.CREDIT_NOTE, credit_note_id)
        for tax in group.taxes
    )  # fmt: skip
    return _note(row, lines, taxes)


async def corrected_by(tx: ReadTx, note: CreditNote) -> list[CorrectedGroup]:
    """How a credit note corrects the groups of its invoice."""
    currency = note.total.currency
    return [
        CorrectedGroup(
            group.group_no, Money(group.taxable_minor_units, currency),
            tuple(Money(tax["minor_units"], currency) for tax in group.taxes),
        )
        for group in await taxes_of(tx, AdjustmentKind.CREDIT_NOTE, note.credit_note_id)
    ]  # fmt: skip


async def numbers_of(tx: ReadTx, credit_note_ids: Sequence[str]) -> dict[str, str]:
    """The numbers of credit notes by their ids."""
    query = (
        select(credit_notes.c.credit_note_id, credit_notes.c.number)
        .where(credit_notes.c.organization_id == tx.organization_id)
        .where(credit_notes.c.credit_note_id == func.any(list(credit_note_ids)))
    )
    return {row.credit_note_id: row.number for row in await tx.execute(query)}


async def notes_by_number(tx: ReadTx, numbers: Sequence[str]) -> dict[str, CreditNote]:
    """Those that exist, without lines, by number."""
    query = _notes(tx).where(credit_notes.c.number == func.any(list(numbers)))
    return {row.number: _note(row) for row in await tx.execute(query)}


async def list_credit_notes(
    tx: ReadTx, *, page_size: int, page_token: str, customer_id: str | None, invoice_id: str
) -> tuple[list[CreditNote], str]:
    """A page without lines, the newest first, and the token of the next one."""
    query = _notes(tx)
    if customer_id:
        query = query.where(credit_notes.c.customer_id == customer_id)
    if invoice_id:
        query = query.where(credit_notes.c.invoice_id == invoice_id)
    after = decode_page_token(page_token, _SCOPE)
    if after is not None:
        query = query.where(credit_notes.c.credit_note_id < after[0])
    query = query.order_by(credit_notes.c.credit_note_id.desc()).limit(page_size + 1)
    found = [_note(row) for row in await tx.execute(query)]
    return page_of(found, page_size, _SCOPE, lambda last: (last.credit_note_id, ""))


def _notes(tx: ReadTx) -> Select[Any]:
    return (
        select(credit_notes, invoices.c.number.label("invoice_number"))
        .join(
            invoices,
            (invoices.c.organization_id == credit_notes.c.organization_id)
            & (invoices.c.invoice_id == credit_notes.c.invoice_id),
        )
        .where(credit_notes.c.organization_id == tx.organization_id)
    )


def _note(row: Row[Any], lines: tuple[CreditLine, ...] = (), taxes: tuple[TaxCredit, ...] = ()) -> CreditNote:
    currency = row.currency
    return CreditNote(
        credit_note_id=row.credit_note_id,
        number=row.number,
        invoice_id=row.invoice_id,
        invoice_number=row.invoice_number or "",
        customer_id=row.customer_id,
        subtotal=Money(row.subtotal_minor_units, currency),
        tax=Money(row.tax_minor_units, currency),
        total=Money(row.total_minor_units, currency),
        to_credit=Money(row.to_credit_minor_units, currency),
        reason_code=CreditReason(row.reason_code),
        reason=row.reason,
        issued_on=row.issued_on,
        created_at=row.created_at,
        lines=lines,
        taxes=taxes,
    )


_USES_ON = text("""
    SELECT part.payment_id, part.source_payment_id, part.amount_minor_units, source.customer_id
    FROM (
        SELECT payment_id, payment_id AS source_payment_id, amount_minor_units FROM allocations
        WHERE organization_id = :organization_id AND invoice_id = :invoice_id
        UNION ALL
        SELECT payment_id, source_payment_id, amount_minor_units FROM credit_allocations
        WHERE organization_id = :organization_id AND invoice_id = :invoice_id
    ) AS part
    JOIN payment_applications AS payer
        ON payer.organization_id = :organization_id AND payer.payment_id = part.payment_id
    JOIN payment_applications AS source
        ON source.organization_id = :organization_id AND source.payment_id = part.source_payment_id
    ORDER BY payer.applied_at DESC, part.payment_id DESC, part.source_payment_id DESC
""")

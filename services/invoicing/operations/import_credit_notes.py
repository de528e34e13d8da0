"""Make credit notes of rows, on invoices that are here."""

from collections.abc import Sequence
from datetime import date

from chassis.database import ReadTx, WriteTx
from chassis.errors import ServiceError
from chassis.money import Money
from services.invoicing.domain.credit_note import CreditNote, CreditReason, CreditWish
from services.invoicing.domain.invoice_import import Import, Making, Record, RowError
from services.invoicing.formats.import_problems import PROBLEMS
from services.invoicing.operations.issue_credit_note import IssuedBefore, Why, issue_credit_note
from services.invoicing.store import credit_notes
from services.invoicing.store.invoices import invoices_by_number, lock_invoices

FIRST_VERSION = 1


async def import_credit_notes(
    tx: WriteTx, imported: Import, records: Sequence[Record]
) -> tuple[list[Making], list[RowError]]:
    """What was made, and which rows were refused. Rows of notes that are here change nothing."""
    taken = await credit_notes.notes_by_number(tx, [record.key for record in records])
    found = await invoices_by_number(tx, {record.values["invoice_number"] for record in records})
    locked = await lock_invoices(tx, found.values())  # all of them first, in their order
    made: list[Making] = []
    refused: list[RowError] = []
    for record in records:
        if record.key in taken:
            if not _is_same(taken[record.key], record):
                refused.append(_wrong(record, "external_id", "number_taken"))
            continue
        invoice_id = found.get(record.values["invoice_number"])
        if invoice_id is None:
            refused.append(_wrong(record, "invoice_number", "no_such_invoice"))
            continue
        if date.fromisoformat(record.values["issued_on"]) < locked[invoice_id].invoice_date:
            refused.append(_wrong(record, "issued_on", "credited_before_invoice"))
            continue
        try:
            note = await _issue(tx, imported, record, invoice_id)
        except ServiceError as error:  # it refuses before it writes
            message = error.fields[0].message if error.fields else error.message
            refused.append(RowError(record.line, "amount", message))
            continue
        made.append(Making(record.line, "credit_note", note, FIRST_VERSION))
    return made, refused


async def known_notes(tx: ReadTx, records: Sequence[Record]) -> frozenset[str]:
    """Numbers of the rows whose credit notes are here."""
    taken = await credit_notes.notes_by_number(tx, [record.key for record in records])
    return frozenset(
        record.key for record in records if record.key in taken and _is_same(taken[record.key], record)
    )


def _is_same(note: CreditNote, record: Record) -> bool:
    """The number alone does not tell: notes made here and those of a file may count alike."""
    return note.invoice_number == record.values["invoice_number"] and note.total == _amount(record)


def _amount(record: Record) -> Money:
    return Money.parse(record.values["amount"], record.values["currency"])


def _wrong(record: Record, column: str, code: str) -> RowError:
    return RowError(record.line, column, PROBLEMS[code], code)


async def _issue(tx: WriteTx, imported: Import, record: Record, invoice_id: str) -> str:
    values = record.values
    why = Why(CreditReason.OTHER, values.get("description", "") or f"Credit note {record.key}")
    before = IssuedBefore(record.key, date.fromisoformat(values["issued_on"]), silent=not imported.notify)
    wish = CreditWish(invoice_id=invoice_id, amount=_amount(record))
    return (await issue_credit_note(tx, wish, why, before=before)).credit_note_id

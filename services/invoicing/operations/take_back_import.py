"""Take back what an import made, a batch a transaction, as far as nobody has paid, changed or used it since.

Invoices are voided, which reverses their bookings; their numbers get an ending, so that a corrected file can bring them
again. Customers are put on hold without their external id, since others know of them by now; items are removed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from chassis import audit
from chassis.database import WriteTx
from chassis.errors import ServiceError
from services.invoicing.domain import ledger as books
from services.invoicing.domain.invoice import Invoice
from services.invoicing.domain.invoice_import import (
    BATCH_ROWS,
    NOT_UNDONE,
    Import,
    ImportState,
    Making,
    Outcome,
    RowError,
)
from services.invoicing.operations.update_customer import change_customer
from services.invoicing.store import credit_notes, import_makings, imports, invoices, items, ledger
from services.invoicing.store.customers import get_customer
from services.invoicing.translate import events

_CHANGED = "It was changed since."
_ENDING_CHARACTERS = 6


async def take_back(tx: WriteTx, imported: Import) -> int:
    """One batch; returns how many things were looked at. Fewer than a batch are the last ones."""
    makings = await import_makings.next_makings(tx, imported.import_id, limit=BATCH_ROWS)
    if makings and any(one.noun != makings[0].noun for one in makings):
        makings = [one for one in makings if one.noun == makings[0].noun]
        is_last = False
    else:
        is_last = len(makings) < BATCH_ROWS
    kept = await _kept(tx, imported, makings)
    outcomes = {one.object_id: Outcome.KEPT if one.object_id in kept else Outcome.UNDONE for one in makings}
    await import_makings.note_outcomes(tx, imported.import_id, outcomes)
    errors = [RowError(one.line, NOT_UNDONE, kept[one.object_id]) for one in makings if one.object_id in kept]
    await imports.update_import(
        tx,
        replace(
            imported,
            state=ImportState.UNDONE if is_last else ImportState.UNDOING,
            undone_records=imported.undone_records + len(makings) - len(kept),
            kept_records=imported.kept_records + len(kept),
            errors=imported.with_errors(errors),
        ),
    )
    return len(makings)


async def _kept(tx: WriteTx, imported: Import, makings: Sequence[Making]) -> Mapping[str, str]:
    """Takes back all of one noun that can be; why the others cannot, by id."""
    if not makings:
        return {}
    if makings[0].noun == "invoice":
        return await _void_invoices(tx, imported, makings)
    if makings[0].noun == "item":
        return await _remove_items(tx, imported, makings)
    if makings[0].noun == "credit_note":
        notes = await credit_notes.numbers_of(tx, [one.object_id for one in makings])
        return {note_id: f"Credit note {number} stays: it is booked." for note_id, number in notes.items()}
    return await _set_customers_aside(tx, imported, makings)


async def _void_invoices(tx: WriteTx, imported: Import, makings: Sequence[Making]) -> Mapping[str, str]:
    locked = await invoices.lock_invoices(tx, [one.object_id for one in makings])
    planned = await import_makings.planned_invoices(tx, list(locked))
    kept: dict[str, str] = {}
    voided: list[Invoice] = []
    for making in makings:
        invoice = locked[making.object_id]
        try:
            after = invoice.voided()
        except ServiceError as error:
            kept[invoice.invoice_id] = f"Invoice {invoice.number} stays. {error.message}"
            continue
        if invoice.is_disputed and invoice.version != making.version:
            kept[invoice.invoice_id] = f"Invoice {invoice.number} stays. The customer objects to it."
        elif invoice.invoice_id in planned:
            kept[invoice.invoice_id] = f"Invoice {invoice.number} stays. It is paid by instalments."
        else:
            voided.append(after)
    await _write_voided(tx, imported, voided)
    return kept


async def _write_voided(tx: WriteTx, imported: Import, voided: Sequence[Invoice]) -> None:
    if not voided:
        return
    await invoices.update_balances(tx, voided)
    await ledger.post(tx, [books.voiding(invoice, tx.now()) for invoice in voided])
    for invoice in voided:
        events.invoice_voided(tx, invoice, imported.undo_reason)
        audit.record(tx, "invoice.import_undone", invoice.invoice_id, reason=imported.undo_reason)
    ending = f" (undone {imported.import_id[-_ENDING_CHARACTERS:]})"
    await import_makings.retire_invoices(tx, [invoice.invoice_id for invoice in voided], ending=ending)


async def _set_customers_aside(tx: WriteTx, imported: Import, makings: Sequence[Making]) -> Mapping[str, str]:
    used = await import_makings.used_customers(tx, [one.object_id for one in makings])
    kept: dict[str, str] = {}
    for making in makings:
        customer = await get_customer(tx, making.object_id, for_update=True)
        if customer.version != making.version:
            kept[making.object_id] = f"Customer {customer.name} stays. {_CHANGED}"
        elif making.object_id in used:
            kept[making.object_id] = f"Customer {customer.name} stays: there are invoices or payments."
        else:
            values = {
                "on_hold": True, "hold_reason": f"Import undone: {imported.undo_reason}"[:500], "external_id": None,
            }  # fmt: skip
            await change_customer(
                tx, customer, values, reason=imported.undo_reason, action="customer.import_undone"
            )
    return kept


async def _remove_items(tx: WriteTx, imported: Import, makings: Sequence[Making]) -> Mapping[str, str]:
    ids = [one.object_id for one in makings]
    found = await items.get_items(tx, ids, for_update=True)
    used = await import_makings.used_items(tx, ids)
    kept: dict[str, str] = {}
    for making in makings:
        item = found.get(making.object_id)
        if item is None:
            continue
        if item.version != making.version:
            kept[making.object_id] = f"Item {item.sku} stays. {_CHANGED}"
        elif making.object_id in used:
            kept[making.object_id] = f"Item {item.sku} stays: it is on invoices. Archive it instead."
        else:
            audit.record(tx, "item.import_undone", item.item_id, reason=imported.undo_reason)
    await import_makings.remove_items(tx, [one for one in ids if one not in kept])
    return kept

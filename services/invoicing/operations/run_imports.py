"""Work on imports, a batch a transaction: make what waits, or take back what was made."""

from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, replace
from typing import Any

from chassis import audit
from chassis.caller import call_scope, service_call
from chassis.database import Database, WriteTx
from services.invoicing.domain.invoice_import import (
    BATCH_ROWS,
    Import,
    ImportKind,
    ImportState,
    Making,
    Record,
    Row,
    RowError,
)
from services.invoicing.operations.import_credit_notes import import_credit_notes
from services.invoicing.operations.import_customers import import_customers
from services.invoicing.operations.import_invoices import import_invoices
from services.invoicing.operations.import_items import import_items
from services.invoicing.operations.take_back_import import take_back
from services.invoicing.store import import_makings, imports

IMPORTS_AT_ONCE = 10
_MAKERS = {
    ImportKind.CUSTOMERS: import_customers,
    ImportKind.ITEMS: import_items,
    ImportKind.CREDIT_NOTES: import_credit_notes,
}


@dataclass(frozen=True, slots=True)
class Batch:
    """What came of some rows: what was made of how many of them, how many were there already, what is wrong."""

    makings: Sequence[Making]
    created: int
    unchanged: int
    errors: Sequence[RowError] = ()


async def run_imports(db: Database) -> int:
    """One batch of each import at work, the oldest first; returns how many rows were handled."""
    async with db.sweep() as tx:
        at_work = await imports.imports_at_work(tx, limit=IMPORTS_AT_ONCE)
    handled = 0
    for organization_id, import_id in at_work:
        with call_scope(service_call("invoicing", organization_id)):
            handled += await db.run_write(organization_id, _batch_of(import_id))
    return handled


def _batch_of(import_id: str) -> Callable[[WriteTx], Coroutine[Any, Any, int]]:
    async def work(tx: WriteTx) -> int:
        imported = await imports.get_import(tx, import_id, for_update=True)
        if imported.state is ImportState.UNDOING:
            return await take_back(tx, imported)
        if imported.state is not ImportState.RUNNING:
            return 0
        rows = await imports.waiting_rows(tx, import_id, limit=BATCH_ROWS)
        await imports.update_import(tx, await _import_rows(tx, imported, rows))
        return len(rows)

    return work


async def _import_rows(tx: WriteTx, imported: Import, rows: Sequence[Row | Record]) -> Import:
    """Import rows and return the import's new counters; fewer rows than a batch are the last ones."""
    batch = await _make(tx, imported, rows)
    await import_makings.insert_makings(tx, imported.import_id, batch.makings)
    await imports.mark_handled(tx, imported.import_id, rows)
    is_last = len(rows) < BATCH_ROWS
    if is_last:
        audit.record(tx, "import.done", imported.import_id)
    return replace(
        imported,
        state=ImportState.DONE if is_last else ImportState.RUNNING,
        handled_rows=imported.handled_rows + len(rows),
        created_rows=imported.created_rows + batch.created,
        unchanged_rows=imported.unchanged_rows + batch.unchanged,
        failed_rows=imported.failed_rows + len(batch.errors),
        errors=imported.with_errors(batch.errors),
        finished_at=tx.now() if is_last else None,
    )


async def _make(tx: WriteTx, imported: Import, rows: Sequence[Row | Record]) -> Batch:
    if imported.kind.is_of_invoices:
        invoices = [row for row in rows if isinstance(row, Row)]
        made, refused = await import_invoices(tx, imported, invoices)
        created = sum(1 for one in made if one.noun == "invoice")
        return Batch(made, created, len(rows) - created - len(refused), refused)
    records = [row for row in rows if isinstance(row, Record)]
    made, refused = await _MAKERS[imported.kind](tx, imported, records)
    return Batch(made, len(made), len(rows) - len(made) - len(refused), refused)

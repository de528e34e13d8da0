"""Read a file of invoices and start importing it, or only tell what would happen."""

import asyncio
from dataclasses import replace

from chassis import audit
from chassis.caller import current_call
from chassis.database import Database, WriteTx
from chassis.errors import invalid
from chassis.idempotency import once
from chassis.ids import new_id
from services.invoicing.domain.invoice_import import (
    MAX_ERRORS,
    SAMPLE_ROWS,
    DateOrder,
    Import,
    ImportState,
)
from services.invoicing.formats.csv_invoices import CsvFileError, CsvInvoices, read_csv_invoices
from services.invoicing.store.imports import insert_import
from services.invoicing.store.invoices import taken_external_ids
from services.invoicing.store.organizations import get_organization
from services.invoicing.translate.imports import to_proto_import
from tallyport.invoicing.v1 import imports_pb2 as pb


async def create_import(
    db: Database, *, file_name: str, content: bytes, date_order: DateOrder, dry_run: bool, notify: bool
) -> pb.Import:
    """The import, as a preview or running. VALIDATION_FAILED for a file that cannot be read at all."""
    call = current_call()
    async with db.read(call.organization_id) as read:
        organization = await get_organization(read)
        today = organization.date_of(read.now())
    try:
        file = await asyncio.to_thread(
            read_csv_invoices, content, date_order=date_order, currency=organization.currency, today=today
        )
    except CsvFileError as error:
        raise invalid("content", "csv", str(error)) from None

    async def work(tx: WriteTx) -> pb.Import:
        taken = await taken_external_ids(tx, [row.external_id for row in file.rows])
        preview = _preview(file, len(taken), file_name=file_name, notify=notify, tx=tx)
        imported = preview if dry_run else started(preview)
        await insert_import(tx, imported, file.rows)
        audit.record(tx, "import.previewed" if dry_run else "import.started", imported.import_id)
        return to_proto_import(imported)

    return await once(db, pb.Import, work)


def started(preview: Import) -> Import:
    """The import at work: its counters begin anew, rows with errors count as handled."""
    return replace(
        preview, state=ImportState.RUNNING, handled_rows=preview.failed_rows, created_rows=0,
        unchanged_rows=0,
    )  # fmt: skip


def _preview(file: CsvInvoices, taken: int, *, file_name: str, notify: bool, tx: WriteTx) -> Import:
    return Import(
        import_id=new_id("imp"),
        file_name=file_name,
        state=ImportState.PREVIEW,
        notify=notify,
        total_rows=file.total_rows,
        handled_rows=0,
        created_rows=len(file.rows) - taken,
        unchanged_rows=taken,
        failed_rows=len(file.errors),
        errors=file.errors[:MAX_ERRORS],
        actor=current_call().actor,
        created_at=tx.now(),
        sample=file.rows[:SAMPLE_ROWS],
    )

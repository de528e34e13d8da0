"""Read a file and start importing it, or only tell what would happen."""

from dataclasses import dataclass, replace

from chassis import audit
from chassis.caller import current_call
from chassis.database import Database, WriteTx
from chassis.errors import invalid
from chassis.idempotency import once
from chassis.ids import new_id
from services.invoicing.domain.invoice_import import (
    MAX_ERRORS,
    SAMPLE_ROWS,
    How,
    Import,
    ImportFormat,
    ImportKind,
    ImportState,
    UnderstoodFile,
)
from services.invoicing.operations.read_import_file import (
    read_file,
    remembered,
    taken_keys,
    understand_file,
    with_known_codes,
)
from services.invoicing.store import imports
from services.invoicing.store.organizations import get_organization
from services.invoicing.translate.imports import to_proto_import
from tallyport.invoicing.v1 import imports_pb2 as pb


@dataclass(frozen=True, slots=True, kw_only=True)
class FileToImport:
    """A file as it comes in; the format is found from the content when it is None."""

    file_name: str
    content: bytes
    kind: ImportKind
    format: ImportFormat | None
    how: How
    dry_run: bool
    notify: bool


async def create_import(db: Database, file: FileToImport) -> pb.Import:
    """The import, as a preview or running. VALIDATION_FAILED for a file that cannot be read at all."""
    call = current_call()
    found_format, source = await read_file(file.content, file.format)
    async with db.read(call.organization_id) as read:
        organization = await get_organization(read)
        today = organization.date_of(read.now())
        earlier = await remembered(read, file.kind, source)
    found = await understand_file(source, file.kind, file.how, organization, today=today, earlier=earlier)
    if not file.dry_run and found.understanding.missing:
        names = ", ".join(name.replace("_", " ") for name in found.understanding.missing)
        raise invalid("content", "columns", f"The file has no column for: {names}.")

    async def work(tx: WriteTx) -> pb.Import:
        checked = await with_known_codes(tx, file.kind, found)
        new = Import(
            import_id=new_id("imp"), file_name=file.file_name, state=ImportState.PREVIEW, notify=file.notify,
            total_rows=0, handled_rows=0, created_rows=0, unchanged_rows=0, failed_rows=0, errors=(),
            actor=current_call().actor, created_at=tx.now(), kind=file.kind, format=found_format,
        )  # fmt: skip
        imported = await with_understood(tx, new, checked)
        if file.dry_run:
            await imports.insert_import(tx, imported, checked.rows)
            await imports.keep_file(tx, imported.import_id, file.content)
        else:
            imported = imported.started()
            await imports.insert_import(tx, imported, checked.rows)
            await imports.save_mapping(tx, imported.kind, imported.understanding)
        audit.record(tx, "import.previewed" if file.dry_run else "import.started", imported.import_id)
        return to_proto_import(imported)

    return await once(db, pb.Import, work)


async def with_understood(tx: WriteTx, preview: Import, found: UnderstoodFile) -> Import:
    """The preview of these rows."""
    taken = await taken_keys(tx, preview.kind, found.rows)
    return replace(
        preview,
        total_rows=found.total_rows,
        created_rows=len(found.rows) - len(taken),
        unchanged_rows=len(taken),
        failed_rows=len(found.errors),
        errors=found.errors[:MAX_ERRORS],
        sample=found.rows[:SAMPLE_ROWS],
        understanding=found.understanding,
    )

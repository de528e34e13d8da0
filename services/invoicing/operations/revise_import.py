"""Read the file of a preview once more, with other columns, dates or amounts."""

from chassis import audit
from chassis.caller import current_call
from chassis.database import Database, WriteTx
from chassis.idempotency import once
from services.invoicing.domain.invoice_import import How, ImportState, already_started
from services.invoicing.operations.create_import import with_understood
from services.invoicing.operations.read_import_file import read_file, understand_file, with_known_codes
from services.invoicing.store import imports
from services.invoicing.store.organizations import get_organization
from services.invoicing.translate.imports import to_proto_import
from tallyport.invoicing.v1 import imports_pb2 as pb


async def revise_import(db: Database, import_id: str, how: How) -> pb.Import:
    """The preview as it is then. IMPORT_ALREADY_STARTED unless it is a preview."""
    async with db.read(current_call().organization_id) as read:
        before = await imports.get_import(read, import_id)
        if before.state is not ImportState.PREVIEW:
            raise already_started()
        content = await imports.get_file(read, import_id)
        organization = await get_organization(read)
        today = organization.date_of(read.now())
    _, source = await read_file(content, before.format)
    found = await understand_file(source, before.kind, how, organization, today=today, earlier=None)

    async def work(tx: WriteTx) -> pb.Import:
        preview = await imports.get_import(tx, import_id, for_update=True)
        if preview.state is not ImportState.PREVIEW:
            raise already_started()
        checked = await with_known_codes(tx, before.kind, found)
        revised = await with_understood(tx, preview, checked)
        await imports.replace_rows(tx, import_id, checked.rows)
        await imports.update_import(tx, revised)
        audit.record(tx, "import.revised", import_id)
        return to_proto_import(revised)

    return await once(db, pb.Import, work)

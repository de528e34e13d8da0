"""Start an import that was a dry run."""

from chassis import audit
from chassis.database import Database, WriteTx
from chassis.idempotency import once
from services.invoicing.store import imports
from services.invoicing.translate.imports import to_proto_import
from tallyport.invoicing.v1 import imports_pb2 as pb


async def start_import(db: Database, import_id: str) -> pb.Import:
    """The running import. IMPORT_ALREADY_STARTED unless it is a preview, IMPORT_COLUMNS_MISSING while it lacks one."""

    async def work(tx: WriteTx) -> pb.Import:
        imported = (await imports.get_import(tx, import_id, for_update=True)).started()
        await imports.update_import(tx, imported)
        await imports.drop_file(tx, import_id)
        await imports.save_mapping(tx, imported.kind, imported.understanding)
        audit.record(tx, "import.started", import_id)
        return to_proto_import(imported)

    return await once(db, pb.Import, work)

"""Ask for a whole import to be taken back; the job that imports does it, batch by batch."""

from chassis import audit
from chassis.database import Database, WriteTx
from chassis.idempotency import once
from services.invoicing.store import import_makings, imports
from services.invoicing.translate.imports import to_proto_import
from tallyport.invoicing.v1 import imports_pb2 as pb


async def undo_import(db: Database, import_id: str, reason: str) -> pb.Import:
    """The import while it is taken back. IMPORT_NOT_DONE unless it is done.

    One that was taken back in part can be asked for once more: what was kept then is tried again.
    """

    async def work(tx: WriteTx) -> pb.Import:
        imported = (await imports.get_import(tx, import_id, for_update=True)).undoing(reason)
        await import_makings.try_kept_again(tx, import_id)
        await imports.update_import(tx, imported)
        audit.record(tx, "import.undone", import_id, reason=reason)
        return to_proto_import(imported)

    return await once(db, pb.Import, work)

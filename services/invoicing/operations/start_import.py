"""Start an import that was a dry run."""

from chassis import audit
from chassis.database import Database, WriteTx
from chassis.errors import Kind, ServiceError
from chassis.idempotency import once
from services.invoicing.domain.invoice_import import ImportState
from services.invoicing.operations.create_import import started
from services.invoicing.store import imports
from services.invoicing.translate.imports import to_proto_import
from tallyport.invoicing.v1 import imports_pb2 as pb


async def start_import(db: Database, import_id: str) -> pb.Import:
    """The running import. IMPORT_ALREADY_STARTED unless it is a preview."""

    async def work(tx: WriteTx) -> pb.Import:
        preview = await imports.get_import(tx, import_id, for_update=True)
        if preview.state is not ImportState.PREVIEW:
            raise ServiceError(
                Kind.FAILED_PRECONDITION, "IMPORT_ALREADY_STARTED", "This import was started already."
            )
        imported = started(preview)
        await imports.update_import(tx, imported)
        audit.record(tx, "import.started", import_id)
        return to_proto_import(imported)

    return await once(db, pb.Import, work)

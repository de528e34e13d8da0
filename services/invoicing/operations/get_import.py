"""Get an import with its progress."""

from chassis.caller import current_call
from chassis.database import Database
from services.invoicing.domain.invoice_import import Import
from services.invoicing.store import imports


async def get_import(db: Database, import_id: str) -> Import:
    """The import; IMPORT_NOT_FOUND otherwise."""
    async with db.read(current_call().organization_id) as tx:
        return await imports.get_import(tx, import_id)

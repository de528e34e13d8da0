"""List imports, and how columns were understood before."""

from chassis.caller import current_call
from chassis.database import Database
from services.invoicing.domain.invoice_import import Import, ImportKind, SavedMapping
from services.invoicing.operations.visibility import DEFAULT_PAGE_SIZE
from services.invoicing.store import imports


async def list_imports(db: Database, *, page_size: int, page_token: str) -> tuple[list[Import], str]:
    """A page, the newest first, and the token of the next one."""
    async with db.read(current_call().organization_id) as tx:
        return await imports.list_imports(tx, page_size=page_size or DEFAULT_PAGE_SIZE, page_token=page_token)


async def list_mappings(db: Database, kind: ImportKind | None) -> list[SavedMapping]:
    """Remembered mappings, the last used first."""
    async with db.read(current_call().organization_id) as tx:
        return await imports.list_mappings(tx, kind)

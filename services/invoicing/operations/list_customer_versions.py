"""List what was changed of a customer."""

from chassis.caller import current_call
from chassis.database import Database
from services.invoicing.domain.customer_proposal import Version
from services.invoicing.operations.visibility import DEFAULT_PAGE_SIZE
from services.invoicing.store import customer_history
from services.invoicing.store.customers import get_customer


async def list_customer_versions(
    db: Database, customer_id: str, *, page_size: int, page_token: str
) -> tuple[list[Version], str]:
    """A page, the newest first, and the token of the next one."""
    async with db.read(current_call().organization_id) as tx:
        await get_customer(tx, customer_id)
        return await customer_history.list_versions(
            tx, customer_id, page_size=page_size or DEFAULT_PAGE_SIZE, page_token=page_token
        )

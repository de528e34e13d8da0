"""List items."""

from chassis.caller import current_call
from chassis.database import Database
from services.invoicing.domain.item import Item
from services.invoicing.operations.visibility import DEFAULT_PAGE_SIZE
from services.invoicing.store import items


async def list_items(
    db: Database, *, page_size: int, page_token: str, query: str = "", with_archived: bool = False
) -> tuple[list[Item], str]:
    """A page by name, and the token of the next one."""
    async with db.read(current_call().organization_id) as tx:
        return await items.list_items(
            tx, page_size=page_size or DEFAULT_PAGE_SIZE, page_token=page_token, query=query,
            with_archived=with_archived,
        )  # fmt: skip

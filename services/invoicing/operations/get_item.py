"""Get an item."""

from chassis.caller import current_call
from chassis.database import Database
from chassis.errors import not_found
from services.invoicing.domain.item import Item
from services.invoicing.store.items import get_items


async def get_item(db: Database, item_id: str) -> Item:
    """The item; ITEM_NOT_FOUND otherwise."""
    async with db.read(current_call().organization_id) as tx:
        found = await get_items(tx, [item_id])
    if item_id not in found:
        raise not_found("item")
    return found[item_id]

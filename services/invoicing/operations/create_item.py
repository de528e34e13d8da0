"""Create an item."""

from chassis import audit
from chassis.database import Database, WriteTx
from chassis.idempotency import once
from services.invoicing.domain.item import Item
from services.invoicing.operations.update_item import check_item
from services.invoicing.store.items import insert_item
from services.invoicing.translate.items import to_proto_item
from tallyport.invoicing.v1 import items_pb2 as pb


async def create_item(db: Database, item: Item) -> pb.Item:
    """The new item. ITEM_SKU_TAKEN if another has the stock keeping unit."""

    async def work(tx: WriteTx) -> pb.Item:
        await check_item(tx, item)
        await insert_item(tx, item)
        answer = to_proto_item(item)
        audit.record(tx, "item.created", item.item_id, after=answer.SerializeToString(deterministic=True))
        return answer

    return await once(db, pb.Item, work)

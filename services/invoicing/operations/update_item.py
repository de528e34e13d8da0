"""Change an item."""

from dataclasses import replace

from chassis import audit
from chassis.caller import current_call
from chassis.database import Database, ReadTx, WriteTx
from chassis.errors import Kind, ServiceError, invalid, not_found
from services.invoicing.domain.item import Item
from services.invoicing.operations.list_tax_rates import known_rates
from services.invoicing.store import items
from services.invoicing.translate.items import ItemChanges, to_proto_item
from tallyport.invoicing.v1 import items_pb2 as pb


async def update_item(db: Database, item_id: str, changes: ItemChanges) -> pb.Item:
    """The item as it is then. ITEM_NOT_FOUND, ITEM_SKU_TAKEN, ITEM_CHANGED if somebody was quicker."""

    async def work(tx: WriteTx) -> pb.Item:
        before = (await items.get_items(tx, [item_id], for_update=True)).get(item_id)
        if before is None:
            raise not_found("item")
        if changes.expected_version not in (None, before.version):
            raise ServiceError(
                Kind.ABORTED, "ITEM_CHANGED",
                "Somebody else has changed this item meanwhile. Please look at it again.", item_id=item_id,
            )  # fmt: skip
        after = replace(before, **changes.values, version=before.version + 1)
        await check_item(tx, after)
        await items.update_item(tx, after)
        answer = to_proto_item(after)
        audit.record(
            tx, "item.updated", item_id,
            before=to_proto_item(before).SerializeToString(deterministic=True),
            after=answer.SerializeToString(deterministic=True),
        )  # fmt: skip
        return answer

    return await db.run_write(current_call().organization_id, work)


async def check_item(tx: ReadTx, item: Item) -> None:
    """VALIDATION_FAILED for two prices in the currency of the first, and for a tax code that is in no table."""
    if item.unit_price.currency in item.other_prices:
        raise invalid("other_prices", "twice", f"There are two prices in {item.unit_price.currency}.")
    if item.tax_code and item.tax_code not in {rate.code for rate in await known_rates(tx)}:
        raise invalid(
            "tax_code", "unknown", f"There is no tax code {item.tax_code}. List the tax rates to see all."
        )

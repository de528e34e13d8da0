"""Make items of rows."""

from collections.abc import Sequence

from chassis import audit
from chassis.database import WriteTx
from services.invoicing.domain.invoice_import import Import, Making, Record, RowError
from services.invoicing.store import items
from services.invoicing.translate.import_records import imported_item
from services.invoicing.translate.items import to_proto_item


async def import_items(
    tx: WriteTx, imported: Import, records: Sequence[Record]
) -> tuple[list[Making], list[RowError]]:
    """What was made. Rows whose stock keeping unit is known change nothing."""
    known = await items.taken_skus(tx, [record.key for record in records])
    made: list[Making] = []
    for record in records:
        if record.key in known:
            continue
        item = imported_item(record)
        await items.insert_item(tx, item)
        after = to_proto_item(item).SerializeToString(deterministic=True)
        audit.record(tx, "item.imported", item.item_id, after=after, reason=imported.import_id)
        made.append(Making(record.line, "item", item.item_id, item.version))
    return made, []

"""Items."""

from chassis.ids import new_id
from services.invoicing.domain.item import Item
from services.invoicing.translate.values import (
    from_proto_decimal,
    from_proto_money,
    from_proto_text,
    to_proto_decimal,
    to_proto_money,
)
from tallyport.invoicing.v1 import items_pb2 as pb


def from_proto_item(request: pb.CreateItemRequest) -> Item:
    """A new item with an id of its own."""
    return Item(
        new_id("itm"),
        from_proto_text("sku", request.sku),
        from_proto_text("name", request.name),
        from_proto_money("unit_price", request.unit_price),
        from_proto_decimal(request.tax_rate_percent, "0"),
    )


def to_proto_item(item: Item) -> pb.Item:
    return pb.Item(
        item_id=item.item_id,
        sku=item.sku,
        name=item.name,
        unit_price=to_proto_money(item.unit_price),
        tax_rate_percent=to_proto_decimal(item.tax_rate_percent),
    )

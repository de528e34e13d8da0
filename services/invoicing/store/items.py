"""Items."""

from collections.abc import Collection, Mapping
from typing import Any

from sqlalchemy import Row, func, insert, select, tuple_
from sqlalchemy.exc import IntegrityError

from chassis.database import ReadTx, WriteTx, violated_constraint
from chassis.errors import Kind, ServiceError
from chassis.money import Money
from services.invoicing.domain.item import Item
from services.invoicing.store.rows import decode_page_token, encode_page_token
from services.invoicing.tables.items import items

_SCOPE = "items"


async def insert_item(tx: WriteTx, item: Item) -> None:
    """Add an item; ALREADY_EXISTS if another has its SKU."""
    try:
        await tx.execute(
            insert(items).values(
                organization_id=tx.organization_id,
                item_id=item.item_id,
                sku=item.sku,
                name=item.name,
                unit_price_minor_units=item.unit_price.minor_units,
                currency=item.unit_price.currency,
                tax_rate_percent=item.tax_rate_percent,
                created_at=tx.now(),
            )
        )
    except IntegrityError as error:
        if violated_constraint(error) == "uq_items_sku":
            raise ServiceError(
                Kind.ALREADY_EXISTS, "ITEM_SKU_TAKEN", "Another item has this stock keeping unit."
            ) from error
        raise


async def get_items(tx: ReadTx, item_ids: Collection[str]) -> Mapping[str, Item]:
    """Those of the items that exist, by id."""
    if not item_ids:
        return {}
    query = select(items).where(
        items.c.organization_id == tx.organization_id, items.c.item_id == func.any(list(item_ids))
    )
    return {row.item_id: _item(row) for row in await tx.execute(query)}


async def list_items(tx: ReadTx, *, page_size: int, page_token: str) -> tuple[list[Item], str]:
    """A page by name, and the token of the next one."""
    place = tuple_(func.lower(items.c.name), items.c.item_id)
    query = select(items, func.lower(items.c.name).label("sort_name")).where(
        items.c.organization_id == tx.organization_id
    )
    after = decode_page_token(page_token, _SCOPE)
    if after is not None:
        query = query.where(place > tuple_(*after))
    rows = (await tx.execute(query.order_by("sort_name", items.c.item_id).limit(page_size + 1))).all()
    token = ""
    if len(rows) > page_size:
        rows = rows[:page_size]
        token = encode_page_token(_SCOPE, rows[-1].sort_name, rows[-1].item_id)
    return [_item(row) for row in rows], token


def _item(row: Row[Any]) -> Item:
    return Item(
        row.item_id, row.sku, row.name, Money(row.unit_price_minor_units, row.currency), row.tax_rate_percent
    )

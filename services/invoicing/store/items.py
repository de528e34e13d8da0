"""Items and their prices."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import Row, delete, func, insert, or_, select, tuple_, update
from sqlalchemy.exc import IntegrityError

from chassis.database import ReadTx, WriteTx, violated_constraint
from chassis.errors import Kind, ServiceError
from chassis.money import Money
from services.invoicing.domain.item import Item
from services.invoicing.store.pages import decode_page_token, page_of
from services.invoicing.store.rows import insert_rows, like_pattern
from services.invoicing.tables.items import item_prices, items

_SCOPE = "items"


async def insert_item(tx: WriteTx, item: Item) -> None:
    """Add an item; ALREADY_EXISTS if another has its SKU."""
    try:
        await tx.execute(
            insert(items).values(organization_id=tx.organization_id, created_at=tx.now(), **_values(item))
        )
    except IntegrityError as error:
        raise _taken(error) from error
    await _insert_prices(tx, item)


async def update_item(tx: WriteTx, item: Item) -> None:
    """Write a locked item anew; ALREADY_EXISTS if another has its SKU."""
    mine = (items.c.organization_id == tx.organization_id, items.c.item_id == item.item_id)
    try:
        await tx.execute(update(items).where(*mine).values(**_values(item)))
    except IntegrityError as error:
        raise _taken(error) from error
    await tx.execute(
        delete(item_prices).where(
            item_prices.c.organization_id == tx.organization_id, item_prices.c.item_id == item.item_id
        )
    )
    await _insert_prices(tx, item)


async def get_items(tx: ReadTx, item_ids: Collection[str], *, for_update: bool = False) -> Mapping[str, Item]:
    """Those of the items that exist, by id."""
    if not item_ids:
        return {}
    query = select(items).where(
        items.c.organization_id == tx.organization_id, items.c.item_id == func.any(list(item_ids))
    )
    rows = (await tx.execute(query.with_for_update() if for_update else query)).all()
    return {item.item_id: item for item in await _with_prices(tx, rows)}


async def taken_skus(tx: ReadTx, skus: Collection[str]) -> frozenset[str]:
    """Those of the stock keeping units that items have."""
    query = select(items.c.sku).where(
        items.c.organization_id == tx.organization_id, items.c.sku == func.any(list(skus))
    )
    return frozenset((await tx.execute(query)).scalars())


async def list_items(
    tx: ReadTx, *, page_size: int, page_token: str, query: str = "", with_archived: bool = False
) -> tuple[list[Item], str]:
    """A page by name, and the token of the next one; `query` is a part of name or stock keeping unit."""
    place = tuple_(func.lower(items.c.name), items.c.item_id)
    wanted = select(items, func.lower(items.c.name).label("sort_name")).where(
        items.c.organization_id == tx.organization_id
    )
    if not with_archived:
        wanted = wanted.where(items.c.archived.is_(False))
    if query:
        pattern = like_pattern(query)
        wanted = wanted.where(or_(items.c.name.ilike(pattern), items.c.sku.ilike(pattern)))
    after = decode_page_token(page_token, _SCOPE)
    if after is not None:
        wanted = wanted.where(place > tuple_(*after))
    rows = (await tx.execute(wanted.order_by("sort_name", items.c.item_id).limit(page_size + 1))).all()
    rows, token = page_of(rows, page_size, _SCOPE, lambda last: (last.sort_name, last.item_id))
    return await _with_prices(tx, rows), token


async def _insert_prices(tx: WriteTx, item: Item) -> None:
    rows = [
        {"item_id": item.item_id, "currency": currency, "unit_price_minor_units": price.minor_units}
        for currency, price in item.other_prices.items()
    ]
    await insert_rows(tx, item_prices, rows)


async def _with_prices(tx: ReadTx, rows: Sequence[Row[Any]]) -> list[Item]:
    if not rows:
        return []
    query = select(item_prices).where(
        item_prices.c.organization_id == tx.organization_id,
        item_prices.c.item_id == func.any([row.item_id for row in rows]),
    )
    prices: dict[str, dict[str, Money]] = defaultdict(dict)
    for row in await tx.execute(query.order_by(item_prices.c.currency)):
        prices[row.item_id][row.currency] = Money(row.unit_price_minor_units, row.currency)
    return [_item(row, prices.get(row.item_id, {})) for row in rows]


def _values(item: Item) -> dict[str, Any]:
    return {
        "item_id": item.item_id,
        "sku": item.sku,
        "name": item.name,
        "unit_price_minor_units": item.unit_price.minor_units,
        "currency": item.unit_price.currency,
        "tax_rate_percent": item.tax_rate_percent,
        "description": item.description,
        "price_includes_tax": item.price_includes_tax,
        "tax_code": item.tax_code,
        "unit_code": item.unit_code,
        "archived": item.archived,
        "version": item.version,
    }


def _item(row: Row[Any], prices: Mapping[str, Money]) -> Item:
    return Item(
        item_id=row.item_id,
        sku=row.sku,
        name=row.name,
        unit_price=Money(row.unit_price_minor_units, row.currency),
        tax_rate_percent=row.tax_rate_percent,
        description=row.description,
        other_prices=prices,
        price_includes_tax=row.price_includes_tax,
        tax_code=row.tax_code,
        unit_code=row.unit_code,
        archived=row.archived,
        version=row.version,
    )


def _taken(error: IntegrityError) -> Exception:
    if violated_constraint(error) == "uq_items_sku":
        return ServiceError(
            Kind.ALREADY_EXISTS, "ITEM_SKU_TAKEN", "Another item has this stock keeping unit."
        )
    return error

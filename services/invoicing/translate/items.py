"""Items and tax codes."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from chassis.errors import invalid
from chassis.ids import new_id
from chassis.money import Money
from services.invoicing.domain.item import Item
from services.invoicing.domain.pricing import ONE_PIECE
from services.invoicing.domain.tax_table import TaxRate
from services.invoicing.translate.pricing import to_proto_line_taxes
from services.invoicing.translate.values import (
    from_proto_decimal,
    from_proto_money,
    from_proto_text,
    to_proto_decimal,
    to_proto_money,
)
from tallyport.common.v1 import money_pb2
from tallyport.invoicing.v1 import items_pb2, taxes_pb2

_PLAIN: tuple[Literal["price_includes_tax", "tax_code", "unit_code", "archived"], ...] = (
    "price_includes_tax", "tax_code", "unit_code", "archived",
)  # fmt: skip
_TEXTS: tuple[Literal["sku", "name", "description"], ...] = ("sku", "name", "description")


@dataclass(frozen=True, slots=True)
class ItemChanges:
    """Fields of an item that change, by name."""

    values: Mapping[str, Any]
    expected_version: int | None


def from_proto_item(request: items_pb2.CreateItemRequest) -> Item:
    """A new item with an id of its own."""
    price = from_proto_money("unit_price", request.unit_price)
    return Item(
        item_id=new_id("itm"),
        sku=from_proto_text("sku", request.sku),
        name=from_proto_text("name", request.name),
        unit_price=price,
        tax_rate_percent=from_proto_decimal(request.tax_rate_percent, "0"),
        description=from_proto_text("description", request.description),
        other_prices=_other_prices(request.other_prices),
        price_includes_tax=request.price_includes_tax,
        tax_code=request.tax_code,
        unit_code=request.unit_code or ONE_PIECE,
    )


def from_proto_item_changes(request: items_pb2.UpdateItemRequest) -> ItemChanges:
    given = {name for name in (*_PLAIN, *_TEXTS) if request.HasField(name)}
    values: dict[str, Any] = {name: getattr(request, name) for name in _PLAIN if name in given}
    values |= {name: from_proto_text(name, getattr(request, name)) for name in _TEXTS if name in given}
    if request.HasField("unit_price"):
        values["unit_price"] = from_proto_money("unit_price", request.unit_price)
    if request.HasField("tax_rate_percent"):
        values["tax_rate_percent"] = from_proto_decimal(request.tax_rate_percent, "0")
    if request.other_prices:
        values["other_prices"] = _other_prices(request.other_prices)
    return ItemChanges(values, request.expected_version or None)


def to_proto_item(item: Item) -> items_pb2.Item:
    return items_pb2.Item(
        item_id=item.item_id,
        sku=item.sku,
        name=item.name,
        unit_price=to_proto_money(item.unit_price),
        tax_rate_percent=to_proto_decimal(item.tax_rate_percent),
        description=item.description,
        other_prices=[to_proto_money(price) for _, price in sorted(item.other_prices.items())],
        price_includes_tax=item.price_includes_tax,
        tax_code=item.tax_code,
        unit_code=item.unit_code,
        archived=item.archived,
        version=item.version,
    )


def to_proto_tax_rates(rates: Iterable[TaxRate]) -> taxes_pb2.ListTaxRatesResponse:
    return taxes_pb2.ListTaxRatesResponse(tax_rates=[to_proto_tax_rate(rate) for rate in rates])


def to_proto_tax_rate(rate: TaxRate) -> taxes_pb2.TaxRate:
    return taxes_pb2.TaxRate(
        code=rate.code,
        name=rate.name,
        taxes=to_proto_line_taxes(rate.taxes),
        valid_from=rate.valid_from.isoformat(),
        built_in=rate.is_built_in,
    )


def _other_prices(messages: Iterable[money_pb2.Money]) -> dict[str, Money]:
    prices: dict[str, Money] = {}
    for at, message in enumerate(messages):
        price = from_proto_money(f"other_prices[{at}]", message)
        if price.currency in prices:
            raise invalid(f"other_prices[{at}]", "twice", f"There are two prices in {price.currency}.")
        prices[price.currency] = price
    return prices

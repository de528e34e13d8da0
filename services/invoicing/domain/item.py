"""Items: what the organization sells."""

from dataclasses import dataclass
from decimal import Decimal

from chassis.money import Money


@dataclass(frozen=True, slots=True)
class Item:
    """An item. `unit_price` is without tax; `name` becomes the description of lines."""

    item_id: str
    sku: str
    name: str
    unit_price: Money
    tax_rate_percent: Decimal

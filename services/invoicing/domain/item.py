"""Items: what the organization sells."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from chassis.money import Money
from services.invoicing.domain.pricing import ONE_PIECE


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """An item; `name` becomes the description of lines.

    `unit_price` is its price in its first currency, `other_prices` those in others by currency; they include tax if
    `price_includes_tax`. It is taxed by `tax_code` of the tax table or, without one, at `tax_rate_percent`. An archived
    item is kept for old invoices and offered for no new ones.
    """

    item_id: str
    sku: str
    name: str
    unit_price: Money
    tax_rate_percent: Decimal
    description: str = ""
    other_prices: Mapping[str, Money] = field(default_factory=dict)
    price_includes_tax: bool = False
    tax_code: str = ""
    unit_code: str = ONE_PIECE
    archived: bool = False
    version: int = 1

    def price_in(self, currency: str) -> Money | None:
        """The price in a currency; None if it is not sold in it."""
        return self.unit_price if self.unit_price.currency == currency else self.other_prices.get(currency)

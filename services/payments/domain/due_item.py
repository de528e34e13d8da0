"""An open invoice as far as paying it by itself needs."""

from dataclasses import dataclass
from datetime import date

from chassis.money import Money


@dataclass(frozen=True, slots=True, kw_only=True)
class DueItem:
    """What is still to pay on an invoice; what is disputed or on its way is left out already."""

    invoice_id: str
    number: str
    customer_id: str
    amount_due: Money
    due_date: date
    purchase_order_number: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """Open invoices, ordered by customer and due date, and the credit that customers can spend."""

    items: tuple[DueItem, ...]
    credit: dict[tuple[str, str], Money]
    """By customer and currency."""

    def credit_of(self, customer_id: str, currency: str) -> Money:
        """What a customer can spend in a currency; zero when there is none."""
        return self.credit.get((customer_id, currency), Money.zero(currency))

"""An open invoice as far as paying it by itself needs."""

from dataclasses import dataclass
from datetime import date, datetime

from chassis.money import Money


@dataclass(frozen=True, slots=True, kw_only=True)
class DueItem:
    """What is still to pay on an invoice; what is on its way is left out already.

    `asked_now` is what a payer is asked for at this moment: an instalment, less for paying early, nothing in dispute.
    Who pays before `discount_ends_at` settles it with `discounted_due`.
    """

    invoice_id: str
    number: str
    customer_id: str
    amount_due: Money
    due_date: date
    purchase_order_number: str = ""
    asked_now: Money | None = None
    discounted_due: Money | None = None
    discount_ends_at: datetime | None = None

    def due_at(self, moment: datetime) -> Money:
        """What settles it at a moment."""
        if (
            self.discounted_due is not None
            and self.discount_ends_at is not None
            and moment < self.discount_ends_at
        ):
            return min(self.discounted_due, self.amount_due)
        return self.amount_due


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """Open invoices, ordered by customer and due date, and the credit that customers can spend."""

    items: tuple[DueItem, ...]
    credit: dict[tuple[str, str], Money]
    """By customer and currency."""

    def credit_of(self, customer_id: str, currency: str) -> Money:
        """What a customer can spend in a currency; zero when there is none."""
        return self.credit.get((customer_id, currency), Money.zero(currency))

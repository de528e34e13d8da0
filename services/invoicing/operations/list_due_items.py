"""List what is due at customers, and the credit they have, for automatic payments."""

from collections.abc import Sequence
from datetime import date

from chassis.database import Database
from chassis.money import Money
from services.invoicing.domain.open_item import CustomerCredit, OpenItem
from services.invoicing.store import lots as credit_lots
from services.invoicing.store.open_items import due_items


async def list_due_items(
    db: Database, organization_id: str, customer_ids: Sequence[str], *, due_until: date | None
) -> tuple[list[OpenItem], list[CustomerCredit]]:
    """What can be paid now, by customer, due date and id; and credit by customer and currency."""
    async with db.read(organization_id) as tx:
        items = await due_items(tx, customer_ids, due_until)
        lots = await credit_lots.lots_of(tx, customer_ids)
    sums: dict[tuple[str, str], Money] = {}
    for lot in lots:
        key = (lot.customer_id, lot.amount.currency)
        sums[key] = sums.get(key, Money.zero(lot.amount.currency)) + lot.free
    credit = [CustomerCredit(key[0], amount) for key, amount in sorted(sums.items()) if not amount.is_zero]
    return items, credit

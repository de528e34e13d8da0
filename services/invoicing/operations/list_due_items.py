"""List what is due at customers, and the credit they have, for automatic payments."""

from collections.abc import Sequence
from datetime import date, datetime

from chassis.database import Database
from chassis.money import Money
from services.invoicing.domain.open_item import CustomerCredit, OpenItem
from services.invoicing.operations.asked_items import asked_items
from services.invoicing.store import lots as credit_lots
from services.invoicing.store.open_items import due_items
from services.invoicing.store.plans import demands_on


async def list_due_items(
    db: Database, organization_id: str, customer_ids: Sequence[str], *, due_until: date | None
) -> tuple[list[OpenItem], list[CustomerCredit], datetime]:
    """What can be paid now, by customer, due date and id; credit by customer and currency; and what time it is.

    Of invoices under an instalment plan that is what the plan demands by then, or the next instalment where no day is
    given; none of it where the plan stops automatic payments.
    """
    async with db.read(organization_id) as tx:
        asked = await demands_on(tx, on_day=due_until, ahead=due_until is None, customer_ids=customer_ids)
        found = await asked_items(tx, await due_items(tx, customer_ids, due_until, also=asked), asked)
        lots = await credit_lots.lots_of(tx, customer_ids)
        now = tx.now()
    items = [one for one in found if _is_asked_for(one)]
    sums: dict[tuple[str, str], Money] = {}
    for lot in lots:
        key = (lot.customer_id, lot.amount.currency)
        sums[key] = sums.get(key, Money.zero(lot.amount.currency)) + lot.free
    credit = [CustomerCredit(key[0], amount) for key, amount in sorted(sums.items()) if not amount.is_zero]
    return items, credit, now


def _is_asked_for(item: OpenItem) -> bool:
    """Not what a plan asks nothing of, or stops automatic payments of."""
    return item.demand is None or not (item.demand.stops_autopay or item.demand.asked.is_zero)

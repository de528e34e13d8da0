"""Find open invoices by what a bank line says."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from chassis.database import Database
from chassis.money import Money
from services.invoicing.domain.open_item import OpenItem, number_key, words
from services.invoicing.operations.asked_items import asked_items
from services.invoicing.store import open_items as store
from services.invoicing.store.plans import demands_on, payers_of_instalments


@dataclass(frozen=True, slots=True, kw_only=True)
class Clues:
    """What is known; each widens the answer."""

    numbers: Sequence[str] = ()
    amounts: Sequence[Money] = ()
    names: Sequence[str] = ()
    customer_ids: Sequence[str] = ()
    invoice_ids: Sequence[str] = ()


async def find_open_items(
    db: Database, organization_id: str, clues: Clues
) -> tuple[list[OpenItem], datetime]:
    """What was named, paid invoices too, and all open invoices of all customers found; by due date and id. And now."""
    async with db.read(organization_id) as tx:
        named: list[OpenItem] = []
        if clues.numbers or clues.invoice_ids:
            keys = {key for number in clues.numbers if (key := number_key(number))}
            named = await store.items_by_clue(
                tx, numbers=clues.numbers, keys=keys, invoice_ids=clues.invoice_ids
            )
        customer_ids = {*clues.customer_ids, *(item.invoice.customer_id for item in named)}
        if clues.amounts:
            customer_ids |= await store.owers_of(tx, clues.amounts)
            customer_ids |= await payers_of_instalments(tx, clues.amounts)
        if asked := words(clues.names):
            customer_ids |= await store.customers_by_words(tx, asked)
        others = await store.open_items(tx, customer_ids) if customer_ids else []
        found = {item.invoice.invoice_id: item for item in (*named, *others)}
        demanded = await demands_on(tx, invoice_ids=list(found), ahead=True) if found else {}
        items = await asked_items(tx, found.values(), demanded)
        return sorted(items, key=lambda item: (item.invoice.due_date, item.invoice.invoice_id)), tx.now()

"""List the customers below one, with what each owes."""

from chassis.caller import current_call
from chassis.database import Database
from services.invoicing.domain.customer import CustomerBalance
from services.invoicing.operations.visibility import must_see_customer
from services.invoicing.store.customer_tree import balances_below
from services.invoicing.store.customers import get_customer
from services.invoicing.store.organizations import get_organization
from services.invoicing.store.plans import overdue_by_plans


async def list_subsidiaries(db: Database, customer_id: str) -> list[tuple[CustomerBalance, int]]:
    """Each with how far below it is; for people of a customer only their own, CUSTOMER_NOT_FOUND otherwise."""
    async with db.read(current_call().organization_id) as tx:
        await must_see_customer(tx, customer_id)
        await get_customer(tx, customer_id)
        today = (await get_organization(tx)).date_of(tx.now())
        found = await balances_below(tx, customer_id, today=today)
        balances = await overdue_by_plans(tx, [balance for balance, _ in found], today)
        return [(balance, depth) for balance, (_, depth) in zip(balances, found, strict=True)]

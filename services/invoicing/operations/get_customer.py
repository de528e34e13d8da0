"""Get a customer."""

from chassis.caller import current_call
from chassis.database import Database
from services.invoicing.domain.customer import Customer
from services.invoicing.operations.visibility import must_see_customer
from services.invoicing.store import customers


async def get_customer(db: Database, customer_id: str) -> Customer:
    """The customer; for a customer's person their own and those below, CUSTOMER_NOT_FOUND otherwise."""
    async with db.read(current_call().organization_id) as tx:
        await must_see_customer(tx, customer_id)
        return await customers.get_customer(tx, customer_id)

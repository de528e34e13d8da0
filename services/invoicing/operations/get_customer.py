"""Get a customer."""

from chassis.caller import current_call
from chassis.database import Database
from services.invoicing.domain.customer import Customer
from services.invoicing.store import customers


async def get_customer(db: Database, customer_id: str) -> Customer:
    """The customer; for a customer's person only their own, CUSTOMER_NOT_FOUND otherwise."""
    call = current_call()
    call.may_see_customer(customer_id)
    async with db.read(call.organization_id) as tx:
        return await customers.get_customer(tx, customer_id)

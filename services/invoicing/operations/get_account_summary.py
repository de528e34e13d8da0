"""Tell what a customer owes, what is due and what credit they have, by currency."""

from chassis.caller import current_call
from chassis.database import Database
from services.invoicing.domain.customer import Account
from services.invoicing.operations.visibility import must_see_customer
from services.invoicing.store.customers import get_customer
from services.invoicing.store.organizations import get_organization
from services.invoicing.store.receivables import account_balances


async def get_account_summary(db: Database, customer_id: str) -> Account:
    """The customer's balances; for a customer's person their own and those below, CUSTOMER_NOT_FOUND otherwise."""
    async with db.read(current_call().organization_id) as tx:
        await must_see_customer(tx, customer_id)
        customer = await get_customer(tx, customer_id)
        today = (await get_organization(tx)).date_of(tx.now())
        balances = await account_balances(tx, customer_id, currency=customer.currency, today=today)
    return Account(customer_id, balances)

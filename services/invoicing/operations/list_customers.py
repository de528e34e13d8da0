"""List customers with what they owe."""

from chassis.caller import current_call
from chassis.database import Database
from services.invoicing.domain.customer import CustomerBalance
from services.invoicing.operations.visibility import DEFAULT_PAGE_SIZE
from services.invoicing.store import customers
from services.invoicing.store.organizations import get_organization
from services.invoicing.store.plans import overdue_by_plans


async def list_customers(
    db: Database, *, page_size: int, page_token: str, query: str, external_id: str
) -> tuple[list[CustomerBalance], str]:
    """A page by name, and the token of the next one."""
    async with db.read(current_call().organization_id) as tx:
        today = (await get_organization(tx)).date_of(tx.now())
        page, token = await customers.list_customers(
            tx,
            page_size=page_size or DEFAULT_PAGE_SIZE,
            page_token=page_token,
            query=query,
            external_id=external_id,
            today=today,
        )
        return await overdue_by_plans(tx, page, today), token

"""List schedules."""

from chassis.caller import current_call
from chassis.database import Database
from services.invoicing.domain.subscription import Status
from services.invoicing.operations.visibility import DEFAULT_PAGE_SIZE, must_see_customer, own_customer_id
from services.invoicing.store import schedules
from services.invoicing.translate.schedules import Shown


async def list_schedules(
    db: Database,
    *,
    page_size: int,
    page_token: str,
    customer_id: str,
    status: Status | None,
    external_id: str,
) -> tuple[list[Shown], str]:
    """A page, the newest first, and the token of the next one; customers see their own, and those of one below."""
    own = own_customer_id()
    async with db.read(current_call().organization_id) as tx:
        if own is not None and customer_id:
            await must_see_customer(tx, customer_id)
        page, token = await schedules.list_schedules(
            tx,
            page_size=page_size or DEFAULT_PAGE_SIZE,
            page_token=page_token,
            customer_id=customer_id or own,
            status=status,
            external_id=external_id,
        )
        customers = await schedules.customers_of(tx, page)
        return [
            Shown(
                schedule,
                customers[schedule.customer_id].name,
                schedule.today(tx.now()),
                for_staff=own is None,
            )
            for schedule in page
        ], token

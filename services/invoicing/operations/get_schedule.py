"""Get a schedule, and what it has made."""

from chassis.caller import Audience, current_call
from chassis.database import Database
from services.invoicing.domain.subscription import Outcome
from services.invoicing.operations.find_schedule import find_schedule
from services.invoicing.operations.visibility import DEFAULT_PAGE_SIZE
from services.invoicing.store.schedules import ScheduledInvoice, list_scheduled_invoices
from services.invoicing.translate.schedules import Shown


async def get_schedule(db: Database, schedule_id: str) -> Shown:
    """SCHEDULE_NOT_FOUND unless the caller may see it."""
    async with db.read(current_call().organization_id) as tx:
        found = await find_schedule(tx, schedule_id)
        return found.shown(found.schedule.today(tx.now()))


async def list_schedule_invoices(db: Database, schedule_id: str, *, page_size: int) -> list[ScheduledInvoice]:
    """The newest first; customers do not see drafts."""
    async with db.read(current_call().organization_id) as tx:
        await find_schedule(tx, schedule_id)
        found = await list_scheduled_invoices(tx, schedule_id, limit=page_size or DEFAULT_PAGE_SIZE)
    if current_call().caller.audience is Audience.CUSTOMER:
        return [made for made in found if made.outcome is not Outcome.DRAFT]
    return found

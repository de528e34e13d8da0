"""Total what the organization is owed."""

from chassis.caller import current_call
from chassis.database import Database
from services.invoicing.domain.receivables import Receivables
from services.invoicing.store.organizations import get_organization
from services.invoicing.store.receivables import receivables, waiting_drafts


async def get_receivables_overview(db: Database) -> Receivables:
    """Open, overdue, aging, days sales outstanding and top debtors by currency, as of today, and drafts."""
    async with db.read(current_call().organization_id) as tx:
        organization = await get_organization(tx)
        today = organization.date_of(tx.now())
        drafts, oldest = await waiting_drafts(tx)
        return Receivables(
            await receivables(tx, currency=organization.currency, today=today),
            today,
            drafts,
            organization.date_of(oldest) if oldest else None,
        )

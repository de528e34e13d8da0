"""Make the pay link of an invoice useless."""

from chassis import audit
from chassis.caller import current_call
from chassis.database import Database, WriteTx
from services.invoicing.store import pay_links
from services.invoicing.store.invoices import get_invoice


async def revoke_pay_link(db: Database, invoice_id: str) -> None:
    """Harmless when there is no link."""

    async def work(tx: WriteTx) -> None:
        await get_invoice(tx, invoice_id, for_update=True)
        link = await pay_links.unrevoked_pay_link(tx, invoice_id)
        if link is None:
            return
        await pay_links.revoke_pay_link(tx, link.pay_link_id)
        audit.record(tx, "pay_link.revoked", link.pay_link_id, reason=invoice_id)

    await db.run_write(current_call().organization_id, work)

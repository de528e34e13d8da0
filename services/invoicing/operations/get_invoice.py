"""Get an invoice."""

from datetime import date

from chassis.caller import current_call
from chassis.database import Database
from services.invoicing.operations.asked_invoices import AskedInvoice, asked_invoices
from services.invoicing.operations.visibility import must_see_family_invoice
from services.invoicing.store import invoices
from services.invoicing.store.organizations import get_organization


async def get_invoice(db: Database, invoice_id: str) -> tuple[AskedInvoice, date]:
    """The invoice with its lines, and today in the organization's zone."""
    async with db.read(current_call().organization_id) as tx:
        invoice = await invoices.get_invoice(tx, invoice_id)
        await must_see_family_invoice(tx, invoice)
        (asked,) = await asked_invoices(tx, [invoice])
        return asked, (await get_organization(tx)).date_of(tx.now())

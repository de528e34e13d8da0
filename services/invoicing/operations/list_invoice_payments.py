"""List what was paid on an invoice."""

from chassis.caller import current_call
from chassis.database import Database
from services.invoicing.operations.visibility import must_see_family_invoice
from services.invoicing.store.invoices import get_invoice
from services.invoicing.store.payments import InvoicePayment, payments_of_invoice


async def list_invoice_payments(db: Database, invoice_id: str) -> list[InvoicePayment]:
    """The allocations, the newest first."""
    async with db.read(current_call().organization_id) as tx:
        await must_see_family_invoice(tx, await get_invoice(tx, invoice_id))
        return await payments_of_invoice(tx, invoice_id)

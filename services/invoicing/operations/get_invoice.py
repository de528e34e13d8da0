"""Get an invoice."""

from datetime import date

from chassis.caller import current_call
from chassis.database import Database
from chassis.money import Money
from services.invoicing.domain.invoice import Invoice
from services.invoicing.operations.early_offers import early_offers
from services.invoicing.operations.visibility import must_see_family_invoice
from services.invoicing.store import invoices
from services.invoicing.store.organizations import get_organization


async def get_invoice(db: Database, invoice_id: str) -> tuple[Invoice, date, Money | None]:
    """The invoice with its lines, today in the organization's zone, and what settles it for whoever pays early."""
    async with db.read(current_call().organization_id) as tx:
        invoice = await invoices.get_invoice(tx, invoice_id)
        await must_see_family_invoice(tx, invoice)
        kept = (await early_offers(tx, [invoice])).get(invoice_id)
        return (
            invoice,
            (await get_organization(tx)).date_of(tx.now()),
            invoice.due - kept if kept is not None and invoice.reserved.is_zero else None,
        )

"""Get the invoice document."""

from chassis.caller import current_call
from chassis.database import Database
from services.invoicing.formats.invoice_pdf import file_name_of, invoice_pdf
from services.invoicing.operations.visibility import must_see_family_invoice
from services.invoicing.payments import FindTransferSlip
from services.invoicing.store.customers import get_customer
from services.invoicing.store.invoices import get_invoice
from services.invoicing.store.organizations import get_organization


async def get_invoice_pdf(db: Database, find_slip: FindTransferSlip, invoice_id: str) -> tuple[str, bytes]:
    """(file name, PDF) in the customer's language."""
    organization_id = current_call().organization_id
    async with db.read(organization_id) as tx:
        invoice = await get_invoice(tx, invoice_id)
        await must_see_family_invoice(tx, invoice)
        organization = await get_organization(tx)
        customer = await get_customer(tx, invoice.customer_id)
        today = organization.date_of(tx.now())
    slip = await find_slip(organization_id, invoice)
    return file_name_of(invoice), await invoice_pdf(
        invoice, organization, locale=customer.locale, today=today, slip=slip
    )

"""Get the invoice document."""

from chassis.caller import current_call
from chassis.database import Database
from services.invoicing.operations.invoice_paper import print_invoice, read_paper
from services.invoicing.operations.visibility import must_see_family_invoice
from services.invoicing.payments import FindTransferSlip
from services.invoicing.store.invoices import get_invoice


async def get_invoice_pdf(db: Database, find_slip: FindTransferSlip, invoice_id: str) -> tuple[str, bytes]:
    """(file name, PDF) in the customer's language."""
    async with db.read(current_call().organization_id) as tx:
        invoice = await get_invoice(tx, invoice_id)
        await must_see_family_invoice(tx, invoice)
        paper = await read_paper(tx, invoice)
    return await print_invoice(paper, find_slip)

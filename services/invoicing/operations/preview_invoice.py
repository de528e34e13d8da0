"""Work out an invoice without making it."""

from chassis.caller import current_call
from chassis.database import Database
from services.invoicing.domain.invoice_draft import InvoiceDraft
from services.invoicing.operations.issue_invoice import compose_draft
from services.invoicing.store.organizations import get_organization
from services.invoicing.translate.invoices import to_proto_invoice
from tallyport.invoicing.v1 import invoices_pb2 as pb


async def preview_invoice(db: Database, draft: InvoiceDraft) -> pb.Invoice:
    """The draft as it would be, without an id; refused as CreateInvoice would refuse it."""
    async with db.read(current_call().organization_id) as tx:
        organization = await get_organization(tx)
        composed = await compose_draft(tx, organization, draft, to_wait=True)
        answer = to_proto_invoice(composed, organization.date_of(tx.now()))
    answer.invoice_id = ""
    return answer

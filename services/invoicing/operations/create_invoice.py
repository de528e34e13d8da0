"""Create a draft."""

from chassis.database import Database, WriteTx
from chassis.idempotency import once
from services.invoicing.domain.invoice_draft import InvoiceDraft
from services.invoicing.operations.issue_invoice import draft_invoice
from tallyport.invoicing.v1 import invoices_pb2 as pb


async def create_invoice(db: Database, draft: InvoiceDraft) -> pb.Invoice:
    """The new draft, with items, terms and dates filled in."""

    async def work(tx: WriteTx) -> pb.Invoice:
        _, answer = await draft_invoice(tx, draft)
        return answer

    return await once(db, pb.Invoice, work)

"""Make a draft final: number, booking, event. From then on it can only be paid or voided."""

from chassis.database import Database, WriteTx
from chassis.idempotency import once
from services.invoicing.operations.issue_invoice import issue_invoice
from services.invoicing.store.invoices import get_invoice
from tallyport.invoicing.v1 import invoices_pb2 as pb


async def finalize_invoice(db: Database, invoice_id: str, *, override_reason: str = "") -> pb.Invoice:
    """The invoice with its number. INVOICE_NOT_DRAFT if it is final already; refused as `issue_invoice` has it."""

    async def work(tx: WriteTx) -> pb.Invoice:
        draft = await get_invoice(tx, invoice_id, for_update=True)
        _, answer = await issue_invoice(tx, draft, override_reason=override_reason)
        return answer

    return await once(db, pb.Invoice, work)

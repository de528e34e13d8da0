"""Take an open invoice out of the books."""

from chassis import audit
from chassis.database import Database, WriteTx
from chassis.idempotency import once
from services.invoicing.domain import ledger as books
from services.invoicing.operations.end_with_debt import end_with_debt
from services.invoicing.store import invoices, ledger
from services.invoicing.store.organizations import get_organization
from services.invoicing.translate import events
from services.invoicing.translate.invoices import to_proto_invoice
from tallyport.invoicing.v1 import invoices_pb2 as pb


async def void_invoice(db: Database, invoice_id: str, reason: str) -> pb.Invoice:
    """The voided invoice; its number stays used. INVOICE_NOT_VOIDABLE or INVOICE_BEING_PAID if it cannot be."""

    async def work(tx: WriteTx) -> pb.Invoice:
        today = (await get_organization(tx)).date_of(tx.now())
        before = await invoices.get_invoice(tx, invoice_id, for_update=True)
        invoice = before.voided()
        await invoices.update_invoice(tx, invoice)
        await ledger.post(tx, [books.voiding(invoice, tx.now())])
        events.invoice_voided(tx, invoice, reason)
        await end_with_debt(tx, before, invoice, why=reason)
        answer = to_proto_invoice(await invoices.get_invoice(tx, invoice_id), today)
        audit.record(
            tx, "invoice.voided", invoice_id, reason=reason,
            before=to_proto_invoice(before, today).SerializeToString(deterministic=True),
            after=answer.SerializeToString(deterministic=True),
        )  # fmt: skip
        return answer

    return await once(db, pb.Invoice, work)

"""Make a draft final: number, booking, event. From then on it can only be paid or voided."""

from chassis import audit
from chassis.database import Database, WriteTx
from chassis.idempotency import once
from services.invoicing.domain import ledger as books
from services.invoicing.store import invoices, ledger
from services.invoicing.store.customers import get_customer
from services.invoicing.store.organizations import get_organization
from services.invoicing.translate import events
from services.invoicing.translate.invoices import to_proto_invoice
from tallyport.invoicing.v1 import invoices_pb2 as pb


async def finalize_invoice(db: Database, invoice_id: str) -> pb.Invoice:
    """The invoice with its number. INVOICE_NOT_DRAFT if it is final already."""

    async def work(tx: WriteTx) -> pb.Invoice:
        today = (await get_organization(tx)).date_of(tx.now())
        draft = await invoices.get_invoice(tx, invoice_id, for_update=True)
        draft.must_be_draft()
        customer = await get_customer(tx, draft.customer_id)
        invoice = draft.finalized(await free_number(tx), customer.as_buyer(), tx.now())
        await invoices.update_invoice(tx, invoice)
        await ledger.post(tx, [books.finalization(invoice, tx.now())])
        answer = to_proto_invoice(invoice, today)
        events.invoice_finalized(tx, invoice, customer, notify=True)
        audit.record(
            tx, "invoice.finalized", invoice_id,
            before=to_proto_invoice(draft, today).SerializeToString(deterministic=True),
            after=answer.SerializeToString(deterministic=True),
        )  # fmt: skip
        return answer

    return await once(db, pb.Invoice, work)


async def free_number(tx: WriteTx) -> str:
    """The next number of the series that no imported invoice brought along."""
    while True:
        number = f"INV-{await invoices.next_number(tx):06d}"
        if not await invoices.taken_numbers(tx, [number]):
            return number

"""Create a draft."""

from dataclasses import replace
from datetime import timedelta

from chassis import audit
from chassis.database import Database, WriteTx
from chassis.errors import invalid
from chassis.idempotency import once
from chassis.ids import new_id
from services.invoicing.domain.invoice import Invoice, new_draft
from services.invoicing.domain.invoice_draft import InvoiceDraft, fill_lines
from services.invoicing.store.customers import get_customer
from services.invoicing.store.invoices import insert_invoices
from services.invoicing.store.items import get_items
from services.invoicing.store.organizations import get_organization
from services.invoicing.translate.invoices import to_proto_invoice
from tallyport.invoicing.v1 import invoices_pb2 as pb


async def create_invoice(db: Database, draft: InvoiceDraft) -> pb.Invoice:
    """The new draft, with items, terms and dates filled in."""

    async def work(tx: WriteTx) -> pb.Invoice:
        today = (await get_organization(tx)).date_of(tx.now())
        customer = await get_customer(tx, draft.customer_id)
        items = await get_items(tx, {line.item_id for line in draft.lines if line.item_id})
        invoice_date = draft.invoice_date or today
        empty = replace(
            new_draft(
                invoice_id=new_id("inv"),
                customer_id=customer.customer_id,
                currency=customer.currency,
                buyer=customer.as_buyer(),
                invoice_date=invoice_date,
                due_date=draft.due_date or invoice_date + timedelta(days=customer.payment_terms_days),
                created_at=tx.now(),
            ),
            purchase_order_number=draft.purchase_order_number,
            memo=draft.memo,
            external_id=draft.external_id,
        )
        must_fall_due_in_time(empty)
        invoice = empty.with_lines(fill_lines(draft.lines, items, customer.currency))
        await insert_invoices(tx, [invoice])
        answer = to_proto_invoice(invoice, today)
        audit.record(
            tx, "invoice.created", invoice.invoice_id, after=answer.SerializeToString(deterministic=True)
        )
        return answer

    return await once(db, pb.Invoice, work)


def must_fall_due_in_time(invoice: Invoice) -> None:
    """VALIDATION_FAILED for an invoice that would be due before it is written."""
    if invoice.due_date < invoice.invoice_date:
        raise invalid("due_date", "too_early", "The due date is before the invoice date.")

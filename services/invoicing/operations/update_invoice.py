"""Change a draft."""

from dataclasses import replace

from chassis import audit
from chassis.caller import current_call
from chassis.database import Database, WriteTx
from services.invoicing.domain.invoice import Invoice
from services.invoicing.domain.invoice_draft import InvoiceChanges, fill_lines, must_be_dated
from services.invoicing.operations.issue_invoice import taxation_of
from services.invoicing.store import invoices
from services.invoicing.store.customers import get_customer
from services.invoicing.store.items import get_items
from services.invoicing.store.organizations import get_organization
from services.invoicing.translate.invoices import to_proto_invoice
from tallyport.invoicing.v1 import invoices_pb2 as pb


async def update_invoice(db: Database, invoice_id: str, changes: InvoiceChanges) -> pb.Invoice:
    """The draft as it is then. INVOICE_NOT_DRAFT once it is final."""

    async def work(tx: WriteTx) -> pb.Invoice:
        organization = await get_organization(tx)
        today = organization.date_of(tx.now())
        before = await invoices.get_invoice(tx, invoice_id, for_update=True)
        before.must_be_draft()
        after = _with_fields(before, changes)
        must_be_dated(after, today)
        if changes.lines:
            items = await get_items(tx, {line.item_id for line in changes.lines if line.item_id})
            customer = await get_customer(tx, after.customer_id)
            lines = fill_lines(
                changes.lines, items, after.currency,
                await taxation_of(tx, organization, customer, after.invoice_date),
                prices_include_tax=after.terms.prices_include_tax,
            )  # fmt: skip
            after = after.with_lines(lines)
            await invoices.replace_lines(tx, after)
        await invoices.update_invoice(tx, after)
        answer = to_proto_invoice(after, today)
        audit.record(
            tx, "invoice.updated", invoice_id,
            before=to_proto_invoice(before, today).SerializeToString(deterministic=True),
            after=answer.SerializeToString(deterministic=True),
        )  # fmt: skip
        return answer

    return await db.run_write(current_call().organization_id, work)


def _with_fields(invoice: Invoice, changes: InvoiceChanges) -> Invoice:
    order_number = changes.purchase_order_number
    due_date, until = changes.due_date or invoice.due_date, invoice.terms.early_discount_until
    inherited = {} if until is None else {"early_discount_until": min(until, due_date)}
    return replace(
        invoice,
        invoice_date=changes.invoice_date or invoice.invoice_date,
        due_date=due_date,
        purchase_order_number=invoice.purchase_order_number if order_number is None else order_number,
        memo=invoice.memo if changes.memo is None else changes.memo,
        version=invoice.version + 1,
    ).with_terms(replace(invoice.terms, **{**inherited, **changes.terms}))

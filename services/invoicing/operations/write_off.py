"""Write off what is due, and ask for it again."""

from chassis import audit
from chassis.database import Database, WriteTx
from chassis.idempotency import once
from chassis.ids import new_id
from services.invoicing.domain.adjustment import AdjustmentKind
from services.invoicing.domain.invoice import Invoice
from services.invoicing.operations.adjust_invoice import Reduction, adjust
from services.invoicing.operations.end_with_debt import end_with_debt
from services.invoicing.store.invoices import get_invoice, update_balances
from services.invoicing.store.organizations import get_organization
from services.invoicing.translate import events
from services.invoicing.translate.invoices import to_proto_invoice
from tallyport.invoicing.v1 import invoices_pb2 as pb


async def mark_uncollectible(db: Database, invoice_id: str, reason: str) -> pb.Invoice:
    """Nobody expects what is due any more; money that comes is taken. INVOICE_NOT_PAYABLE, INVOICE_BEING_PAID.

    The tax stays with the bad debt: when it may be claimed back differs by law and is a booking of its own.
    """

    async def work(tx: WriteTx) -> pb.Invoice:
        before = await get_invoice(tx, invoice_id, for_update=True)
        return await _write(tx, before, before.marked_uncollectible(tx.now()), reason)

    return await once(db, pb.Invoice, work)


async def revert_write_off(db: Database, invoice_id: str, reason: str) -> pb.Invoice:
    """What was written off is asked for again. INVOICE_NOT_WRITTEN_OFF."""

    async def work(tx: WriteTx) -> pb.Invoice:
        before = await get_invoice(tx, invoice_id, for_update=True)
        return await _write(tx, before, before.expected_again(tx.now()), reason)

    return await once(db, pb.Invoice, work)


async def _write(tx: WriteTx, before: Invoice, after: Invoice, reason: str) -> pb.Invoice:
    amount = after.written_off - before.written_off
    await update_balances(tx, [after])
    reduction = Reduction(
        kind=AdjustmentKind.WRITE_OFF, source_id=new_id("wof"), amount=amount, reason=reason
    )
    await adjust(tx, before, reduction)
    events.invoice_adjusted(tx, after, AdjustmentKind.WRITE_OFF, amount)
    if not amount.is_negative:
        await end_with_debt(tx, before, after, why=reason)
        after = await get_invoice(tx, after.invoice_id)
    today = (await get_organization(tx)).date_of(tx.now())
    told = to_proto_invoice(after, today)
    audit.record(
        tx, "invoice.write_off_reverted" if amount.is_negative else "invoice.written_off", after.invoice_id,
        reason=reason, before=to_proto_invoice(before, today).SerializeToString(deterministic=True),
        after=told.SerializeToString(deterministic=True),
    )  # fmt: skip
    return told

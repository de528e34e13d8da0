"""Object to an invoice: from now on that part is not asked for."""

from collections.abc import Sequence
from dataclasses import replace

from chassis import audit
from chassis.caller import current_call
from chassis.database import Database, WriteTx
from chassis.idempotency import once
from chassis.ids import new_id
from chassis.money import Money
from services.invoicing.domain.dispute import (
    PREFIX,
    Dispute,
    DisputeReason,
    DisputeState,
    Objection,
    Side,
    Step,
    disputed_amount,
    due_times,
)
from services.invoicing.domain.invoice import Invoice
from services.invoicing.operations.read_disputes import caller_side, view_of
from services.invoicing.operations.visibility import must_see_family_invoice
from services.invoicing.store import disputes as store
from services.invoicing.store.customers import get_customer
from services.invoicing.store.invoices import get_invoice
from services.invoicing.translate import dispute_events as events
from tallyport.invoicing.v1 import disputes_pb2 as pb


async def open_dispute(db: Database, invoice_id: str, objection: Objection) -> pb.Dispute:
    """The dispute. INVOICE_NOT_FOUND, INVOICE_NOT_PAYABLE, INVOICE_LINE_NOT_FOUND, DISPUTE_EXCEEDS_DUE."""

    async def work(tx: WriteTx) -> pb.Dispute:
        invoice = await get_invoice(tx, invoice_id, for_update=True)
        await must_see_family_invoice(tx, invoice)
        amount = disputed_amount(invoice, objection)
        side, name = caller_side(), current_call().caller.subject_name or ""
        answer_due_at, resolve_due_at = due_times(await store.get_policy(tx), tx.now())
        dispute = Dispute(
            dispute_id=new_id(PREFIX), invoice_id=invoice_id, customer_id=invoice.customer_id, amount=amount,
            lines=tuple(
                replace(one, description=invoice.lines[one.line_no - 1].description)
                for one in objection.lines
            ),
            reason=objection.reason, text=objection.text, state=DisputeState.OPEN, opened_by=side,
            opened_by_name=name, opened_at=tx.now(), answer_due_at=answer_due_at,
            resolve_due_at=resolve_due_at, credited=Money.zero(amount.currency),
        )  # fmt: skip
        await store.insert_disputes(tx, [dispute])
        await store.add_entry(tx, dispute, Step.OPENED, side, author_name=name, words=objection.text)
        await store.sum_up(tx, invoice_id)
        customer = await get_customer(tx, invoice.customer_id)
        events.dispute_opened(tx, dispute, invoice, customer, notify=side is Side.CUSTOMER)
        audit.record(tx, "dispute.opened", dispute.dispute_id, reason=objection.text[:500])
        return await view_of(tx, dispute.dispute_id)

    return await once(db, pb.Dispute, work)


async def note_imported_disputes(tx: WriteTx, imported: Sequence[Invoice]) -> None:
    """Invoices that an import just made and marked as disputed are shown as disputes too. Nobody is written to."""
    disputed = [one for one in imported if one.is_disputed and one.is_payable]
    if not disputed:
        return
    answer_due_at, resolve_due_at = due_times(await store.get_policy(tx), tx.now())
    await store.insert_disputes(
        tx,
        [
            Dispute(
                dispute_id=new_id(PREFIX), invoice_id=one.invoice_id, customer_id=one.customer_id,
                amount=one.disputed, lines=(), reason=DisputeReason.OTHER, text="", state=DisputeState.OPEN,
                opened_by=Side.SYSTEM, opened_by_name="", opened_at=tx.now(), answer_due_at=answer_due_at,
                resolve_due_at=resolve_due_at, credited=Money.zero(one.currency), imported=True,
                event_version=0,
            )
            for one in disputed
        ],
    )  # fmt: skip

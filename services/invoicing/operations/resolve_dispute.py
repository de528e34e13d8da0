"""Close a dispute: credited in full or in part, turned down, or taken back."""

from dataclasses import replace

from chassis import audit
from chassis.caller import current_call
from chassis.database import Database, WriteTx
from chassis.idempotency import once
from chassis.money import Money
from services.invoicing.domain.credit_note import CreditReason, CreditWish, LineWish, creditable
from services.invoicing.domain.dispute import Dispute, DisputeReason, DisputeState, Step
from services.invoicing.domain.invoice import Invoice
from services.invoicing.operations.issue_credit_note import Why, issue_credit_note
from services.invoicing.operations.read_disputes import caller_side, must_see_dispute, view_of
from services.invoicing.store import disputes as store
from services.invoicing.store.customers import get_customer
from services.invoicing.store.invoices import get_invoice
from services.invoicing.translate import dispute_events as events
from tallyport.invoicing.v1 import disputes_pb2 as pb

_CREDIT_REASONS = {
    DisputeReason.NOT_RECEIVED: CreditReason.NOT_AS_AGREED,
    DisputeReason.NOT_AS_AGREED: CreditReason.NOT_AS_AGREED,
    DisputeReason.DUPLICATE: CreditReason.DUPLICATE,
    DisputeReason.WRONG_AMOUNT: CreditReason.CORRECTION,
    DisputeReason.WRONG_DETAILS: CreditReason.CORRECTION,
}


async def resolve_dispute(
    db: Database, dispute_id: str, outcome: DisputeState, credit: Money | None, words: str
) -> pb.Dispute:
    """Decide. DISPUTE_NOT_FOUND, DISPUTE_CLOSED, and what a credit note is refused with."""

    async def work(tx: WriteTx) -> pb.Dispute:
        dispute, invoice = await _locked(tx, dispute_id)
        credited = dispute.credit(outcome, credit, creditable(invoice))
        await _close(tx, dispute.closed(outcome, words, tx.now(), credited), invoice)
        return await view_of(tx, dispute_id)

    return await once(db, pb.Dispute, work)


async def withdraw_dispute(db: Database, dispute_id: str) -> pb.Dispute:
    """Take it back. DISPUTE_NOT_FOUND, DISPUTE_CLOSED."""

    async def work(tx: WriteTx) -> pb.Dispute:
        dispute, invoice = await _locked(tx, dispute_id)
        await _close(tx, dispute.closed(DisputeState.WITHDRAWN, "", tx.now()), invoice)
        return await view_of(tx, dispute_id)

    return await db.run_write(current_call().organization_id, work)


async def _locked(tx: WriteTx, dispute_id: str) -> tuple[Dispute, Invoice]:
    """An open dispute and its invoice, the invoice locked first as everywhere."""
    found = await store.get_dispute(tx, dispute_id)
    await must_see_dispute(tx, found.invoice_id)
    invoice = await get_invoice(tx, found.invoice_id, for_update=True)
    dispute = await store.lock_dispute(tx, dispute_id)
    dispute.must_be_open()
    return dispute, invoice


async def _close(tx: WriteTx, dispute: Dispute, invoice: Invoice) -> None:
    """The invoice no more counts it as disputed; only then it is credited."""
    await store.update_dispute(tx, dispute)
    await store.sum_up(tx, invoice.invoice_id)
    if not dispute.credited.is_zero:
        why = Why(_CREDIT_REASONS.get(dispute.reason, CreditReason.OTHER), dispute.resolution)
        note = await issue_credit_note(tx, _wish(dispute), why)
        dispute = replace(dispute, credit_note_id=note.credit_note_id)
    after = await get_invoice(tx, invoice.invoice_id)
    dispute = events.dispute_resolved(tx, dispute, after, await get_customer(tx, dispute.customer_id))
    await store.update_dispute(tx, dispute)
    name = current_call().caller.subject_name or ""
    await store.add_entry(tx, dispute, Step.CLOSED, caller_side(), author_name=name, words=dispute.resolution)
    audit.record(tx, f"dispute.{dispute.state.value}", dispute.dispute_id, reason=dispute.resolution)


def _wish(dispute: Dispute) -> CreditWish:
    """The lines if the credit is just what they come to, else an amount."""
    lines = [LineWish(one.line_no, amount=one.amount) for one in dispute.lines if one.amount is not None]
    in_lines = sum((one.amount for one in lines if one.amount), Money.zero(dispute.amount.currency))
    if lines and len(lines) == len(dispute.lines) and in_lines == dispute.credited:
        return CreditWish(invoice_id=dispute.invoice_id, lines=lines)
    return CreditWish(invoice_id=dispute.invoice_id, amount=dispute.credited)

"""What hangs on an invoice ends with it, once nothing of it is asked for though nobody paid it."""

from collections.abc import Sequence
from dataclasses import replace

from chassis import audit
from chassis.database import WriteTx
from chassis.money import Money
from services.invoicing.domain.dispute import Dispute, DisputeState, Side, Step
from services.invoicing.domain.instalment_plan import InstalmentPlan, PlanState
from services.invoicing.domain.invoice import Invoice, Status
from services.invoicing.store import disputes, instalment_plans
from services.invoicing.store.adjustments import adjustments_of
from services.invoicing.store.customers import get_customer
from services.invoicing.store.invoices import find_invoices, get_invoice
from services.invoicing.store.plans import wake
from services.invoicing.translate import dispute_events, plan_events

NOTHING_OWED = "Nothing of it is owed any more."


async def end_with_debt(tx: WriteTx, before: Invoice, after: Invoice, *, why: str) -> None:
    """Settle the disputes and end the plans of a locked invoice that was just voided, credited or written off.

    Nothing is done while something of it is still asked for, and what was paid while it was disputed stays in
    dispute: the customer may want it back. Promises are about all that a customer owes: they are
    looked at by the job.
    """
    wake(tx, [after.customer_id])
    is_gone = before.due.minor_units > 0 and after.due.is_zero
    if not is_gone and after.credited != after.total:
        return
    objections = await disputes.lock_open_disputes(tx, after.invoice_id)
    if await _are_met(tx, after, objections):
        for dispute in objections:
            await _settle(tx, dispute, why)
    for plan_id in sorted(
        one.plan_id for one in await instalment_plans.live_plans_over(tx, [after.invoice_id])
    ):
        plan = await instalment_plans.lock_plan(tx, plan_id)
        if plan is not None and plan.open.is_zero:
            await _end(tx, plan, why)


async def _are_met(tx: WriteTx, after: Invoice, objections: Sequence[Dispute]) -> bool:
    """Whether as much as is disputed went away without money since the first of them was opened."""
    if not objections or after.status is Status.VOID or after.credited == after.total:
        return True
    nothing = Money.zero(after.currency)
    reduced = [
        made.adjustment.amount
        for made in await adjustments_of(tx, after.invoice_id)
        if made.created_at >= objections[0].opened_at
    ]
    return sum(reduced, nothing) >= sum((one.amount for one in objections), nothing)


async def _settle(tx: WriteTx, dispute: Dispute, why: str) -> None:
    """The customer objected to what is not asked for any more: there is nothing to decide."""
    closed = dispute.closed(DisputeState.SETTLED, "", tx.now())
    await disputes.update_dispute(tx, closed)
    await disputes.sum_up(tx, dispute.invoice_id)
    invoice = await get_invoice(tx, dispute.invoice_id)
    customer = await get_customer(tx, dispute.customer_id)
    told = dispute_events.dispute_resolved(tx, closed, invoice, customer)
    await disputes.update_dispute(tx, told)
    await disputes.add_entry(tx, told, Step.CLOSED, Side.SYSTEM, author_name="", words="")
    audit.record(tx, "dispute.settled", dispute.dispute_id, reason=why)


async def _end(tx: WriteTx, plan: InstalmentPlan, why: str) -> None:
    """A plan of which something was paid is complete without the rest; any other one was of no use."""
    customer = await get_customer(tx, plan.customer_id)
    invoices = await find_invoices(tx, [one.invoice_id for one in plan.invoices])
    is_paid_in_part = any(one.paid.minor_units > 0 for one in invoices)
    if plan.state is PlanState.ACTIVE and is_paid_in_part:
        ended = plan_events.plan_completed(tx, plan.moved(PlanState.COMPLETED, at=tx.now()), customer)
    else:
        ended = replace(plan.moved(PlanState.CANCELED, at=tx.now()), note=NOTHING_OWED)
        ended = plan_events.plan_ended(tx, ended, customer)
    await instalment_plans.update_plan(tx, ended, wake_at=None)
    audit.record(tx, f"instalment_plan.{ended.state.value}", plan.plan_id, reason=why)

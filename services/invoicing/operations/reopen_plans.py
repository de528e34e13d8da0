"""A payment went back after its plan was complete: the plan goes on where the rest of the money leaves it."""

from collections.abc import Collection
from dataclasses import replace

from chassis import audit
from chassis.database import WriteTx
from services.invoicing.domain.instalment_plan import PlanState
from services.invoicing.operations.run_plans import looked_at
from services.invoicing.store import instalment_plans as plans
from services.invoicing.store.customers import get_customer
from services.invoicing.store.organizations import get_organization
from services.invoicing.translate import plan_events as events


async def reopen_plans(tx: WriteTx, invoice_ids: Collection[str]) -> None:
    """Have complete plans over these locked invoices, of which something is due again, go on, or break by their rule.

    A plan is left complete where a newer one has one of its invoices.
    """
    for plan in await plans.lock_completed_plans(tx, invoice_ids):
        if plan.open.is_zero or await plans.live_plans_over(tx, [one.invoice_id for one in plan.invoices]):
            continue
        organization = await get_organization(tx)
        today = organization.date_of(tx.now())
        active = replace(plan.moved(PlanState.ACTIVE, at=tx.now()), checked_on=today)
        customer = await get_customer(tx, plan.customer_id)
        audit.record(tx, "instalment_plan.reopened", plan.plan_id)
        reopened = events.plan_reopened(tx, active, customer, active.due_now(today))
        after = await looked_at(tx, reopened, organization)
        wake_on = after.next_wake()
        await plans.update_plan(tx, after, wake_at=organization.start_of(wake_on) if wake_on else None)

"""Look at plans and promises by the clock and when money came: announce, complete, break. Each thing happens once."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta

from chassis import audit
from chassis.caller import call_scope, service_call
from chassis.database import Database, WriteTx
from services.invoicing.domain.instalment_plan import InstalmentPlan, PlanState
from services.invoicing.domain.organization import Organization
from services.invoicing.domain.payment_promise import PromiseState
from services.invoicing.store import instalment_plans as plans
from services.invoicing.store import payment_promises as promises
from services.invoicing.store.customers import get_customer
from services.invoicing.store.organizations import get_organization
from services.invoicing.translate import plan_events as events

LAPSED_NOTE = "The offer was not accepted in time."


async def run_plans(db: Database, *, limit: int) -> int:
    """Up to `limit` plans and promises of all organizations; returns how many."""
    async with db.sweep() as tx:
        waking = await plans.awake_plans(tx, limit=limit)
        promised = await promises.awake_promises(tx, limit=limit - len(waking)) if len(waking) < limit else []
    for organization_id, plan_id in waking:
        with call_scope(service_call("invoicing", organization_id)):
            await db.run_write(organization_id, _plan_step(plan_id))
    for organization_id, promise_id in promised:
        with call_scope(service_call("invoicing", organization_id)):
            await db.run_write(organization_id, _promise_step(promise_id))
    return len(waking) + len(promised)


def _plan_step(plan_id: str) -> Callable[[WriteTx], Awaitable[None]]:
    async def step(tx: WriteTx) -> None:
        plan = await plans.lock_plan(tx, plan_id, skip=True)
        if plan is None:
            return
        organization = await get_organization(tx)
        after = await looked_at(tx, plan, organization)
        wake_on = after.next_wake()
        await plans.update_plan(tx, after, wake_at=organization.start_of(wake_on) if wake_on else None)

    return step


async def looked_at(tx: WriteTx, plan: InstalmentPlan, organization: Organization) -> InstalmentPlan:
    """The plan as its rules have it today."""
    today = organization.date_of(tx.now())
    customer = await get_customer(tx, plan.customer_id)
    if plan.state is PlanState.OFFERED and plan.offered_until is not None and today > plan.offered_until:
        lapsed = replace(plan.moved(PlanState.CANCELED, at=tx.now()), note=LAPSED_NOTE)
        audit.record(tx, "instalment_plan.lapsed", plan.plan_id)
        return events.plan_ended(tx, lapsed, customer)
    if plan.state is not PlanState.ACTIVE:
        return plan
    if plan.open.is_zero:
        audit.record(tx, "instalment_plan.completed", plan.plan_id)
        return events.plan_completed(tx, plan.moved(PlanState.COMPLETED, at=tx.now()), customer)
    if not plan.is_on_track(today):
        missed = plan.due_now(today)
        audit.record(tx, "instalment_plan.broken", plan.plan_id)
        return events.plan_broken(tx, plan.moved(PlanState.BROKEN, at=tx.now()), customer, missed)
    coming = plan.to_announce(today)
    after = replace(plan, announced=plan.reached_by_notice(today), checked_on=today)
    if coming is None:
        return after
    owed = plan.schedule.due_now(plan.paid + plan.processing, coming.due_on)
    return events.instalment_due(tx, after, customer, coming, owed)


def _promise_step(promise_id: str) -> Callable[[WriteTx], Awaitable[None]]:
    async def step(tx: WriteTx) -> None:
        promise = await promises.lock_promise(tx, promise_id)
        organization = await get_organization(tx)
        today = organization.date_of(tx.now())
        outcome = promise.outcome(today)
        wake_at = None
        if promise.state is PromiseState.OPEN and outcome is PromiseState.OPEN:
            wake_at = organization.start_of(max(promise.breaks_on, today + timedelta(days=1)))
        elif promise.state is PromiseState.OPEN:
            customer = await get_customer(tx, promise.customer_id)
            promise = replace(promise, state=outcome, ended_at=tx.now())
            promise = events.promise_ended(tx, promise, customer)
            audit.record(tx, f"payment_promise.{outcome}", promise_id)
        await promises.update_promise(tx, promise, wake_at=wake_at)

    return step

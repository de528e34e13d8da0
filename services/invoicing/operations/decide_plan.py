"""Staff decide on requests; plans, offers and requests are given up."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

from chassis import audit
from chassis.caller import Audience, current_call
from chassis.database import Database, WriteTx
from chassis.errors import Kind, ServiceError, invalid
from chassis.money import Money
from services.invoicing.domain.customer import Customer
from services.invoicing.domain.instalment_plan import (
    LIVE,
    WAITING,
    Choice,
    InstalmentPlan,
    PlanState,
    Schedule,
)
from services.invoicing.domain.organization import Organization
from services.invoicing.domain.plan_proposal import propose, spread_discount
from services.invoicing.operations.read_plans import must_see_plan, view_of
from services.invoicing.operations.request_plan import must_be_offerable, offered_until
from services.invoicing.store.customers import get_customer
from services.invoicing.store.instalment_plans import lock_plan, update_plan
from services.invoicing.store.organizations import get_organization
from services.invoicing.translate import plan_events as events
from tallyport.invoicing.v1 import instalment_plans_pb2 as pb

Change = Callable[[WriteTx, InstalmentPlan, Customer, Organization], Awaitable[InstalmentPlan]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Approval:
    """What staff say to a request; no choice means as it was asked for."""

    choice: Choice | None
    discount: Money | None
    note: str


async def approve_plan(db: Database, plan_id: str, approval: Approval) -> pb.InstalmentPlan:
    """An offer for what is owed by now. PLAN_NOT_FOUND, PLAN_CHANGED, VALIDATION_FAILED."""

    async def change(
        tx: WriteTx, plan: InstalmentPlan, customer: Customer, organization: Organization
    ) -> InstalmentPlan:
        plan.must_be(PlanState.REQUESTED)
        today = organization.date_of(tx.now())
        discount = approval.discount or Money.zero(plan.currency)
        if discount.currency != plan.currency:
            raise invalid("hardship_discount", "currency", f"This debt is in {plan.currency}.")
        choice = approval.choice or plan.choice
        if approval.choice is None and choice.first_due_on is not None:
            choice = replace(choice, first_due_on=max(choice.first_due_on, today))
        invoices = [replace(one, at_start=one.due) for one in plan.invoices if one.due.minor_units > 0]
        if not invoices:
            raise invalid("plan_id", "paid", "Nothing of it is open any more.")
        proposal = propose(plan.customer_id, invoices, plan.rules, choice, today=today, discount=discount)
        must_be_offerable(proposal, discount)
        paid = [replace(one, at_start=one.due) for one in plan.invoices if one.due.minor_units <= 0]
        schedule = Schedule(proposal.instalments, plan.rules.grace_days, plan.rules.missed_to_break)
        offered = replace(
            plan.moved(PlanState.OFFERED, at=tx.now()), choice=proposal.choice, schedule=schedule,
            invoices=(*spread_discount(invoices, discount), *paid), discount=discount,
            note=approval.note, offered_until=offered_until(schedule, today), decided_at=tx.now(),
            decided_by_name=_name(),
        )  # fmt: skip
        return events.plan_offered(tx, offered, customer, notify=True)

    return await _changed(db, plan_id, change, "instalment_plan.approved", approval.note)


async def reject_plan(db: Database, plan_id: str, reason: str) -> pb.InstalmentPlan:
    """Say no. PLAN_NOT_FOUND, PLAN_CHANGED."""

    async def change(
        tx: WriteTx, plan: InstalmentPlan, customer: Customer, organization: Organization
    ) -> InstalmentPlan:
        plan.must_be(PlanState.REQUESTED)
        rejected = replace(
            plan.moved(PlanState.REJECTED, at=tx.now()), note=reason, decided_at=tx.now(),
            decided_by_name=_name(),
        )  # fmt: skip
        return events.plan_ended(tx, rejected, customer)

    return await _changed(db, plan_id, change, "instalment_plan.rejected", reason)


async def cancel_plan(db: Database, plan_id: str, reason: str) -> pb.InstalmentPlan:
    """Give it up: all is due as before. Customers give up requests and offers. PLAN_NOT_FOUND, PLAN_CHANGED."""
    by_customer = current_call().caller.audience is Audience.CUSTOMER

    async def change(
        tx: WriteTx, plan: InstalmentPlan, customer: Customer, organization: Organization
    ) -> InstalmentPlan:
        if by_customer and plan.state is PlanState.ACTIVE:
            raise ServiceError(
                Kind.FAILED_PRECONDITION, "PLAN_CHANGED",
                "This plan has begun. To end it, simply pay all of it, or ask us.",
            )  # fmt: skip
        plan.must_be(*(WAITING if by_customer else LIVE))
        canceled = replace(plan.moved(PlanState.CANCELED, at=tx.now()), note=reason or plan.note)
        return events.plan_ended(tx, canceled, customer)

    return await _changed(db, plan_id, change, "instalment_plan.canceled", reason)


async def _changed(db: Database, plan_id: str, change: Change, action: str, reason: str) -> pb.InstalmentPlan:
    async def work(tx: WriteTx) -> pb.InstalmentPlan:
        plan = await lock_plan(tx, plan_id)
        assert plan is not None
        await must_see_plan(tx, plan)
        organization = await get_organization(tx)
        customer = await get_customer(tx, plan.customer_id)
        after = await change(tx, plan, customer, organization)
        wake_on = after.next_wake()
        await update_plan(tx, after, wake_at=organization.start_of(wake_on) if wake_on else None)
        audit.record(tx, action, plan_id, reason=reason)
        return view_of(after, customer, organization, today=organization.date_of(tx.now()))

    return await db.run_write(current_call().organization_id, work)


def _name() -> str:
    return current_call().caller.subject_name or ""

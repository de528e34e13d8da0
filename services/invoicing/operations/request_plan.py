"""Ask for an instalment plan, or offer one to somebody who called."""

from dataclasses import dataclass
from datetime import date, timedelta

from chassis import audit
from chassis.caller import Audience, current_call
from chassis.database import Database, WriteTx
from chassis.errors import invalid
from chassis.idempotency import once
from chassis.ids import new_id
from chassis.money import Money
from services.invoicing.domain.customer import Customer
from services.invoicing.domain.instalment_plan import (
    OFFER_DAYS,
    PREFIX,
    InstalmentPlan,
    PlanState,
    Schedule,
)
from services.invoicing.domain.organization import Organization
from services.invoicing.domain.plan_policy import PlanRules
from services.invoicing.domain.plan_proposal import Proposal, spread_discount
from services.invoicing.operations.propose_instalments import Wanted, proposed
from services.invoicing.operations.read_plans import view_of
from services.invoicing.store.instalment_plans import insert_plan
from services.invoicing.store.organizations import get_organization
from services.invoicing.translate import plan_events as events
from tallyport.invoicing.v1 import instalment_plans_pb2 as pb


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """Why somebody asks, and what they could pay each time."""

    hardship: bool
    reasons: tuple[str, ...]
    message: str
    wished: Money | None


NO_NEED = Need(hardship=False, reasons=(), message="", wished=None)


async def request_plan(db: Database, wanted: Wanted, need: Need) -> pb.InstalmentPlan:
    """A request for staff, or an offer at once. PLAN_EXISTS, PLAN_NOT_ALLOWED, PLAN_TERMS_NOT_ALLOWED."""

    async def work(tx: WriteTx) -> pb.InstalmentPlan:
        organization = await get_organization(tx)
        today = organization.date_of(tx.now())
        proposal, customer = await proposed(tx, wanted, today)
        proposal.must_be_within_policy()
        if need.wished is not None and need.wished.currency != proposal.total.currency:
            raise invalid("wished_amount", "currency", f"This debt is in {proposal.total.currency}.")
        at_once = proposal.decided_at_once and not need.hardship
        state = PlanState.OFFERED if at_once else PlanState.REQUESTED
        plan = new_plan(tx, proposal, state, need=need, today=today)
        if at_once:
            by_customer = current_call().caller.audience is Audience.CUSTOMER
            plan = events.plan_offered(tx, plan, customer, notify=not by_customer)
        else:
            plan = events.plan_requested(tx, plan, customer)
        return await _kept(tx, plan, customer, organization, "instalment_plan.requested")

    return await once(db, pb.InstalmentPlan, work)


async def offer_plan(db: Database, wanted: Wanted, note: str) -> pb.InstalmentPlan:
    """An offer of staff, also beyond what the policy lets customers choose. PLAN_EXISTS, VALIDATION_FAILED."""

    async def work(tx: WriteTx) -> pb.InstalmentPlan:
        organization = await get_organization(tx)
        today = organization.date_of(tx.now())
        proposal, customer = await proposed(tx, wanted, today)
        discount = wanted.discount or Money.zero(proposal.total.currency)
        must_be_offerable(proposal, discount)
        plan = new_plan(
            tx, proposal, PlanState.OFFERED, need=NO_NEED, today=today, discount=discount, note=note
        )
        plan = events.plan_offered(tx, plan, customer, notify=True)
        return await _kept(tx, plan, customer, organization, "instalment_plan.offered")

    return await once(db, pb.InstalmentPlan, work)


def must_be_offerable(proposal: Proposal, discount: Money) -> None:
    """VALIDATION_FAILED for a discount beyond the policy, or when there is nothing to pay in parts."""
    must_be_within_limit(proposal.rules, proposal.total + discount, discount)
    if not proposal.instalments:
        raise invalid("choice.instalments", "range", "There is less to pay than instalments.")


def must_be_within_limit(rules: PlanRules, debt: Money, discount: Money) -> None:
    """VALIDATION_FAILED for a discount beyond the policy."""
    most = rules.most_discount(debt)
    if discount.is_negative or discount > most:
        raise invalid("hardship_discount", "range", f"The policy allows a discount of {most} at most.")


def offered_until(schedule: Schedule, today: date) -> date:
    """Last day to accept: two weeks, but not after the first instalment."""
    return max(today, min(today + timedelta(days=OFFER_DAYS), schedule.instalments[0].due_on))


def new_plan(
    tx: WriteTx,
    proposal: Proposal,
    state: PlanState,
    *,
    need: Need,
    today: date,
    discount: Money | None = None,
    note: str = "",
) -> InstalmentPlan:
    """A plan as it is proposed."""
    call, nothing = current_call(), Money.zero(proposal.total.currency)
    rules = proposal.rules
    schedule = Schedule(proposal.instalments, rules.grace_days, rules.missed_to_break)
    is_offered = state is PlanState.OFFERED
    return InstalmentPlan(
        plan_id=new_id(PREFIX), customer_id=proposal.customer_id, currency=rules.currency, state=state,
        choice=proposal.choice, rules=rules,
        invoices=tuple(spread_discount(proposal.invoices, discount or nothing)),
        schedule=schedule, hardship=need.hardship, reasons=need.reasons, message=need.message,
        wished=need.wished, discount=discount or nothing, note=note,
        offered_until=offered_until(schedule, today) if is_offered else None,
        created_at=tx.now(), created_by=call.actor, created_by_name=call.caller.subject_name or "",
        decided_at=tx.now() if is_offered else None,
    )  # fmt: skip


async def _kept(
    tx: WriteTx, plan: InstalmentPlan, customer: Customer, organization: Organization, action: str
) -> pb.InstalmentPlan:
    wake_on = plan.next_wake()
    await insert_plan(tx, plan, wake_at=organization.start_of(wake_on) if wake_on else None)
    audit.record(tx, action, plan.plan_id, reason=plan.note)
    return view_of(plan, customer, organization, today=organization.date_of(tx.now()))

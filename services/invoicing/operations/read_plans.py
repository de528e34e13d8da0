"""Read instalment plans."""

from collections.abc import Sequence
from datetime import date

from chassis.caller import Audience, current_call
from chassis.database import Database, ReadTx
from chassis.errors import ServiceError, not_found
from services.invoicing.domain.customer import Customer
from services.invoicing.domain.instalment_plan import InstalmentPlan, PlanState
from services.invoicing.domain.organization import Organization
from services.invoicing.formats.plan_texts import terms_text
from services.invoicing.operations.visibility import DEFAULT_PAGE_SIZE, listed_customer_id, must_see_customer
from services.invoicing.store import instalment_plans as store
from services.invoicing.store.customers import get_customer
from services.invoicing.store.organizations import get_organization
from services.invoicing.translate.instalment_plans import to_proto_plan, to_proto_schedule
from tallyport.invoicing.v1 import instalment_plans_pb2 as pb


def view_of(
    plan: InstalmentPlan, customer: Customer, organization: Organization, *, today: date
) -> pb.InstalmentPlan:
    """The plan as the caller may see it, with the terms to agree to while it is offered.

    These are the customer's, whoever of the staff agrees for them; their own people may read another language.
    """
    call = current_call()
    is_staff = call.caller.audience is not Audience.CUSTOMER
    theirs = customer.locale or organization.locale
    locale = theirs if is_staff else call.locale or theirs
    terms = terms_text(plan, customer, organization, locale) if plan.state is PlanState.OFFERED else None
    return to_proto_plan(plan, customer.name, today, terms=terms, for_staff=is_staff)


async def must_see_plan(tx: ReadTx, plan: InstalmentPlan) -> None:
    """PLAN_NOT_FOUND for people of other customers."""
    try:
        await must_see_customer(tx, plan.customer_id)
    except ServiceError:
        raise not_found("plan") from None


async def get_plan(db: Database, plan_id: str) -> pb.InstalmentPlan:
    """A plan. PLAN_NOT_FOUND."""
    async with db.read(current_call().organization_id) as tx:
        plan = await store.get_plan(tx, plan_id)
        await must_see_plan(tx, plan)
        organization = await get_organization(tx)
        customer = await get_customer(tx, plan.customer_id)
        return view_of(plan, customer, organization, today=organization.date_of(tx.now()))


async def get_schedule(db: Database, plan_id: str, on_day: date | None) -> pb.InstalmentSchedule:
    """The instalments of a plan on a day, by what is paid now. PLAN_NOT_FOUND."""
    async with db.read(current_call().organization_id) as tx:
        plan = await store.get_plan(tx, plan_id)
        await must_see_plan(tx, plan)
        day = on_day or (await get_organization(tx)).date_of(tx.now())
    return to_proto_schedule(plan, day)


async def list_plans(
    db: Database,
    *,
    customer_id: str,
    state: PlanState | None,
    invoice_id: str,
    page_size: int,
    page_token: str,
) -> tuple[Sequence[pb.InstalmentPlan], str]:
    """A page, the newest first; a customer's people get their own, or those of a customer below."""
    caller = current_call().caller
    async with db.read(current_call().organization_id) as tx:
        customer_id = await listed_customer_id(tx, customer_id)
        today = (await get_organization(tx)).date_of(tx.now())
        found, token = await store.list_plans(
            tx, customer_id=customer_id, state=state, invoice_id=invoice_id,
            page_size=page_size or DEFAULT_PAGE_SIZE, page_token=page_token,
        )  # fmt: skip
        names = await store.customer_names(tx, {one.customer_id for one in found})
    is_staff = caller.audience is not Audience.CUSTOMER
    plans = [
        to_proto_plan(one, names.get(one.customer_id, ""), today, terms=None, for_staff=is_staff)
        for one in found
    ]
    return plans, token

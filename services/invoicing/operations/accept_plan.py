"""Accept an offer: the plan begins, and its terms are kept word for word."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date

from chassis import audit
from chassis.caller import Audience, current_call
from chassis.database import Database, WriteTx
from chassis.errors import Kind, ServiceError
from chassis.idempotency import once
from chassis.money import Money
from services.invoicing.domain.adjustment import AdjustmentKind
from services.invoicing.domain.customer import Customer
from services.invoicing.domain.instalment_plan import Agreement, InstalmentPlan, PlanState
from services.invoicing.domain.invoice import Invoice
from services.invoicing.domain.organization import Organization
from services.invoicing.formats.plan_texts import LANGUAGES, Terms, terms_text
from services.invoicing.operations.adjust_invoice import Reduction, adjust
from services.invoicing.operations.read_plans import must_see_plan, view_of
from services.invoicing.store.customers import get_customer
from services.invoicing.store.instalment_plans import get_plan, lock_plan, update_plan
from services.invoicing.store.invoices import lock_invoices, update_balances
from services.invoicing.store.organizations import get_organization
from services.invoicing.translate import plan_events as events
from services.invoicing.translate.events import invoice_adjusted
from tallyport.invoicing.v1 import instalment_plans_pb2 as pb


async def accept_plan(db: Database, plan_id: str, terms_hash: str, note: str) -> pb.InstalmentPlan:
    """The plan, agreed. PLAN_NOT_FOUND, PLAN_CHANGED, PLAN_OFFER_EXPIRED, PLAN_TERMS_CHANGED, INVOICE_BEING_PAID."""

    async def work(tx: WriteTx) -> pb.InstalmentPlan:
        seen = await get_plan(tx, plan_id)
        await must_see_plan(tx, seen)
        # Invoices before the plan, as payments lock them; what is due on them stands still from here on.
        invoices = await lock_invoices(tx, [one.invoice_id for one in seen.invoices])
        plan = await lock_plan(tx, plan_id)
        assert plan is not None
        organization = await get_organization(tx)
        today = organization.date_of(tx.now())
        customer = await get_customer(tx, plan.customer_id)
        terms = _agreed(plan, customer, organization, terms_hash, today)
        begun = _begun(tx, plan, terms, note, today)
        if not plan.discount.is_zero:
            await _reduce(tx, plan, invoices)
        begun = events.plan_activated(tx, begun, customer)
        wake_on = begun.next_wake()
        await update_plan(tx, begun, wake_at=organization.start_of(wake_on) if wake_on else None)
        audit.record(tx, "instalment_plan.accepted", plan_id, after=terms.text.encode(), reason=note)
        return view_of(begun, customer, organization, today=today)

    return await once(db, pb.InstalmentPlan, work)


async def _reduce(tx: WriteTx, plan: InstalmentPlan, invoices: Mapping[str, Invoice]) -> None:
    """Take the discount off the invoices, each part once."""
    for part in plan.invoices:
        if part.discount.is_zero:
            continue
        before = invoices[part.invoice_id]
        after = before.reduced(part.discount, returned=Money.zero(plan.currency), at=tx.now())
        given = Reduction(
            kind=AdjustmentKind.HARDSHIP_DISCOUNT, source_id=plan.plan_id, amount=part.discount,
            reason="hardship",
        )  # fmt: skip
        await adjust(tx, before, given)
        await update_balances(tx, [after])
        invoice_adjusted(tx, after, AdjustmentKind.HARDSHIP_DISCOUNT, part.discount)


def _agreed(
    plan: InstalmentPlan, customer: Customer, organization: Organization, terms_hash: str, today: date
) -> Terms:
    """The words that were shown, in whichever language. Refused unless they still tell how things are."""
    plan.must_be(PlanState.OFFERED)
    if plan.offered_until is not None and today > plan.offered_until:
        raise ServiceError(
            Kind.FAILED_PRECONDITION, "PLAN_OFFER_EXPIRED",
            "This offer has ended. Please ask for a new one.", plan_id=plan.plan_id,
        )  # fmt: skip
    shown = (terms_text(plan, customer, organization, language) for language in LANGUAGES)
    found = next((one for one in shown if one.hash == terms_hash), None)
    is_unchanged = all(one.due == one.at_start for one in plan.invoices)
    if found is None or not is_unchanged:
        raise ServiceError(
            Kind.FAILED_PRECONDITION, "PLAN_TERMS_CHANGED",
            "What you owe has changed since this was offered. Please ask for a new plan."
            if found
            else "These terms have changed. Please read them again.",
            plan_id=plan.plan_id,
        )  # fmt: skip
    return found


def _begun(tx: WriteTx, plan: InstalmentPlan, terms: Terms, note: str, today: date) -> InstalmentPlan:
    call = current_call()
    agreement = Agreement(
        text=terms.text, hash=terms.hash, locale=terms.locale, accepted_at=tx.now(),
        accepted_by=call.actor, accepted_by_name=call.caller.subject_name or "",
        note=note if call.caller.audience is Audience.STAFF else "",
    )  # fmt: skip
    less = tuple(
        replace(one, at_start=one.at_start - one.discount, due=one.due - one.discount)
        for one in plan.invoices
    )
    begun = replace(
        plan.moved(PlanState.ACTIVE, at=tx.now()), invoices=less, agreement=agreement, checked_on=today
    )
    return replace(begun, announced=begun.reached_by_notice(today))

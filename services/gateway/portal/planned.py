"""Invoices under an instalment plan: what is asked for of them now, and help for who cannot pay all at once."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from chassis.errors import Kind, ServiceError
from chassis.money import Money
from services.gateway.portal import owing
from services.gateway.portal.owing import Payable
from services.gateway.web.page import Page
from services.gateway.web.rendering import money_of
from services.gateway.web.session import Area
from tallyport.invoicing.v1.instalment_plans_pb2 import (
    AnswerPlanSuggestionRequest,
    GetPlanSuggestionRequest,
    InstalmentPlan,
    InstalmentPlanState,
    InstalmentState,
    ListInstalmentPlansRequest,
    PlanSuggestion,
)
from tallyport.invoicing.v1.invoices_pb2 import Invoice

LIVE = (
    InstalmentPlanState.INSTALMENT_PLAN_STATE_REQUESTED,
    InstalmentPlanState.INSTALMENT_PLAN_STATE_OFFERED,
    InstalmentPlanState.INSTALMENT_PLAN_STATE_ACTIVE,
)
_AWAY = (Kind.UNAVAILABLE, Kind.DEADLINE_EXCEEDED, Kind.PERMISSION_DENIED)
_SHOWN = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Help:
    """Plans that are asked for, offered or agreed, what they ask for by invoice, and a suggestion to show now."""

    plans: Sequence[InstalmentPlan] = ()
    asked: Mapping[str, Money] = field(default_factory=dict)
    suggestion: PlanSuggestion | None = None


async def live_plans(page: Page) -> list[InstalmentPlan]:
    """The visitor's plans that are not over, the newest first; none for the holder of a pay link."""
    if page.area is not Area.CUSTOMER or not page.session.customer_id:
        return []
    request = ListInstalmentPlansRequest(customer_id=page.session.customer_id, page_size=_SHOWN)
    try:
        answer = await page.call(page.to.instalment_plans.ListInstalmentPlans, request)
    except ServiceError as error:
        if error.kind in _AWAY:
            return []
        raise
    return [one for one in answer.plans if one.state in LIVE]


def asked_by(plans: Iterable[InstalmentPlan]) -> dict[str, Money]:
    """What agreed plans ask for, by invoice."""
    return {
        part.invoice_id: money_of(part.asked_now)
        for plan in plans
        for part in plan.invoices
        if part.HasField("asked_now")
    }


async def asked_now(page: Page) -> dict[str, Money]:
    """What the visitor's agreed plans ask for, by invoice."""
    return asked_by(await live_plans(page))


async def rooms(page: Page, invoices: Sequence[Invoice]) -> dict[str, Money]:
    """How much can be paid at most of those of the invoices that are under an agreed plan."""
    asked = await asked_now(page) if invoices else {}
    return {one.invoice_id: owing.left(one) for one in invoices if one.invoice_id in asked}


def is_due(invoice: Invoice, asked: Mapping[str, Money], last_day: str) -> bool:
    """Due by a day; of invoices under a plan, whether the plan asks for something now."""
    if invoice.invoice_id in asked:
        return not asked[invoice.invoice_id].is_zero
    return invoice.due_date <= last_day


def limited(payable: Payable, asked: Mapping[str, Money]) -> Payable:
    """What is asked for of an invoice: all that can be paid, or what its plan demands."""

    def of(invoice: Invoice) -> Money:
        room = payable(invoice)
        return min(room, asked[invoice.invoice_id]) if invoice.invoice_id in asked else room

    return of


def next_due(invoices: Iterable[Invoice], help_: Help, today: str) -> str:
    """The next day on which something falls due: of an invoice, or an instalment."""
    days = [one.due_date for one in invoices if one.due_date >= today and one.invoice_id not in help_.asked]
    for plan in help_.plans:
        if plan.state == InstalmentPlanState.INSTALMENT_PLAN_STATE_ACTIVE:
            days += [
                one.due_on
                for one in plan.schedule.instalments
                if one.due_on >= today and one.state != InstalmentState.INSTALMENT_STATE_PAID
            ]
    return min(days, default="")


async def help_for(page: Page) -> Help:
    """What the overview tells. A suggestion that is shown is noted as shown."""
    plans, suggestion = await asyncio.gather(live_plans(page), _suggestion(page))
    return Help(plans=plans, asked=asked_by(plans), suggestion=suggestion)


async def _suggestion(page: Page) -> PlanSuggestion | None:
    if not page.may("account.write"):
        return None
    customer_id = page.session.customer_id
    try:
        found = await page.call(
            page.to.instalment_plans.GetPlanSuggestion, GetPlanSuggestionRequest(customer_id=customer_id)
        )
        if found.shown and not found.first_shown_on:
            noted = AnswerPlanSuggestionRequest(customer_id=customer_id)
            await page.call(page.to.instalment_plans.AnswerPlanSuggestion, noted)
    except ServiceError as error:
        if error.kind in _AWAY:
            return None
        raise
    return found if found.shown else None

"""Help for who cannot pay all at once: their plans, and what can be paid of invoices under one."""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from chassis.errors import Kind, ServiceError
from chassis.money import Money
from services.gateway.portal import owing
from services.gateway.web.page import Page
from services.gateway.web.session import Area
from tallyport.invoicing.v1.instalment_plans_pb2 import (
    AnswerPlanSuggestionRequest,
    GetPlanSuggestionRequest,
    InstalmentPlan,
    InstalmentPlanState,
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
    """Plans that are asked for, offered or agreed, and a suggestion to show now."""

    plans: Sequence[InstalmentPlan] = ()
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


def rooms(invoices: Iterable[Invoice]) -> dict[str, Money]:
    """How much can be paid at most of those of the invoices that are under an agreed plan."""
    return {one.invoice_id: owing.left(one) for one in invoices if one.HasField("instalment")}


async def help_for(page: Page) -> Help:
    """What the overview tells. A suggestion that is shown is noted as shown."""
    plans, suggestion = await asyncio.gather(live_plans(page), _suggestion(page))
    return Help(plans=plans, suggestion=suggestion)


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

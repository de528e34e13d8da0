"""What the customer is subscribed to: what it costs, when the next invoice comes, and how to end it."""

import asyncio
from dataclasses import dataclass

from litestar import Response, get, post
from litestar.params import FromPath

from chassis.errors import Kind, ServiceError
from services.gateway.portal import subsidiaries
from services.gateway.web import problems
from services.gateway.web.languages import gettext as _
from services.gateway.web.page import Page
from services.gateway.web.schedules import is_ending, is_live, rule_words, schedule_status
from services.gateway.web.statuses import Status
from tallyport.invoicing.v1.schedules_pb2 import (
    CancelScheduleRequest,
    ListSchedulesRequest,
    PreviewUpcomingRequest,
    Schedule,
    UpcomingInvoice,
)

_PAGE_SIZE = 25
_REFUSED = (Kind.FAILED_PRECONDITION, Kind.NOT_FOUND, Kind.PERMISSION_DENIED, Kind.ABORTED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscription:
    """One subscription as its payer sees it."""

    schedule: Schedule
    state: Status
    rule: str
    upcoming: UpcomingInvoice | None
    ending: bool
    may_cancel: bool


@get("/subscriptions", name="portal.subscriptions")
async def show(page: Page) -> Response[str]:
    """Those that run first, then those that are over."""
    return await _page(page)


async def _page(page: Page, *, refused: str = "") -> Response[str]:
    answer, below = await asyncio.gather(
        page.call(
            page.to.schedules.ListSchedules,
            ListSchedulesRequest(page_size=_PAGE_SIZE, page_token=page.query("page")),
        ),
        _of_companies(page),
    )
    found = await asyncio.gather(*(_subscription(page, one) for one in (*answer.schedules, *below)))
    return page.render(
        "subscriptions.html",
        status=409 if refused else 200,
        own=page.session.customer_id,
        subscriptions=sorted(found, key=lambda one: not is_live(one.schedule)),
        next_token=answer.next_page_token,
        refused=refused,
    )


async def _of_companies(page: Page) -> list[Schedule]:
    """Those of the companies below the visitor's, on the first page."""
    if page.query("page"):
        return []
    companies = (await subsidiaries.below(page))[: subsidiaries.MOST_COMPANIES]
    answers = await asyncio.gather(
        *(
            page.call(
                page.to.schedules.ListSchedules,
                ListSchedulesRequest(page_size=_PAGE_SIZE, customer_id=one.balance.customer.customer_id),
            )
            for one in companies
        )
    )
    return [schedule for answer in answers for schedule in answer.schedules]


async def _subscription(page: Page, schedule: Schedule) -> Subscription:
    upcoming = None
    if is_live(schedule):
        request = PreviewUpcomingRequest(schedule_id=schedule.schedule_id, count=1)
        answer = await page.call(page.to.schedules.PreviewUpcoming, request)
        upcoming = answer.invoices[0] if answer.invoices else None
    ending = is_ending(schedule)
    offered = schedule.customer_may_cancel and is_live(schedule) and not ending
    return Subscription(
        schedule=schedule,
        state=schedule_status(schedule),
        rule=rule_words(schedule.rule),
        upcoming=upcoming,
        ending=ending,
        may_cancel=offered and page.may("account.write"),
    )


@post("/subscriptions/{schedule_id:str}/cancel", name="portal.subscriptions.cancel")
async def cancel(page: Page, schedule_id: FromPath[str]) -> Response[str]:
    """At the end of the period that runs."""
    request = CancelScheduleRequest(schedule_id=schedule_id, reason=page.form.text("reason")[:500])
    try:
        await page.call(page.to.schedules.CancelSchedule, request)
    except ServiceError as error:
        if error.kind not in _REFUSED:
            raise
        return await _page(page, refused=problems.sentence(error))
    page.flash("good", _("It is canceled. You can use it until its last day."))
    return page.redirect("/subscriptions")

"""All schedules, and the calendar of the invoices that they will make."""

from itertools import groupby

from litestar import Response, get

from services.gateway.web.languages import gettext as _
from services.gateway.web.page import Page
from services.gateway.web.schedules import rule_words, schedule_status
from tallyport.invoicing.v1.schedules_pb2 import (
    ListSchedulesRequest,
    ListUpcomingRequest,
    ScheduleStatus,
)

_PAGE_SIZE = 25
_CALENDAR_SIZE = 100
_SHOWN = {
    "": ScheduleStatus.SCHEDULE_STATUS_UNSPECIFIED,
    "active": ScheduleStatus.SCHEDULE_STATUS_ACTIVE,
    "paused": ScheduleStatus.SCHEDULE_STATUS_PAUSED,
}


@get("/schedules", name="console.schedules")
async def show(page: Page) -> Response[str]:
    """The newest first."""
    chosen = page.query("show")
    chosen = chosen if chosen in _SHOWN else ""
    request = ListSchedulesRequest(
        status=_SHOWN[chosen],
        customer_id=page.query("customer"),
        page_size=_PAGE_SIZE,
        page_token=page.query("page"),
    )
    answer = await page.call(page.to.schedules.ListSchedules, request)
    words = {"": _("All"), "active": _("Running"), "paused": _("Paused")}
    return page.render(
        "console_schedules.html",
        schedules=answer.schedules,
        next_token=answer.next_page_token,
        filters=[(page.with_query(show=name, page=""), words[name], name == chosen) for name in _SHOWN],
        rule_words=rule_words,
        schedule_status=schedule_status,
    )


@get("/schedules/calendar", name="console.schedules.calendar")
async def calendar(page: Page) -> Response[str]:
    """What will be invoiced, day by day: just what the scheduler has before it."""
    request = ListUpcomingRequest(page_size=_CALENDAR_SIZE, page_token=page.query("page"))
    answer = await page.call(page.to.schedules.ListUpcoming, request)
    days = groupby(answer.invoices, key=lambda invoice: invoice.invoice_on)
    return page.render(
        "console_schedule_calendar.html",
        days=[(day, list(invoices)) for day, invoices in days],
        next_token=answer.next_page_token,
    )

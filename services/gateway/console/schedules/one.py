"""One schedule: what it bills, what it made, what comes next, and what can be changed about it."""

import asyncio
from collections.abc import Awaitable
from decimal import Decimal

from litestar import Response, get, post
from litestar.params import FromPath

from chassis.errors import ServiceError
from services.gateway.console.asking import REFUSALS
from services.gateway.web import problems
from services.gateway.web.forms import FieldErrors
from services.gateway.web.languages import gettext as _
from services.gateway.web.page import Page
from services.gateway.web.schedules import is_ending, is_live, rule_words, schedule_status
from services.gateway.web.typed import amount_words, plain_number, read_amount, to_message
from tallyport.invoicing.v1.schedules_pb2 import (
    CancelScheduleRequest,
    ChangeSchedulePriceRequest,
    ChangeScheduleQuantityRequest,
    GetScheduleRequest,
    ListScheduleInvoicesRequest,
    ListUsageRequest,
    PauseScheduleRequest,
    PreviewUpcomingRequest,
    ResumeScheduleRequest,
    Schedule,
    ScheduledOutcome,
    ScheduleStatus,
)

_UPCOMING, _MADE, _USAGE = 3, 12, 10


async def get_schedule(page: Page, schedule_id: str) -> Schedule:
    return await page.call(page.to.schedules.GetSchedule, GetScheduleRequest(schedule_id=schedule_id))


@get("/schedules/{schedule_id:str}", name="console.schedule")
async def show(page: Page, schedule_id: FromPath[str]) -> Response[str]:
    """Its lines, its next invoices, what it made."""
    return await show_one(page, schedule_id)


async def show_one(
    page: Page, schedule_id: str, *, errors: FieldErrors | None = None, refused: str = ""
) -> Response[str]:
    to = page.to.schedules
    schedule, upcoming, made, today = await asyncio.gather(
        get_schedule(page, schedule_id),
        page.call(to.PreviewUpcoming, PreviewUpcomingRequest(schedule_id=schedule_id, count=_UPCOMING)),
        page.call(
            to.ListScheduleInvoices, ListScheduleInvoicesRequest(schedule_id=schedule_id, page_size=_MADE)
        ),
        page.today(),
    )
    usage = None
    if any(line.metered for line in schedule.lines):
        usage = await page.call(to.ListUsage, ListUsageRequest(schedule_id=schedule_id, page_size=_USAGE))
    return page.render(
        "console_schedule.html",
        status=422 if errors or refused else 200,
        schedule=schedule,
        state=schedule_status(schedule),
        rule=rule_words(schedule.rule),
        live=is_live(schedule),
        ending=is_ending(schedule),
        paused=schedule.status == ScheduleStatus.SCHEDULE_STATUS_PAUSED,
        upcoming=upcoming.invoices,
        made=made.invoices,
        outcomes=_outcomes(),
        usage=usage,
        descriptions={line.line_no: line.description for line in schedule.lines},
        errors=errors or FieldErrors(),
        refused=refused,
        typed=page.form,
        today=today,
        key=page.new_key(),
    )


def _outcomes() -> dict[int, str]:
    return {
        ScheduledOutcome.SCHEDULED_OUTCOME_FINALIZED: _("Invoiced"),
        ScheduledOutcome.SCHEDULED_OUTCOME_DRAFT: _("Waits as a draft"),
        ScheduledOutcome.SCHEDULED_OUTCOME_NOTHING: _("Nothing to charge"),
        ScheduledOutcome.SCHEDULED_OUTCOME_COVERED: _("Covered by credit"),
    }


@post("/schedules/{schedule_id:str}/pause", name="console.schedule.pause")
async def pause(page: Page, schedule_id: FromPath[str]) -> Response[str]:
    """From today."""
    request = PauseScheduleRequest(schedule_id=schedule_id)
    call = page.call(page.to.schedules.PauseSchedule, request)
    return await _changed(page, schedule_id, call, _("Paused. Days of the pause cost nothing."))


@post("/schedules/{schedule_id:str}/resume", name="console.schedule.resume")
async def resume(page: Page, schedule_id: FromPath[str]) -> Response[str]:
    """From today."""
    request = ResumeScheduleRequest(schedule_id=schedule_id)
    call = page.call(page.to.schedules.ResumeSchedule, request)
    return await _changed(page, schedule_id, call, _("It runs again from today."))


@post("/schedules/{schedule_id:str}/cancel", name="console.schedule.cancel")
async def cancel(page: Page, schedule_id: FromPath[str]) -> Response[str]:
    """When the period is over, or today."""
    request = CancelScheduleRequest(
        schedule_id=schedule_id, now=page.form.text("when") == "now", reason=page.form.text("reason")[:500]
    )
    call = page.call(page.to.schedules.CancelSchedule, request)
    return await _changed(page, schedule_id, call, _("The schedule is canceled."))


@post("/schedules/{schedule_id:str}/quantity", name="console.schedule.quantity")
async def change_quantity(page: Page, schedule_id: FromPath[str]) -> Response[str]:
    """From today or another day; the next invoice sets it right by days."""
    line_no, quantity = _line_no(page), plain_number(page.form.text("quantity"))
    if not _is_quantity(quantity):
        errors = FieldErrors({f"quantity-{line_no}": _("Please write a number like 2 or 1.5.")})
        return await show_one(page, schedule_id, errors=errors)
    request = ChangeScheduleQuantityRequest(schedule_id=schedule_id, line_no=line_no, quantity=quantity)
    call = page.call(page.to.schedules.ChangeScheduleQuantity, request, idempotency_key=page.form.text("key"))
    return await _changed(
        page, schedule_id, call, _("Changed. The next invoice charges or credits the days until then.")
    )


@post("/schedules/{schedule_id:str}/price", name="console.schedule.price")
async def change_price(page: Page, schedule_id: FromPath[str]) -> Response[str]:
    """With the notice that the schedule promises; the customer gets a mail."""
    schedule, line_no = await get_schedule(page, schedule_id), _line_no(page)
    price = read_amount(page.form.text("unit_price"), schedule.currency)
    if price is None:
        errors = FieldErrors(
            {f"unit_price-{line_no}": amount_words(page.form.text("unit_price"), schedule.currency)}
        )
        return await show_one(page, schedule_id, errors=errors)
    request = ChangeSchedulePriceRequest(
        schedule_id=schedule_id,
        line_no=line_no,
        unit_price=to_message(price),
        effective_on=page.form.text("effective_on"),
    )
    call = page.call(page.to.schedules.ChangeSchedulePrice, request, idempotency_key=page.form.text("key"))
    return await _changed(page, schedule_id, call, _("The new price is noted and the customer is told."))


async def _changed(page: Page, schedule_id: str, call: Awaitable[Schedule], words: str) -> Response[str]:
    try:
        await call
    except ServiceError as error:
        if error.kind not in REFUSALS:
            raise
        return await show_one(page, schedule_id, refused=problems.sentence(error))
    page.flash("good", words)
    return page.redirect(f"/console/schedules/{schedule_id}")


def _line_no(page: Page) -> int:
    text = page.form.text("line_no")
    return int(text) if text.isdecimal() and len(text) < 4 else 0


def _is_quantity(text: str) -> bool:
    try:
        number = Decimal(text)
    except ArithmeticError:
        return False
    return number.is_finite() and 0 <= number < 10**9 and number == round(number, 4)

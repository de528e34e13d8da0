"""Writing a schedule: who, what, how often; and changing what is not money."""

import asyncio
from dataclasses import replace

from litestar import Response, get, post
from litestar.params import FromPath

from chassis.errors import ServiceError
from services.gateway.console import invoice_entries
from services.gateway.console.allowed import require
from services.gateway.console.asking import REFUSALS
from services.gateway.console.choosing import choose_customer
from services.gateway.console.invoice_entries import InvoiceEntry, LineEntry
from services.gateway.console.schedules import entries
from services.gateway.console.schedules.entries import ScheduleEntry
from services.gateway.console.schedules.one import get_schedule
from services.gateway.web import problems
from services.gateway.web.forms import FieldErrors
from services.gateway.web.languages import gettext as _
from services.gateway.web.page import Page
from services.gateway.web.typed import plain_number, read_day
from tallyport.invoicing.v1.customers_pb2 import Customer, GetCustomerRequest
from tallyport.invoicing.v1.items_pb2 import ListItemsRequest
from tallyport.invoicing.v1.schedules_pb2 import Schedule, UpdateScheduleRequest

_MOST_ITEMS = 100


@get("/schedules/new", name="console.schedule.new")
async def new(page: Page) -> Response[str]:
    """First the customer, then the rule and the lines."""
    require(page, "invoices.write")
    customer_id = page.query("customer")
    if not customer_id:
        return await choose_customer(page, purpose="schedule")
    customer, today = await asyncio.gather(_customer(page, customer_id), page.today())
    entry = ScheduleEntry(starts_on=today, invoice=InvoiceEntry(lines=[LineEntry(quantity="1")]))
    return await _form(page, customer, entry)


@post("/schedules/new", name="console.schedule.create")
async def create(page: Page) -> Response[str]:
    """Adds a line, or makes the schedule."""
    customer = await _customer(page, page.form.text("customer_id"))
    entry, action = entries.from_form(page.form), page.form.text("action")
    lines = invoice_entries.changed_lines(entry.invoice, action)
    if lines is not None:
        return await _form(page, customer, _with_lines(entry, lines, action), key=page.form.text("key"))
    wrong = FieldErrors(entries.mistakes(entry, customer.currency))
    if wrong:
        return await _form(page, customer, entry, errors=wrong, key=page.form.text("key"))
    request = entries.to_request(entry, customer.customer_id, customer.currency)
    try:
        made = await page.call(
            page.to.schedules.CreateSchedule, request, idempotency_key=page.form.text("key")
        )
    except ServiceError as error:
        if error.kind not in REFUSALS:
            raise
        fields = FieldErrors(_renamed(invoice_entries.refused(FieldErrors.of(error), entry.invoice)))
        words = "" if fields else problems.sentence(error)
        return await _form(page, customer, entry, errors=fields, refused=words)
    page.flash("good", _("The schedule is made. Its invoices come by themselves."))
    return page.redirect(f"/console/schedules/{made.schedule_id}")


@get("/schedules/{schedule_id:str}/edit", name="console.schedule.edit")
async def edit(page: Page, schedule_id: FromPath[str]) -> Response[str]:
    """What is not money."""
    require(page, "invoices.write")
    return _edit(page, await get_schedule(page, schedule_id))


@post("/schedules/{schedule_id:str}/edit", name="console.schedule.update")
async def update(page: Page, schedule_id: FromPath[str]) -> Response[str]:
    """Saves it."""
    form, wrong = page.form, FieldErrors()
    days: dict[str, int] = {}
    for name, most in (("upcoming_notice_days", 60), ("price_notice_days", 365)):
        text = plain_number(form.text(name)) or "0"
        if text.isdecimal() and int(text[:6]) <= most:
            days[name] = int(text)
        else:
            wrong[name] = _("Please write a number from %(low)s to %(high)s.") % {"low": 0, "high": most}
    if not form.text("name"):
        wrong["name"] = _("Please give it a name.")
    if form.text("ends_on") and read_day(form.text("ends_on")) is None:
        wrong["ends_on"] = _("Please choose a day.")
    if wrong:
        return _edit(page, await get_schedule(page, schedule_id), errors=wrong)
    request = UpdateScheduleRequest(
        schedule_id=schedule_id,
        name=form.text("name")[:200],
        review=form.checked("review"),
        customer_may_cancel=form.checked("customer_may_cancel"),
        purchase_order_number=form.text("purchase_order_number")[:100],
        memo=form.text("memo")[:2000],
        ends_on=form.text("ends_on"),
        upcoming_notice_days=days["upcoming_notice_days"],
        price_notice_days=days["price_notice_days"],
    )
    try:
        await page.call(page.to.schedules.UpdateSchedule, request)
    except ServiceError as error:
        if error.kind not in REFUSALS:
            raise
        fields = FieldErrors.of(error)
        refused = "" if fields else problems.sentence(error)
        return _edit(page, await get_schedule(page, schedule_id), errors=fields, refused=refused)
    page.flash("good", _("Saved."))
    return page.redirect(f"/console/schedules/{schedule_id}")


def _edit(
    page: Page, schedule: Schedule, *, errors: FieldErrors | None = None, refused: str = ""
) -> Response[str]:
    return page.render(
        "console_schedule_edit.html",
        status=422 if errors or refused else 200,
        schedule=schedule,
        errors=errors or FieldErrors(),
        refused=refused,
    )


async def _customer(page: Page, customer_id: str) -> Customer:
    return await page.call(page.to.customers.GetCustomer, GetCustomerRequest(customer_id=customer_id))


async def _form(
    page: Page,
    customer: Customer,
    entry: ScheduleEntry,
    *,
    errors: FieldErrors | None = None,
    refused: str = "",
    key: str = "",
) -> Response[str]:
    items = await page.call(page.to.items.ListItems, ListItemsRequest(page_size=_MOST_ITEMS))
    return page.render(
        "console_schedule_form.html",
        status=422 if errors or refused else 200,
        customer=customer,
        entry=entry,
        items=items.items,
        errors=errors or FieldErrors(),
        refused=refused,
        key=key or page.new_key(),
    )


def _with_lines(entry: ScheduleEntry, lines: list[LineEntry], action: str) -> ScheduleEntry:
    """Other lines; a line that goes takes along how it is counted."""
    metered = list(entry.metered)
    _name, _separator, place = action.partition(":")
    if place.isdecimal() and int(place) < len(metered):
        del metered[int(place)]
    return replace(entry, invoice=replace(entry.invoice, lines=lines), metered=metered)


def _renamed(fields: dict[str, str]) -> dict[str, str]:
    """The rule's fields stand on the form by themselves."""
    return {name.removeprefix("rule."): text for name, text in fields.items()}

"""Invoices made by events of other systems: what an event makes, and what came of each."""

from typing import Any, Final

from litestar import Response, get, post
from litestar.params import FromPath

from chassis.errors import Kind, ServiceError
from services.gateway.console import trigger_entries
from services.gateway.console.allowed import require
from services.gateway.console.asking import REFUSALS, if_found
from services.gateway.console.choosing import choose_customer
from services.gateway.console.names import customer_names
from services.gateway.console.trigger_entries import TriggerEntry
from services.gateway.web import problems
from services.gateway.web.forms import FieldErrors
from services.gateway.web.languages import gettext as _
from services.gateway.web.page import Page
from tallyport.invoicing.v1.customers_pb2 import Customer, GetCustomerRequest
from tallyport.invoicing.v1.schedules_pb2 import (
    ListTriggerEventsRequest,
    ListTriggersRequest,
    ReportEventRequest,
    SetTriggerEnabledRequest,
    Trigger,
    UpdateTriggerRequest,
)

ADDRESS: Final = "/console/triggers"
_EVENTS = 25


@get("/triggers", name="console.triggers")
async def show(page: Page) -> Response[str]:
    """All of them, by the event that sets them off."""
    found = await _all(page)
    customers = await customer_names(page, [one.customer_id for one in found if one.customer_id])
    return page.render("console_triggers.html", triggers=found, customers=customers)


async def _all(page: Page) -> list[Trigger]:
    return list((await page.call(page.to.invoice_triggers.ListTriggers, ListTriggersRequest())).triggers)


@get("/triggers/new", name="console.trigger.new")
async def new(page: Page) -> Response[str]:
    """With `choose` first the customer for whom all its invoices are."""
    require(page, "invoices.write")
    if page.query("choose") and not page.query("customer"):
        return await choose_customer(page, purpose="trigger")
    return await _form(page, "", TriggerEntry(customer_id=page.query("customer")[:60]))


@get("/triggers/{trigger_id:str}", name="console.trigger")
async def edit(page: Page, trigger_id: FromPath[str]) -> Response[str]:
    """To read and to change."""
    found = next((one for one in await _all(page) if one.trigger_id == trigger_id), None)
    if found is None:
        raise ServiceError(Kind.NOT_FOUND, "TRIGGER_NOT_FOUND", _("There is no such trigger."))
    return await _form(page, trigger_id, trigger_entries.from_trigger(found))


@post("/triggers/new", name="console.trigger.create")
async def create(page: Page) -> Response[str]:
    """Adds a line, or makes the trigger."""
    return await _save(page, "")


@post("/triggers/{trigger_id:str}", name="console.trigger.update")
async def update(page: Page, trigger_id: FromPath[str]) -> Response[str]:
    """Adds a line, or changes the trigger."""
    return await _save(page, trigger_id)


async def _save(page: Page, trigger_id: str) -> Response[str]:
    require(page, "invoices.write")
    entry = trigger_entries.from_form(page.form)
    if (other := trigger_entries.changed(entry, page.form.text("action"))) is not None:
        return await _form(page, trigger_id, other)
    _customer, currency = await _whose(page, entry)
    wrong = FieldErrors(trigger_entries.mistakes(entry, currency))
    if wrong:
        return await _form(page, trigger_id, entry, errors=wrong)
    request, to = trigger_entries.to_request(entry, currency), page.to.invoice_triggers
    try:
        if trigger_id:
            await page.call(to.UpdateTrigger, UpdateTriggerRequest(trigger_id=trigger_id, trigger=request))
        else:
            await page.call(to.CreateTrigger, request, idempotency_key=page.form.text("key")[:100])
    except ServiceError as error:
        if error.kind not in REFUSALS:
            raise
        fields = FieldErrors(trigger_entries.refused(FieldErrors.of(error)))
        words = "" if fields else problems.sentence(error)
        return await _form(page, trigger_id, entry, errors=fields, refused=words)
    page.flash("good", _("Saved. The next event of this name is handled so."))
    return page.redirect(ADDRESS)


async def _form(
    page: Page, trigger_id: str, entry: TriggerEntry, *, errors: FieldErrors | None = None, refused: str = ""
) -> Response[str]:
    customer, currency = await _whose(page, entry)
    return page.render(
        "console_trigger_form.html",
        status=422 if errors or refused else 200,
        trigger_id=trigger_id,
        entry=entry,
        customer=customer,
        currency=currency,
        errors=errors or FieldErrors(),
        refused=refused,
        key=page.form.text("key") or page.new_key(),
    )


async def _whose(page: Page, entry: TriggerEntry) -> tuple[Customer | None, str]:
    """The customer that was chosen, and the currency of prices."""
    customer = None
    if entry.customer_id:
        request = GetCustomerRequest(customer_id=entry.customer_id)
        customer = await if_found(page.call(page.to.customers.GetCustomer, request))
    return customer, customer.currency if customer else (await page.organization()).currency


@post("/triggers/{trigger_id:str}/enabled", name="console.trigger.enabled")
async def switch(page: Page, trigger_id: FromPath[str]) -> Response[str]:
    """Off or on."""
    require(page, "invoices.write")
    on = page.form.text("enabled") == "yes"
    request = SetTriggerEnabledRequest(trigger_id=trigger_id, enabled=on)
    await page.call(page.to.invoice_triggers.SetTriggerEnabled, request)
    page.flash("good", _("It is on again.") if on else _("It is off: its events make nothing."))
    return page.redirect(ADDRESS)


@get("/triggers/events", name="console.trigger.events")
async def events(page: Page) -> Response[str]:
    """What was reported, the newest first, and what it made."""
    return await _events(page)


async def _events(page: Page, *, errors: FieldErrors | None = None, refused: str = "") -> Response[str]:
    name = page.query("event")[:100]
    request = ListTriggerEventsRequest(page_size=_EVENTS, page_token=page.query("page"), event_name=name)
    answer = await page.call(page.to.invoice_triggers.ListTriggerEvents, request)
    organization = await page.organization()
    return page.render(
        "console_trigger_events.html",
        status=422 if errors or refused else 200,
        events=answer.events,
        next_token=answer.next_page_token,
        name=name,
        zone=organization.time_zone,
        errors=errors or FieldErrors(),
        refused=refused,
    )


@post("/triggers/events", name="console.trigger.report")
async def report(page: Page) -> Response[str]:
    """An event by hand: to try a trigger, or to make up for what a system did not report."""
    require(page, "invoices.write")
    form, errors = page.form, FieldErrors()
    given = dict(_pair(line) for line in form.text("fields").splitlines() if line.strip())
    if "" in given:
        errors["fields"] = _("Please write one field a line, like amount = 120.50.")
    for name in ("external_id", "event_name"):
        if not form.text(name):
            errors[name] = _("Please fill this in.")
    if errors:
        return await _events(page, errors=errors)
    request = ReportEventRequest(
        external_id=form.text("external_id")[:100], event_name=form.text("event_name")[:100], fields=given
    )
    try:
        answer = await page.call(page.to.invoice_triggers.ReportEvent, request)
    except ServiceError as error:
        if error.kind not in (*REFUSALS, Kind.NOT_FOUND):
            raise
        fields = FieldErrors(_shown(FieldErrors.of(error)))
        return await _events(page, errors=fields, refused="" if fields else problems.sentence(error))
    if answer.already_known:
        page.flash("info", _("This event was known. Nothing was made anew."))
    elif answer.invoice_ids:
        page.flash("good", _("The event was taken, and an invoice made."))
    else:
        page.flash("warn", _("The event was taken, but no trigger of this name is on: nothing was made."))
    return page.redirect(f"{ADDRESS}/events")


def _pair(line: str) -> tuple[str, str]:
    """Name and value; no name for what is no pair."""
    name, separator, value = line.partition("=")
    return (name.strip()[:60] if separator else "", value.strip()[:1000])


def _shown(fields: dict[str, str]) -> dict[str, str]:
    """What is wrong with the fields of an event, under the one box of the form."""
    found = {name: words for name, words in fields.items() if not name.startswith("fields")}
    inside = [
        f"{name.removeprefix('fields.')}: {words}" for name, words in fields.items() if name not in found
    ]
    return {**found, "fields": " ".join(inside)} if inside else found


STAFF: list[Any] = [show, events, report, new, create, edit, update, switch]

"""Sending a customer no reminders for a while: a pause with a reason and a last day, and its end before that day."""

from collections.abc import Sequence
from typing import Any

from litestar import Response, post
from litestar.params import FromPath

from chassis.errors import Kind, ServiceError
from services.gateway.console.allowed import require
from services.gateway.console.asking import REFUSALS
from services.gateway.web import problems
from services.gateway.web.languages import date_text
from services.gateway.web.languages import gettext as _
from services.gateway.web.page import Page
from services.gateway.web.typed import read_day
from tallyport.invoicing.v1.dunning_pb2 import (
    DunningPause,
    EndDunningPauseRequest,
    ListDunningPausesRequest,
    PauseDunningRequest,
)


async def pauses_of(page: Page, customer_id: str) -> Sequence[DunningPause]:
    """Those that hold today; none for who may not see invoices."""
    if not page.may("invoices.read"):
        return ()
    request = ListDunningPausesRequest(customer_id=customer_id)
    return (await page.call(page.to.dunning.ListDunningPauses, request)).pauses


@post("/customers/{customer_id:str}/reminders/pause", name="console.customer.reminders.pause")
async def pause(page: Page, customer_id: FromPath[str]) -> Response[str]:
    """Nothing is sent about any invoice of theirs up to a day."""
    require(page, "invoices.write")
    until, reason = read_day(page.form.text("until")), page.form.text("reason")[:500]
    if until is None or not reason:
        page.flash("bad", _("Please say until when, and why."))
        return _back(page, customer_id)
    request = PauseDunningRequest(customer_id=customer_id, until=until.isoformat(), reason=reason)
    try:
        key = page.form.text("key")[:100]
        await page.call(page.to.dunning.PauseDunning, request, idempotency_key=key)
    except ServiceError as error:
        if error.kind not in REFUSALS:
            raise
        page.flash("bad", " ".join(one.message for one in error.fields) or problems.sentence(error))
        return _back(page, customer_id)
    page.flash("good", _("No reminders until %(day)s.") % {"day": date_text(until.isoformat())})
    return _back(page, customer_id)


@post("/customers/{customer_id:str}/reminders/resume", name="console.customer.reminders.resume")
async def resume(page: Page, customer_id: FromPath[str]) -> Response[str]:
    """Ends a pause before its day."""
    require(page, "invoices.write")
    try:
        request = EndDunningPauseRequest(pause_id=page.form.text("pause"))
        await page.call(page.to.dunning.EndDunningPause, request)
        page.flash("good", _("The pause is over."))
    except ServiceError as error:
        if error.kind not in (*REFUSALS, Kind.NOT_FOUND):
            raise
        page.flash("bad", problems.sentence(error))
    return _back(page, customer_id)


def _back(page: Page, customer_id: str) -> Response[str]:
    return page.redirect(f"/console/customers/{customer_id}#reminders")


STAFF: list[Any] = [pause, resume]

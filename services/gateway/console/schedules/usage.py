"""Usage of a metered line that staff enter by hand."""

import re
from datetime import UTC, datetime, time
from zoneinfo import ZoneInfo

from google.protobuf.timestamp_pb2 import Timestamp
from litestar import Response, post
from litestar.params import FromPath

from chassis.errors import ServiceError
from services.gateway.console.allowed import require
from services.gateway.console.asking import REFUSALS
from services.gateway.console.schedules.one import get_schedule, show_one
from services.gateway.web import problems
from services.gateway.web.forms import FieldErrors
from services.gateway.web.languages import gettext as _
from services.gateway.web.page import Page
from services.gateway.web.typed import plain_number, read_day
from tallyport.invoicing.v1.schedules_pb2 import ReportUsageRequest, UsageInput

_QUANTITY = re.compile(r"[0-9]{1,9}(\.[0-9]{1,4})?")
_NOON = time(12)


@post("/schedules/{schedule_id:str}/usage", name="console.schedule.usage")
async def enter(page: Page, schedule_id: FromPath[str]) -> Response[str]:
    """Counted once for the form's key. It was at noon of the day, or just now today."""
    require(page, "invoices.write")
    form, errors = page.form, FieldErrors()
    quantity, day = plain_number(form.text("usage_quantity")), read_day(form.text("used_on"))
    if not _QUANTITY.fullmatch(quantity) or not quantity.strip("0."):
        errors["usage_quantity"] = _("Please enter a number above zero, with at most four decimals.")
    today = await page.today()
    if day is None or day.isoformat() > today:
        errors["used_on"] = _("Please choose a day that is not yet to come.")
    if errors or day is None:
        return await show_one(page, schedule_id, errors=errors)
    record = UsageInput(external_id=f"console-{form.text('usage_key')[:80]}", quantity=quantity)
    if form.text("usage_line").isdecimal():
        record.line_no = int(form.text("usage_line")[:6])
    if day.isoformat() < today:
        zone = ZoneInfo((await get_schedule(page, schedule_id)).time_zone)
        record.used_at.CopyFrom(_stamp(datetime.combine(day, _NOON, zone)))
    try:
        request = ReportUsageRequest(schedule_id=schedule_id, records=[record])
        await page.call(page.to.schedules.ReportUsage, request)
    except ServiceError as error:
        if error.kind not in REFUSALS:
            raise
        return await show_one(page, schedule_id, refused=problems.sentence(error))
    page.flash("good", _("The usage is entered. The next invoice bills it."))
    return page.redirect(f"/console/schedules/{schedule_id}")


def _stamp(moment: datetime) -> Timestamp:
    stamp = Timestamp()
    stamp.FromDatetime(moment.astimezone(UTC))
    return stamp

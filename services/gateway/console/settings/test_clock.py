"""The organization's test clock: its state, and forms to make, advance, stop and remove it."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from google.protobuf.timestamp_pb2 import Timestamp
from litestar import Response, get, post

from chassis.errors import Kind, ServiceError, not_found
from services.gateway.console.allowed import require
from services.gateway.console.asking import REFUSALS
from services.gateway.web import problems
from services.gateway.web.forms import FieldErrors
from services.gateway.web.languages import gettext as _
from services.gateway.web.page import Page
from tallyport.identity.v1.test_clocks_pb2 import (
    AdvanceTestClockRequest,
    CreateTestClockRequest,
    DeleteTestClockRequest,
    ListTestClocksRequest,
    StopTestClockRequest,
    TestClock,
    TestClockStatus,
)

ADDRESS = "/console/settings/test-clock"
_PERMISSION = "organization.write"
_FORM = "%Y-%m-%dT%H:%M"


async def _clock(page: Page) -> TestClock | None:
    answer = await page.call(page.to.test_clocks.ListTestClocks, ListTestClocksRequest())
    return answer.test_clocks[0] if answer.test_clocks else None


async def _render(page: Page, *, errors: FieldErrors | None = None, refused: str = "") -> Response[str]:
    clock, organization = await _clock(page), await page.organization()
    zone = ZoneInfo(organization.time_zone or "UTC")
    now = datetime.now(UTC) if clock is None else clock.frozen_time.ToDatetime(tzinfo=UTC)
    return page.render(
        "console_settings_test_clock.html",
        status=422 if errors or refused else 200,
        clock=clock,
        organization=organization,
        suggested=page.form.text("at") or now.astimezone(zone).strftime(_FORM),
        zone=zone.key,
        Status=TestClockStatus,
        may_change=page.may(_PERMISSION),
        key=page.new_key(),
        errors=errors or FieldErrors(),
        refused=refused,
    )


@get("/settings/test-clock", name="console.settings.test_clock")
async def show(page: Page) -> Response[str]:
    """Where the clock stands and what it is doing; nothing to see where none are allowed."""
    if not page.site.test_times.allowed:
        raise not_found("page")
    return await _render(page)


@post("/settings/test-clock", name="console.settings.test_clock.change")
async def change(page: Page) -> Response[str]:
    """Make, advance, stop or remove it."""
    require(page, _PERMISSION)
    if not page.site.test_times.allowed:
        raise not_found("page")
    try:
        await _act(page, page.form.text("action"))
    except ValueError:
        return await _render(page, errors=FieldErrors({"at": _("Please enter a day and a time.")}))
    except ServiceError as error:
        if error.kind not in REFUSALS and error.kind is not Kind.PERMISSION_DENIED:
            raise
        return await _render(page, refused=problems.sentence(error))
    finally:
        page.site.test_times.forget(page.session.organization_id)
    return page.redirect(ADDRESS)


async def _act(page: Page, action: str) -> None:
    to, key, clock_id = page.to.test_clocks, page.form.text("key"), page.form.text("clock")
    if action == "delete":
        request = DeleteTestClockRequest(test_clock_id=clock_id)
        await page.call(to.DeleteTestClock, request, idempotency_key=key)
        page.flash("good", _("The test clock is gone. Today is today again."))
        return
    if action == "stop":
        stop = StopTestClockRequest(test_clock_id=clock_id)
        await page.call(to.StopTestClock, stop, idempotency_key=key)
        return
    at = await _moment(page)
    if action == "advance":
        await page.call(
            to.AdvanceTestClock,
            AdvanceTestClockRequest(test_clock_id=clock_id, frozen_time=at),
            idempotency_key=key,
        )
    else:
        await page.call(
            to.CreateTestClock,
            CreateTestClockRequest(frozen_time=at, name=page.form.text("name")[:100]),
            idempotency_key=key,
        )


async def _moment(page: Page) -> Timestamp:
    """What was typed, in the organization's zone. Raises ValueError."""
    zone = ZoneInfo((await page.organization()).time_zone or "UTC")
    at = Timestamp()
    at.FromDatetime(datetime.strptime(page.form.text("at")[:16], _FORM).replace(tzinfo=zone).astimezone(UTC))
    return at

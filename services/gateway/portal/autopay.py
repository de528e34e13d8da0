"""Automatic payments, as the payer wants them: which, when, with what, how much at most; skip, pause, turn off."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath

from chassis.errors import Kind, ServiceError
from services.gateway.http_status import page_status_of
from services.gateway.portal import paying, ways
from services.gateway.web import problems
from services.gateway.web.forms import FieldErrors, Form
from services.gateway.web.languages import gettext as _
from services.gateway.web.page import Page
from services.gateway.web.typed import amount_field, to_message
from tallyport.payments.v1.autopay_pb2 import (
    AutopayRun,
    AutopayRunStatus,
    AutopayScope,
    AutopaySettings,
    ConfirmAutopayRequest,
    GetAutopayRequest,
    ListAutopayRunsRequest,
    PauseAutopayRequest,
    SetAutopayRequest,
    SkipAutopayRequest,
    TurnOffAutopayRequest,
)
from tallyport.payments.v1.payment_methods_pb2 import ListPaymentMethodsRequest

MOST_DAYS_BEFORE, MOST_DAYS_AFTER, LAST_DAY_OF_MONTH, MOST_NOTICE_DAYS = 30, 14, 28, 14
_PAGE_SIZE = 25
_R = AutopayRunStatus
OPEN_RUNS = (
    _R.AUTOPAY_RUN_STATUS_PLANNED,
    _R.AUTOPAY_RUN_STATUS_NEEDS_CONFIRMATION,
    _R.AUTOPAY_RUN_STATUS_RETRYING,
)
_REFUSALS = (
    Kind.FAILED_PRECONDITION,
    Kind.INVALID_ARGUMENT,
    Kind.NOT_FOUND,
    Kind.PERMISSION_DENIED,
    Kind.ABORTED,
)


@dataclass(frozen=True, slots=True)
class Standing:
    """Automatic payments in short: the settings, the next payment, and those that ask for consent."""

    settings: AutopaySettings
    next_run: AutopayRun | None
    asking: Sequence[AutopayRun]


async def standing(page: Page) -> Standing | None:
    """For the overview, which also does without it."""
    try:
        settings, answer = await asyncio.gather(
            page.call(page.to.autopay.GetAutopay, GetAutopayRequest()),
            page.call(page.to.autopay.ListAutopayRuns, ListAutopayRunsRequest(page_size=_PAGE_SIZE)),
        )
    except ServiceError as error:
        if error.kind is Kind.UNAUTHENTICATED:
            raise
        return None
    waiting = sorted(
        (run for run in answer.runs if run.status in OPEN_RUNS), key=lambda run: run.next_try_on or run.pay_on
    )
    asking = [run for run in waiting if run.status == _R.AUTOPAY_RUN_STATUS_NEEDS_CONFIRMATION]
    return Standing(settings, next((run for run in waiting if run not in asking), None), asking)


@get("/autopay", name="portal.autopay")
async def show(page: Page) -> Response[str]:
    """What is set, what is planned, and the form to change it."""
    return await _show(page)


async def _show(
    page: Page, *, errors: FieldErrors | None = None, refused: str = "", status: int = 200
) -> Response[str]:
    settings, runs, methods, organization = await asyncio.gather(
        page.call(page.to.autopay.GetAutopay, GetAutopayRequest()),
        page.call(
            page.to.autopay.ListAutopayRuns,
            ListAutopayRunsRequest(page_size=_PAGE_SIZE, page_token=page.query("page")),
        ),
        page.call(page.to.payment_methods.ListPaymentMethods, ListPaymentMethodsRequest()),
        page.organization(),
    )
    usable = [one for one in methods.payment_methods if ways.is_usable(one)]
    entered = (
        page.form
        if page.form.text("payment_method_id")
        else _as_form(settings, methods.suggested_payment_method_id)
    )
    return page.render(
        "autopay.html",
        status=status,
        settings=settings,
        runs=runs.runs,
        next_token=runs.next_page_token,
        usable=usable,
        method=next(
            (one for one in methods.payment_methods if one.payment_method_id == settings.payment_method_id),
            None,
        ),
        entered=entered,
        currency=settings.cap.currency or organization.currency,
        organization=organization,
        today=await page.today(),
        may_skip=(*OPEN_RUNS, _R.AUTOPAY_RUN_STATUS_SKIPPED),
        states=AutopayRunStatus,
        failure=problems.failure,
        errors=errors or FieldErrors(),
        refused=refused,
    )


def _as_form(settings: AutopaySettings, suggested: str) -> Form:
    """The settings as the form would bring them."""
    values: dict[str, list[str]] = {
        "payment_method_id": [settings.payment_method_id or suggested],
        "scope": ["chosen" if settings.scope == AutopayScope.AUTOPAY_SCOPE_CHOSEN else "all"],
        "prefixes": [", ".join(settings.prefixes)],
        "when": ["month" if settings.day_of_month else "after" if settings.days_before_due < 0 else "before"],
        "days": [str(abs(settings.days_before_due))],
        "day_of_month": [str(settings.day_of_month or 1)],
        "notice_days": [str(settings.notice_days if settings.version else 3)],
        "cap": [],
    }
    if settings.cap.currency:
        values["cap"] = [amount_field(settings.cap)]
    return Form(values)


@post("/autopay", name="portal.autopay.set")
async def change(page: Page) -> Response[str]:
    """Turns it on, or changes it: agreed to anew each time."""
    request, errors = await _request(page)
    if errors:
        return await _show(page, errors=errors, status=422)
    try:
        await page.call(page.to.autopay.SetAutopay, request)
    except ServiceError as error:
        if error.kind not in _REFUSALS:
            raise
        return await _show(
            page,
            errors=FieldErrors.of(error),
            refused=problems.sentence(error),
            status=page_status_of(error),
        )
    page.flash("good", _("Automatic payments are on. Below you see what is planned."))
    return page.redirect("/autopay")


async def _request(page: Page) -> tuple[SetAutopayRequest, FieldErrors]:
    form, errors = page.form, FieldErrors()
    chosen = form.text("scope") == "chosen"
    request = SetAutopayRequest(
        payment_method_id=form.text("payment_method_id")[:60],
        scope=AutopayScope.AUTOPAY_SCOPE_CHOSEN if chosen else AutopayScope.AUTOPAY_SCOPE_ALL,
        notice_days=_whole(form, "notice_days", 0, MOST_NOTICE_DAYS, errors),
        agree=form.checked("agree"),
    )
    if chosen:
        request.prefixes.extend(one.strip()[:50] for one in form.text("prefixes").split(",") if one.strip())
        if not request.prefixes:
            errors["prefixes"] = _("Please say how the numbers begin.")
    when = form.text("when")
    if when == "month":
        request.day_of_month = _whole(form, "day_of_month", 1, LAST_DAY_OF_MONTH, errors)
    elif when == "after":
        request.days_before_due = -_whole(form, "days", 0, MOST_DAYS_AFTER, errors)
    else:
        request.days_before_due = _whole(form, "days", 0, MOST_DAYS_BEFORE, errors)
    if form.text("cap"):
        currency = (await page.organization()).currency
        cap = paying.read_entry(form.text("cap"), currency)
        if cap.amount is None or cap.error:
            errors["cap"] = cap.error
        else:
            request.cap.CopyFrom(to_message(cap.amount))
    if not request.agree:
        errors["agree"] = _("Please agree, or leave automatic payments off.")
    return request, errors


def _whole(form: Form, name: str, least: int, most: int, errors: FieldErrors) -> int:
    text = form.text(name)
    if text.isascii() and text.isdecimal() and least <= int(text[:4]) <= most:
        return int(text)
    words = _("Please enter a whole number from %(least)s to %(most)s.")
    errors[name] = words % {"least": least, "most": most}
    return least


@post("/autopay/off", name="portal.autopay.off")
async def turn_off(page: Page) -> Response[str]:
    """From this moment on nothing starts by itself."""
    await page.call(page.to.autopay.TurnOffAutopay, TurnOffAutopayRequest())
    page.flash("good", _("Automatic payments are off."))
    return page.redirect("/autopay")


@post("/autopay/pause", name="portal.autopay.pause")
async def pause(page: Page) -> Response[str]:
    """Until a day, or, without one, resumes."""
    try:
        await page.call(page.to.autopay.PauseAutopay, PauseAutopayRequest(until=page.form.text("until")[:10]))
    except ServiceError as error:
        if error.kind is not Kind.INVALID_ARGUMENT:
            raise
        page.flash("warn", _("Please choose a day after today."))
    return page.redirect("/autopay")


@post("/autopay/runs/{run_id:str}/skip", name="portal.autopay.skip")
async def skip(page: Page, run_id: FromPath[str]) -> Response[str]:
    """Leaves one out, or takes that back."""
    return await _run(page, page.to.autopay.SkipAutopay, SkipAutopayRequest(run_id=run_id))


@post("/autopay/runs/{run_id:str}/confirm", name="portal.autopay.confirm")
async def confirm(page: Page, run_id: FromPath[str]) -> Response[str]:
    """Agrees to one that is over the limit."""
    return await _run(page, page.to.autopay.ConfirmAutopay, ConfirmAutopayRequest(run_id=run_id))


async def _run(page: Page, method: Any, request: Any) -> Response[str]:
    try:
        run: AutopayRun = await page.call(method, request)
    except ServiceError as error:
        if error.kind not in _REFUSALS:
            raise
        page.flash("warn", problems.sentence(error))
        return page.redirect("/autopay")
    if run.status == _R.AUTOPAY_RUN_STATUS_SKIPPED:
        page.flash("good", _("This payment is left out. The invoices stay open."))
    elif run.status == _R.AUTOPAY_RUN_STATUS_NEEDS_CONFIRMATION:
        page.flash("info", _("Somebody else has to agree as well."))
    else:
        page.flash("good", _("This payment is planned."))
    return page.redirect("/autopay")

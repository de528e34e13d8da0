"""Instalment plans of the customer, and promises to pay."""

import asyncio

from litestar import Response, get, post
from litestar.params import FromPath

from chassis.errors import Kind, ServiceError
from services.gateway.web import plans as words
from services.gateway.web import problems
from services.gateway.web.forms import FieldErrors
from services.gateway.web.languages import gettext as _
from services.gateway.web.page import Page
from services.gateway.web.typed import amount_words, read_amount, read_day, to_message
from tallyport.invoicing.v1.customers_pb2 import GetAccountSummaryRequest
from tallyport.invoicing.v1.instalment_plans_pb2 import (
    AcceptInstalmentPlanRequest,
    AnswerPlanSuggestionRequest,
    CancelInstalmentPlanRequest,
    GetInstalmentPlanRequest,
    InstalmentPlanState,
    ListInstalmentPlansRequest,
)
from tallyport.invoicing.v1.payment_promises_pb2 import (
    ListPaymentPromisesRequest,
    PromiseToPayRequest,
    WithdrawPaymentPromiseRequest,
)

_REFUSED = (
    Kind.FAILED_PRECONDITION,
    Kind.INVALID_ARGUMENT,
    Kind.NOT_FOUND,
    Kind.ABORTED,
    Kind.PERMISSION_DENIED,
)


@get("/plans", name="portal.plans")
async def show(page: Page) -> Response[str]:
    """All ways out when paying is hard, on one page."""
    return await _page(page)


async def _page(page: Page, *, refused: str = "", errors: FieldErrors | None = None) -> Response[str]:
    customer_id = page.session.customer_id
    plans, promises, summary, today = await asyncio.gather(
        page.call(
            page.to.instalment_plans.ListInstalmentPlans,
            ListInstalmentPlansRequest(customer_id=customer_id, page_token=page.query("page")),
        ),
        page.call(
            page.to.payment_promises.ListPaymentPromises, ListPaymentPromisesRequest(customer_id=customer_id)
        ),
        page.call(page.to.customers.GetAccountSummary, GetAccountSummaryRequest(customer_id=customer_id)),
        page.today(),
    )
    return page.render(
        "plans.html",
        status=422 if refused or errors else 200,
        plans=plans.plans,
        next_token=plans.next_page_token,
        promises=promises.promises,
        balance=summary.balances[0],
        today=today,
        key=page.new_key(),
        refused=refused,
        errors=errors or FieldErrors(),
        plan_status=words.plan_status,
        promise_status=words.promise_status,
    )


@get("/plans/{plan_id:str}", name="portal.plan")
async def one(page: Page, plan_id: FromPath[str]) -> Response[str]:
    """What there is to read and accept, or how far it is paid."""
    return await _one(page, plan_id)


async def _one(page: Page, plan_id: str, *, refused: str = "") -> Response[str]:
    plan, organization = await asyncio.gather(
        page.call(page.to.instalment_plans.GetInstalmentPlan, GetInstalmentPlanRequest(plan_id=plan_id)),
        page.organization(),
    )
    paid, total = plan.schedule.paid.minor_units, plan.schedule.total.minor_units
    return page.render(
        "plan.html",
        status=409 if refused else 200,
        plan=plan,
        state=words.plan_status(plan.state),
        States=InstalmentPlanState,
        instalment_status=words.instalment_status,
        reasons=dict(words.reason_words()),
        percent=min(100, max(0, paid * 100 // total)) if total else 0,
        organization=organization,
        refused=refused,
        key=page.new_key(),
    )


@post("/plans/{plan_id:str}/accept", name="portal.plan.accept")
async def accept(page: Page, plan_id: FromPath[str]) -> Response[str]:
    """Only what was shown, and only with the tick."""
    if not page.form.checked("agree"):
        return await _one(page, plan_id, refused=_("Please tick that you have read the terms."))
    request = AcceptInstalmentPlanRequest(plan_id=plan_id, terms_hash=page.form.text("terms")[:100])
    try:
        await page.call(
            page.to.instalment_plans.AcceptInstalmentPlan,
            request,
            idempotency_key=page.form.text("key")[:100],
        )
    except ServiceError as error:
        if error.kind not in _REFUSED:
            raise
        return await _one(page, plan_id, refused=problems.sentence(error))
    page.flash("good", _("Your plan has begun. We have sent you the terms by e-mail."))
    return page.redirect(f"/plans/{plan_id}")


@post("/plans/{plan_id:str}/decline", name="portal.plan.decline")
async def decline(page: Page, plan_id: FromPath[str]) -> Response[str]:
    """Take a request back, or leave an offer."""
    request = CancelInstalmentPlanRequest(plan_id=plan_id)
    try:
        await page.call(page.to.instalment_plans.CancelInstalmentPlan, request)
    except ServiceError as error:
        if error.kind not in _REFUSED:
            raise
        return await _one(page, plan_id, refused=problems.sentence(error))
    page.flash("info", _("That is settled. Nothing has changed for you."))
    return page.redirect("/plans")


@post("/plans/suggestion", name="portal.plans.suggestion")
async def no_thanks(page: Page) -> Response[str]:
    """A suggestion is not wanted."""
    request = AnswerPlanSuggestionRequest(customer_id=page.session.customer_id, declined=True)
    await page.call(page.to.instalment_plans.AnswerPlanSuggestion, request)
    return page.redirect("/")


@post("/promises", name="portal.promises.make")
async def promise(page: Page) -> Response[str]:
    """A day and an amount."""
    typed, currency = page.form.text("amount"), page.form.text("currency")[:3]
    amount = read_amount(typed, currency)
    day = page.form.text("promised_on")[:10]
    errors = FieldErrors()
    if amount is None or amount.is_zero:
        errors["amount"] = amount_words(typed, currency)
    if read_day(day) is None:
        errors["promised_on"] = _("Please choose a day.")
    if errors or amount is None:
        return await _page(page, errors=errors)
    request = PromiseToPayRequest(
        customer_id=page.session.customer_id,
        amount=to_message(amount),
        promised_on=day,
        note=page.form.text("note")[:500],
    )
    try:
        await page.call(
            page.to.payment_promises.PromiseToPay, request, idempotency_key=page.form.text("key")[:100]
        )
    except ServiceError as error:
        if error.kind not in _REFUSED:
            raise
        return await _page(page, refused=problems.sentence(error), errors=FieldErrors.of(error))
    page.flash("good", _("Thank you for telling us. We have noted your promise."))
    return page.redirect("/plans")


@post("/promises/{promise_id:str}/withdraw", name="portal.promises.withdraw")
async def withdraw(page: Page, promise_id: FromPath[str]) -> Response[str]:
    """Take it back."""
    request = WithdrawPaymentPromiseRequest(promise_id=promise_id)
    try:
        await page.call(page.to.payment_promises.WithdrawPaymentPromise, request)
    except ServiceError as error:
        if error.kind not in _REFUSED:
            raise
        return await _page(page, refused=problems.sentence(error))
    return page.redirect("/plans")

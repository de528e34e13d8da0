"""Who cannot pay all at once: requests that wait, plans, and a plan for somebody who calls."""

import asyncio
from decimal import Decimal

from litestar import Response, get, post
from litestar.params import FromPath

from chassis.errors import ServiceError
from chassis.money import Money
from services.gateway.console.allowed import require
from services.gateway.console.asking import REFUSALS
from services.gateway.web import plans as words
from services.gateway.web import problems
from services.gateway.web.forms import FieldErrors, Form
from services.gateway.web.languages import gettext as _
from services.gateway.web.page import Page
from services.gateway.web.rendering import money_of
from services.gateway.web.typed import amount_words, number_field, read_amount, read_day, to_message
from tallyport.invoicing.v1.customers_pb2 import GetCustomerRequest
from tallyport.invoicing.v1.instalment_plans_pb2 import (
    AcceptInstalmentPlanRequest,
    ApproveInstalmentPlanRequest,
    CancelInstalmentPlanRequest,
    GetInstalmentPlanRequest,
    InstalmentChoice,
    InstalmentInterval,
    InstalmentPlanState,
    ListInstalmentPlansRequest,
    OfferInstalmentPlanRequest,
    ProposeInstalmentsRequest,
    RejectInstalmentPlanRequest,
)
from tallyport.invoicing.v1.payment_promises_pb2 import ListPaymentPromisesRequest

_PAGE_SIZE = 50
_SHOWN = {
    "": InstalmentPlanState.INSTALMENT_PLAN_STATE_REQUESTED,
    "offered": InstalmentPlanState.INSTALMENT_PLAN_STATE_OFFERED,
    "active": InstalmentPlanState.INSTALMENT_PLAN_STATE_ACTIVE,
    "broken": InstalmentPlanState.INSTALMENT_PLAN_STATE_BROKEN,
    "all": InstalmentPlanState.INSTALMENT_PLAN_STATE_UNSPECIFIED,
}


@get("/plans", name="console.plans")
async def show(page: Page) -> Response[str]:
    """Requests that wait come first; `?show=` has the others."""
    chosen = page.query("show") if page.query("show") in _SHOWN else ""
    request = ListInstalmentPlansRequest(
        state=_SHOWN[chosen], page_size=_PAGE_SIZE, page_token=page.query("page")
    )
    answer, promises, organization = await asyncio.gather(
        page.call(page.to.instalment_plans.ListInstalmentPlans, request),
        page.call(page.to.payment_promises.ListPaymentPromises, ListPaymentPromisesRequest(page_size=10)),
        page.organization(),
    )
    tabs = [
        ("", _("Wait for us")), ("offered", _("Offered")), ("active", _("Agreed")),
        ("broken", _("Missed")), ("all", _("All")),
    ]  # fmt: skip
    return page.render(
        "console_plans.html",
        plans=answer.plans,
        next_token=answer.next_page_token,
        promises=promises.promises,
        tabs=[(page.with_query(show=key, page=""), word, key == chosen) for key, word in tabs],
        zone=organization.time_zone or "UTC",
        plan_status=words.plan_status,
        promise_status=words.promise_status,
    )


@get("/plans/{plan_id:str}", name="console.plan")
async def one(page: Page, plan_id: FromPath[str]) -> Response[str]:
    """What is asked for, what the policy allows, and the answer."""
    return await _one(page, plan_id)


async def _one(
    page: Page, plan_id: str, *, refused: str = "", errors: FieldErrors | None = None
) -> Response[str]:
    plan, organization = await asyncio.gather(
        page.call(page.to.instalment_plans.GetInstalmentPlan, GetInstalmentPlanRequest(plan_id=plan_id)),
        page.organization(),
    )
    debt = Money.zero(plan.schedule.total.currency)
    for part in plan.invoices:
        debt += money_of(part.amount_due)
    return page.render(
        "console_plan.html",
        status=422 if refused or errors else 200,
        plan=plan,
        state=words.plan_status(plan.state),
        States=InstalmentPlanState,
        instalment_status=words.instalment_status,
        reasons=dict(words.reason_words()),
        intervals=words.interval_options(),
        interval_word=words.interval_word,
        most_discount=_most_discount(debt, plan.rules.hardship_discount_basis_points),
        debt=debt,
        may_change=page.may("invoices.write"),
        zone=organization.time_zone or "UTC",
        key=page.new_key(),
        refused=refused,
        errors=errors or FieldErrors(),
    )


def _most_discount(debt: Money, basis_points: int) -> Money:
    return Money(debt.minor_units * basis_points // 10_000, debt.currency)


def _choice(form: Form) -> InstalmentChoice:
    """What was typed; the service tells what is wrong with it."""
    count, every = form.text("n"), form.text("every")
    return InstalmentChoice(
        instalments=int(count) if count.isascii() and count.isdecimal() and len(count) < 3 else 0,
        interval=next(
            (one for one in InstalmentInterval.values() if str(one) == every),
            InstalmentInterval.INSTALMENT_INTERVAL_MONTH,
        ),
        first_due_on=form.text("first") if read_day(form.text("first")) else "",
    )


def _discount(form: Form, currency: str) -> Money | None:
    """None for none. VALIDATION_FAILED is for the service; what is no amount is said here."""
    text = form.text("discount")
    if not text:
        return Money.zero(currency)
    return read_amount(text, currency)


@post("/plans/{plan_id:str}/approve", name="console.plan.approve")
async def approve(page: Page, plan_id: FromPath[str]) -> Response[str]:
    """An offer, as asked for or changed."""
    require(page, "invoices.write")
    discount = _discount(page.form, page.form.text("currency")[:3])
    if discount is None:
        return await _one(
            page,
            plan_id,
            errors=FieldErrors(
                discount=amount_words(page.form.text("discount"), page.form.text("currency")[:3])
            ),
        )
    request = ApproveInstalmentPlanRequest(
        plan_id=plan_id,
        choice=_choice(page.form),
        note=page.form.text("note")[:500],
        hardship_discount=None if discount.is_zero else to_message(discount),
    )
    try:
        await page.call(page.to.instalment_plans.ApproveInstalmentPlan, request)
    except ServiceError as error:
        return await _refused(page, plan_id, error)
    page.flash("good", _("The offer is sent. The plan begins once the customer accepts it."))
    return page.redirect(f"/console/plans/{plan_id}")


@post("/plans/{plan_id:str}/reject", name="console.plan.reject")
async def reject(page: Page, plan_id: FromPath[str]) -> Response[str]:
    """With a reason that the customer reads."""
    require(page, "invoices.write")
    reason = page.form.text("reason")[:500]
    if not reason:
        return await _one(page, plan_id, errors=FieldErrors(reason=_("Please tell the customer why.")))
    request = RejectInstalmentPlanRequest(plan_id=plan_id, reason=reason)
    try:
        await page.call(page.to.instalment_plans.RejectInstalmentPlan, request)
    except ServiceError as error:
        return await _refused(page, plan_id, error)
    page.flash("info", _("The request is turned down."))
    return page.redirect("/console/plans")


@post("/plans/{plan_id:str}/accept", name="console.plan.accept")
async def accept(page: Page, plan_id: FromPath[str]) -> Response[str]:
    """For a customer who agreed elsewhere, for example on the telephone: how is written down."""
    require(page, "invoices.write")
    note = page.form.text("how")[:500]
    if not note:
        return await _one(page, plan_id, errors=FieldErrors(how=_("Please note how the customer agreed.")))
    request = AcceptInstalmentPlanRequest(
        plan_id=plan_id, terms_hash=page.form.text("terms")[:100], note=note
    )
    try:
        await page.call(
            page.to.instalment_plans.AcceptInstalmentPlan,
            request,
            idempotency_key=page.form.text("key")[:100],
        )
    except ServiceError as error:
        return await _refused(page, plan_id, error)
    page.flash("good", _("The plan has begun. The customer gets the terms by e-mail."))
    return page.redirect(f"/console/plans/{plan_id}")


@post("/plans/{plan_id:str}/cancel", name="console.plan.cancel")
async def cancel(page: Page, plan_id: FromPath[str]) -> Response[str]:
    """All is due as it was before."""
    require(page, "invoices.write")
    request = CancelInstalmentPlanRequest(plan_id=plan_id, reason=page.form.text("reason")[:500])
    try:
        await page.call(page.to.instalment_plans.CancelInstalmentPlan, request)
    except ServiceError as error:
        return await _refused(page, plan_id, error)
    page.flash("info", _("The plan is given up. What is left is due as before."))
    return page.redirect(f"/console/plans/{plan_id}")


async def _refused(page: Page, plan_id: str, error: ServiceError) -> Response[str]:
    if error.kind not in REFUSALS:
        raise error
    fields = FieldErrors.of(error)
    names = {"hardship_discount": "discount", "choice.instalments": "n", "choice.first_due_on": "first"}
    errors = FieldErrors({names.get(name, name): text for name, text in fields.items()})
    return await _one(page, plan_id, refused="" if errors else problems.sentence(error), errors=errors)


@get("/customers/{customer_id:str}/plan", name="console.plan.new")
async def new(page: Page, customer_id: FromPath[str]) -> Response[str]:
    """A plan for a caller: every choice shows its instalments at once."""
    return await _new(page, customer_id, _choice_from(page))


def _choice_from(page: Page) -> InstalmentChoice:
    names = ("n", "every", "first")
    return _choice(Form({name: [page.query(name)] for name in names}))


async def _new(page: Page, customer_id: str, choice: InstalmentChoice, *, refused: str = "") -> Response[str]:
    require(page, "invoices.write")
    customer = await page.call(page.to.customers.GetCustomer, GetCustomerRequest(customer_id=customer_id))
    request = ProposeInstalmentsRequest(customer_id=customer_id, choice=choice)
    try:
        proposal = await page.call(page.to.instalment_plans.ProposeInstalments, request)
    except ServiceError as error:
        if error.kind not in REFUSALS:
            raise
        page.flash("warn", problems.sentence(error))
        return page.redirect(f"/console/customers/{customer_id}")
    return page.render(
        "console_plan_new.html",
        status=422 if refused else 200,
        customer=customer,
        proposal=proposal,
        outside="" if proposal.within_policy else words.refusal_word(proposal.refusal),
        intervals=words.interval_options(),
        most_discount=_most_discount(money_of(proposal.total), proposal.rules.hardship_discount_basis_points),
        key=page.new_key(),
        refused=refused,
    )


@post("/customers/{customer_id:str}/plan", name="console.plan.offer")
async def offer(page: Page, customer_id: FromPath[str]) -> Response[str]:
    """Offers it: the customer reads the terms and accepts, or says yes to us."""
    require(page, "invoices.write")
    choice = _choice(page.form)
    discount = _discount(page.form, page.form.text("currency")[:3])
    if discount is None:
        return await _new(page, customer_id, choice, refused=_("The discount is not an amount."))
    request = OfferInstalmentPlanRequest(
        customer_id=customer_id,
        choice=choice,
        note=page.form.text("note")[:500],
        hardship_discount=None if discount.is_zero else to_message(discount),
    )
    try:
        plan = await page.call(
            page.to.instalment_plans.OfferInstalmentPlan,
            request,
            idempotency_key=page.form.text("key")[:100],
        )
    except ServiceError as error:
        if error.kind not in REFUSALS:
            raise
        return await _new(page, customer_id, choice, refused=problems.sentence(error))
    page.flash("good", _("The plan is offered. It begins once the customer accepts it."))
    return page.redirect(f"/console/plans/{plan.plan_id}")


def percent_of(basis_points: int) -> str:
    """Hundredths of a percent as people write percents."""
    return number_field(f"{(Decimal(basis_points) / 100).normalize():f}")

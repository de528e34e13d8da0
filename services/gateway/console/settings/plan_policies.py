"""What the organization allows who cannot pay all at once, by segment."""

from decimal import Decimal, InvalidOperation

from litestar import Response, get, post

from chassis.errors import ServiceError
from chassis.money import Money
from services.gateway.console.allowed import require
from services.gateway.console.asking import REFUSALS
from services.gateway.console.plans import percent_of
from services.gateway.web import problems
from services.gateway.web.forms import FieldErrors
from services.gateway.web.languages import gettext as _
from services.gateway.web.page import Page
from services.gateway.web.typed import amount_words, plain_number, read_amount, to_message
from tallyport.invoicing.v1.instalment_plans_pb2 import PlanPolicyRules
from tallyport.invoicing.v1.plan_policies_pb2 import (
    DeletePlanPolicyRequest,
    ListPlanPoliciesRequest,
    PlanPolicy,
    PutPlanPolicyRequest,
)

_PERMISSION = "organization.write"
_AMOUNTS = ("min_instalment", "min_debt", "max_debt", "auto_approve_up_to")
_NUMBERS = (
    "max_months",
    "grace_days",
    "missed_to_break",
    "notice_days",
    "max_hold_days",
    "max_open_promises",
    "max_promise_days",
)
_STOPS = ("stops_dunning", "stops_late_fees", "stops_autopay")


@get("/settings/plans", name="console.settings.plans")
async def show(page: Page) -> Response[str]:
    """One form for each policy, and one for another segment."""
    return await _render(page)


async def _render(
    page: Page, *, errors: FieldErrors | None = None, refused: str = "", broken: PlanPolicy | None = None
) -> Response[str]:
    answer = await page.call(page.to.plan_policies.ListPlanPolicies, ListPlanPoliciesRequest())
    policies = list(answer.policies)
    if broken is not None:
        others = [one for one in policies if (one.segment, one.currency) != (broken.segment, broken.currency)]
        policies = [broken, *others]
    return page.render(
        "console_settings_plans.html",
        status=422 if errors or refused else 200,
        policies=policies,
        percents=[percent_of(one.rules.hardship_discount_basis_points) for one in policies],
        may_change=page.may(_PERMISSION),
        errors=errors or FieldErrors(),
        refused=refused,
    )


@post("/settings/plans", name="console.settings.plans.save")
async def save(page: Page) -> Response[str]:
    """save: it holds for plans from now on; delete: everybody's policy holds again for the segment."""
    require(page, _PERMISSION)
    form = page.form
    segment, currency = form.text("segment")[:50], form.text("currency")[:3].upper()
    if form.text("action") == "delete":
        request = DeletePlanPolicyRequest(segment=segment, currency=currency)
        await page.call(page.to.plan_policies.DeletePlanPolicy, request)
        page.flash("info", _("The policy is taken away."))
        return page.redirect("/console/settings/plans")
    policy, errors = _typed(page, segment, currency)
    if errors:
        return await _render(page, errors=errors, broken=policy)
    try:
        await page.call(page.to.plan_policies.PutPlanPolicy, PutPlanPolicyRequest(policy=policy))
    except ServiceError as error:
        if error.kind not in REFUSALS:
            raise
        fields = FieldErrors({name.rpartition(".")[2]: text for name, text in FieldErrors.of(error).items()})
        return await _render(page, errors=fields, refused=problems.sentence(error), broken=policy)
    page.flash("good", _("The policy is saved and holds for plans that are made from now on."))
    return page.redirect("/console/settings/plans")


def _typed(page: Page, segment: str, currency: str) -> tuple[PlanPolicy, FieldErrors]:
    """What was typed, as far as it can be read."""
    form, errors, rules = page.form, FieldErrors(), PlanPolicyRules()
    try:
        Money.zero(currency)
    except ValueError:
        return PlanPolicy(segment=segment, currency="USD"), FieldErrors(
            currency=_("There is no such currency.")
        )
    for name in _AMOUNTS:
        amount = read_amount(form.text(name) or "0", currency)
        if amount is None:
            errors[name] = amount_words(form.text(name), currency)
        getattr(rules, name).CopyFrom(to_message(amount or Money.zero(currency)))
    for name in _NUMBERS:
        text = form.text(name)
        if not (text.isascii() and text.isdecimal() and len(text) < 4):
            errors[name] = _("Please enter a whole number.")
        else:
            setattr(rules, name, int(text))
    for name in _STOPS:
        setattr(rules, name, form.checked(name))
    try:
        points = Decimal(plain_number(form.text("discount") or "0")) * 100
        if points != int(points) or not 0 <= points <= 10_000:
            raise InvalidOperation
        rules.hardship_discount_basis_points = int(points)
    except (InvalidOperation, OverflowError, ValueError):
        errors["discount"] = _("Please enter a percentage from 0 to 100.")
    return PlanPolicy(segment=segment, currency=currency, rules=rules, written=True), errors

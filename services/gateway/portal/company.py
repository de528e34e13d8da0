"""The rules that a company sets for its own payers: whose payments wait, and how much each may spend."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from litestar import Response, get, post

from chassis.errors import Kind, ServiceError
from services.gateway.web import problems
from services.gateway.web.forms import FieldErrors, Form
from services.gateway.web.languages import gettext as _
from services.gateway.web.page import Page
from services.gateway.web.typed import amount_field, amount_words, read_amount, to_message
from tallyport.common.v1.money_pb2 import Money as MoneyMessage
from tallyport.identity.v1.people_pb2 import Colleague, ListColleaguesRequest, Role
from tallyport.invoicing.v1.customers_pb2 import Customer, GetCustomerRequest
from tallyport.payments.v1.payer_rules_pb2 import (
    GetPayerRulesRequest,
    PayerRuleSet,
    PersonLimit,
    SetPayerRulesRequest,
)

_PERMISSION = "payer_rules.write"


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonRow:
    """One person of the form; limits as typed."""

    person_id: str
    name: str
    role: str
    per_payment: str
    per_month: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Entered:
    """The form as it is shown."""

    approve: bool
    above: str
    needed: str
    people: Sequence[PersonRow]


def _role_words(role: "Role.ValueType") -> str:
    return {
        Role.ROLE_PAYER: _("Pays"),
        Role.ROLE_VIEWER: _("Looks only"),
        Role.ROLE_APPROVER: _("Pays and approves"),
        Role.ROLE_COMPANY_ADMIN: _("Pays, approves and sets the rules"),
    }.get(role, "")


def _text(amount: MoneyMessage, given: bool) -> str:
    return amount_field(amount) if given else ""


def _stored(rules: PayerRuleSet, colleagues: Sequence[Colleague]) -> Entered:
    limits = {limit.person_id: limit for limit in rules.person_limits}
    rows = []
    for one in colleagues:
        limit = limits.get(one.person_id, PersonLimit())
        rows.append(
            PersonRow(
                person_id=one.person_id,
                name=one.name,
                role=_role_words(one.role),
                per_payment=_text(limit.per_payment, limit.HasField("per_payment")),
                per_month=_text(limit.per_month, limit.HasField("per_month")),
            )
        )
    return Entered(
        approve=rules.HasField("approval_above"),
        above=_text(rules.approval_above, rules.HasField("approval_above")),
        needed=str(rules.approvals_needed or 1),
        people=rows,
    )


def _typed(form: Form, colleagues: Sequence[Colleague]) -> Entered:
    return Entered(
        approve=form.checked("approve"),
        above=form.text("above"),
        needed="2" if form.text("needed") == "2" else "1",
        people=[
            PersonRow(
                person_id=one.person_id,
                name=one.name,
                role=_role_words(one.role),
                per_payment=form.text(f"payment_{one.person_id}"),
                per_month=form.text(f"month_{one.person_id}"),
            )
            for one in colleagues
        ],
    )


def _request(entered: Entered, currency: str) -> tuple[SetPayerRulesRequest, FieldErrors]:
    """What to send, and which fields are no amounts."""
    errors = FieldErrors()

    def read(field: str, text: str) -> MoneyMessage | None:
        amount = read_amount(text, currency) if text else None
        if text and amount is None:
            errors[field] = amount_words(text, currency)
        return to_message(amount) if amount is not None else None

    request = SetPayerRulesRequest()
    if entered.approve:
        above = read("above", entered.above or "0")
        request.approvals_needed = int(entered.needed)
        if above is not None:
            request.approval_above.CopyFrom(above)
    for row in entered.people:
        per_payment = read(f"payment_{row.person_id}", row.per_payment)
        per_month = read(f"month_{row.person_id}", row.per_month)
        if per_payment is not None or per_month is not None:
            request.person_limits.append(
                PersonLimit(person_id=row.person_id, per_payment=per_payment, per_month=per_month)
            )
    return request, errors


async def _customer_and_rules(page: Page) -> tuple[Customer, PayerRuleSet]:
    return await asyncio.gather(
        page.call(page.to.customers.GetCustomer, GetCustomerRequest(customer_id=page.session.customer_id)),
        page.call(page.to.payer_rules.GetPayerRules, GetPayerRulesRequest()),
    )


async def _colleagues(page: Page) -> list[Colleague]:
    if not page.may(_PERMISSION):
        return []
    answer = await page.call(page.to.people.ListColleagues, ListColleaguesRequest())
    return list(answer.colleagues)


def _render(
    page: Page,
    known: tuple[Customer, PayerRuleSet],
    entered: Entered,
    *,
    errors: Mapping[str, str] | None = None,
    refused: str = "",
) -> Response[str]:
    customer, rules = known
    mine = next((one for one in rules.person_limits if one.person_id == page.session.subject_id), None)
    return page.render(
        "company.html",
        status=422 if errors or refused else 200,
        customer=customer,
        rules=rules,
        mine=mine,
        entered=entered,
        may_change=page.may(_PERMISSION),
        currency=customer.currency,
        errors=errors or FieldErrors(),
        refused=refused,
    )


@get("/company", name="portal.company")
async def show(page: Page) -> Response[str]:
    """The rules that bind the visitor; the form for who may change them."""
    known, colleagues = await asyncio.gather(_customer_and_rules(page), _colleagues(page))
    return _render(page, known, _stored(known[1], colleagues))


@post("/company", name="portal.company.save")
async def save(page: Page) -> Response[str]:
    """Replaces the rules. Payments that wait already go on waiting."""
    if not page.may(_PERMISSION):
        raise ServiceError(Kind.PERMISSION_DENIED, "PERMISSION_DENIED", "Your role does not allow this.")
    known, colleagues = await asyncio.gather(_customer_and_rules(page), _colleagues(page))
    entered = _typed(page.form, colleagues)
    request, errors = _request(entered, known[0].currency)
    if errors:
        return _render(page, known, entered, errors=errors)
    try:
        await page.call(page.to.payer_rules.SetPayerRules, request)
    except ServiceError as error:
        if error.kind not in (Kind.INVALID_ARGUMENT, Kind.FAILED_PRECONDITION, Kind.ABORTED):
            raise
        return _render(page, known, entered, refused=problems.sentence(error))
    page.flash("good", _("The rules are saved. They hold for payments that are started from now on."))
    return page.redirect("/company")

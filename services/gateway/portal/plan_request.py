"""Not all at once: choose instalments, tell why if paying is hard, read and accept on the plan's own page."""

from dataclasses import dataclass

from litestar import Response, get, post

from chassis.errors import Kind, ServiceError
from services.gateway.web import plans as words
from services.gateway.web import problems
from services.gateway.web.forms import FieldErrors
from services.gateway.web.languages import gettext as _
from services.gateway.web.page import Page
from services.gateway.web.rendering import money_of
from services.gateway.web.typed import read_amount, read_day, to_message
from tallyport.invoicing.v1.instalment_plans_pb2 import (
    InstalmentChoice,
    InstalmentInterval,
    InstalmentProposal,
    ProposeInstalmentsRequest,
    RequestInstalmentPlanRequest,
)

_REFUSED = (
    Kind.FAILED_PRECONDITION,
    Kind.INVALID_ARGUMENT,
    Kind.NOT_FOUND,
    Kind.ABORTED,
    Kind.PERMISSION_DENIED,
)
_MOST_INVOICES = 100


@dataclass(frozen=True, slots=True)
class Wish:
    """What was chosen so far."""

    invoice_ids: list[str]
    choice: InstalmentChoice

    @classmethod
    def of(cls, invoices: list[str], count: str, every: str, first: str) -> "Wish":
        """From the address or a form; what makes no sense is left to the policy."""
        intervals = {str(one): one for one in InstalmentInterval.values()}
        choice = InstalmentChoice(
            instalments=min(60, int(count))
            if count.isascii() and count.isdecimal() and len(count) < 4
            else 0,
            interval=intervals.get(every, InstalmentInterval.INSTALMENT_INTERVAL_MONTH),
            first_due_on=first if read_day(first) else "",
        )
        return cls(list(dict.fromkeys(one[:60] for one in invoices if one))[:_MOST_INVOICES], choice)


def _from_address(page: Page) -> Wish:
    named = [str(one) for one in page.request.query_params.getall("invoice", [])]
    return Wish.of(named, page.query("n"), page.query("every"), page.query("first"))


def _from_form(page: Page) -> Wish:
    form = page.form
    return Wish.of(form.all("invoice"), form.text("n"), form.text("every"), form.text("first"))


async def _proposal(page: Page, wish: Wish) -> InstalmentProposal:
    request = ProposeInstalmentsRequest(
        customer_id=page.session.customer_id, invoice_ids=wish.invoice_ids, choice=wish.choice
    )
    return await page.call(page.to.instalment_plans.ProposeInstalments, request)


@get("/plans/new", name="portal.plan.new")
async def show(page: Page) -> Response[str]:
    """First step: how many, how often, from when; each choice shows its instalments at once."""
    return await _choose(page, _from_address(page), why=page.query("step") == "why")


async def _choose(
    page: Page, wish: Wish, *, why: bool, refused: str = "", errors: FieldErrors | None = None
) -> Response[str]:
    try:
        proposal = await _proposal(page, wish)
    except ServiceError as error:
        if error.kind not in _REFUSED:
            raise
        return page.render("plan_refused.html", status=409, refused=problems.sentence(error))
    if proposal.refusal:
        return page.render("plan_refused.html", refused=words.refusal_word(proposal.refusal))
    return page.render(
        "plan_why.html" if why else "plan_new.html",
        status=422 if errors or refused else 200,
        proposal=proposal,
        named=wish.invoice_ids,
        intervals=words.interval_options(),
        interval=words.interval_word(proposal.choice.interval),
        reasons=words.reason_words(),
        chosen=set(page.form.all("reason")),
        total=money_of(proposal.total),
        key=page.new_key(),
        refused=refused,
        errors=errors or FieldErrors(),
    )


@post("/plans", name="portal.plan.request")
async def submit(page: Page) -> Response[str]:
    """Ask for it. On the plan's page follow the terms, or that staff look at it."""
    wish, hardship = _from_form(page), page.form.checked("hardship")
    request = RequestInstalmentPlanRequest(
        customer_id=page.session.customer_id,
        invoice_ids=wish.invoice_ids,
        choice=wish.choice,
        hardship=hardship,
        reasons=[one for one, _word in words.reason_words() if one in page.form.all("reason")],
        message=page.form.text("message")[:1000],
    )
    wished = page.form.text("wished")
    if wished:
        amount = read_amount(wished, page.form.text("currency")[:3])
        if amount is None or amount.is_zero:
            errors = FieldErrors(wished=_("Please enter an amount, or leave it empty."))
            return await _choose(page, wish, why=True, errors=errors)
        request.wished_amount.CopyFrom(to_message(amount))
    try:
        plan = await page.call(
            page.to.instalment_plans.RequestInstalmentPlan,
            request,
            idempotency_key=page.form.text("key")[:100],
        )
    except ServiceError as error:
        if error.kind not in _REFUSED:
            raise
        return await _choose(page, wish, why=hardship, refused=problems.sentence(error))
    return page.redirect(f"/plans/{plan.plan_id}")

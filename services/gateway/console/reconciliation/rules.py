"""Rules of staff: whose lines are, or that they are nobody's."""

from dataclasses import dataclass

from litestar import Response, get, post
from litestar.params import FromPath

from chassis.errors import ServiceError
from services.gateway.console.allowed import require
from services.gateway.console.asking import REFUSALS, if_found
from services.gateway.console.names import customer_names
from services.gateway.console.reconciliation.words import refusal
from services.gateway.web.forms import FieldErrors
from services.gateway.web.languages import gettext as _
from services.gateway.web.page import Page
from tallyport.invoicing.v1.customers_pb2 import GetCustomerRequest, ListCustomersRequest
from tallyport.payments.v1.payments_pb2 import GetPaymentRequest
from tallyport.payments.v1.reconciliation_pb2 import (
    CreateMatchRuleRequest,
    DeleteMatchRuleRequest,
    GetBankLineRequest,
    ListMatchRulesRequest,
    MatchRule,
)

_SHOWN_CUSTOMERS = 8
_STEP = 10
_HIGHEST_POSITION = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleForm:
    """As typed."""

    name: str = ""
    text_contains: str = ""
    counterparty_account: str = ""
    effect: str = "customer"
    customer_id: str = ""
    position: str = ""

    def rule(self) -> MatchRule:
        """For the service."""
        ignore = self.effect == "ignore"
        return MatchRule(
            name=self.name[:100],
            text_contains=self.text_contains[:200],
            counterparty_account=self.counterparty_account[:40],
            customer_id="" if ignore else self.customer_id,
            ignore=ignore,
            position=int(self.position) if self.position.isascii() and self.position.isdigit() else 0,
        )

    def mistakes(self) -> dict[str, str]:
        """Field to what is wrong with it."""
        wrong: dict[str, str] = {}
        if not self.name:
            wrong["name"] = _("Please give it a name.")
        if not self.text_contains and not self.counterparty_account:
            wrong["text_contains"] = _("Please say a text or an account that the line must have.")
        elif 0 < len(self.text_contains) < 3:
            wrong["text_contains"] = _("The text needs 3 characters or more.")
        if self.effect != "ignore" and not self.customer_id:
            wrong["customer_id"] = _("Please choose the customer, or have such lines ignored.")
        if (
            not (self.position.isascii() and self.position.isdigit())
            or int(self.position) > _HIGHEST_POSITION
        ):
            wrong["position"] = _("Please write a number.")
        return wrong


@get("/reconciliation/rules", name="console.match_rules")
async def show(page: Page) -> Response[str]:
    """In the order in which they are tried."""
    answer = await page.call(page.to.reconciliation.ListMatchRules, ListMatchRulesRequest())
    return page.render(
        "console_match_rules.html",
        rules=answer.rules,
        names=await customer_names(page, [one.customer_id for one in answer.rules]),
    )


async def _form(
    page: Page, typed: RuleForm, *, errors: FieldErrors | None = None, refused: str = "", key: str = ""
) -> Response[str]:
    words = (page.form.text("q") or page.query("q"))[:200]
    found = []
    if words:
        wanted = ListCustomersRequest(query=words, page_size=_SHOWN_CUSTOMERS)
        found = list((await page.call(page.to.customers.ListCustomers, wanted)).customers)
    customer = None
    if typed.customer_id:
        wanted_customer = GetCustomerRequest(customer_id=typed.customer_id)
        customer = await if_found(page.call(page.to.customers.GetCustomer, wanted_customer))
    return page.render(
        "console_match_rule_form.html",
        status=422 if errors or refused else 200,
        typed=typed,
        customer=customer,
        found=[one.customer for one in found],
        words=words,
        errors=errors or FieldErrors(),
        refused=refused,
        key=key or page.new_key(),
    )


async def _from_line(page: Page, bank_line_id: str) -> RuleForm:
    """What a line suggests: its account or else its name, and whose it is."""
    detail = await page.call(
        page.to.reconciliation.GetBankLine, GetBankLineRequest(bank_line_id=bank_line_id)
    )
    line, customer_id = detail.line, ""
    if line.payment_id:
        payment = await if_found(
            page.call(page.to.payments.GetPayment, GetPaymentRequest(payment_id=line.payment_id))
        )
        customer_id = payment.customer_id if payment else ""
    elif detail.proposals:
        customer_id = detail.proposals[0].customer_id
    return RuleForm(
        name=line.counterparty_name[:100],
        text_contains="" if line.counterparty_account else line.counterparty_name[:200],
        counterparty_account=line.counterparty_account[:40],
        customer_id=customer_id,
    )


async def _next_position(page: Page) -> str:
    answer = await page.call(page.to.reconciliation.ListMatchRules, ListMatchRulesRequest())
    return str(max((one.position for one in answer.rules), default=0) + _STEP)


@get("/reconciliation/rules/new", name="console.match_rule.new")
async def new(page: Page) -> Response[str]:
    """Empty, or as the line of `?line=` suggests."""
    require(page, "payments.record")
    line = page.query("line")
    typed = await _from_line(page, line) if line else RuleForm()
    fields = {name: getattr(typed, name) for name in RuleForm.__slots__}
    return await _form(page, RuleForm(**(fields | {"position": await _next_position(page)})))


@post("/reconciliation/rules/new", name="console.match_rule.create")
async def create(page: Page) -> Response[str]:
    """search: finds customers, with everything typed still there; add: adds the rule."""
    form, key = page.form, page.form.text("key")
    fields = {name: form.text(name) for name in RuleForm.__slots__}
    typed = RuleForm(**(fields | {"customer_id": form.text("chosen_customer") or fields["customer_id"]}))
    if form.text("action") == "search":
        return await _form(page, typed, key=key)
    wrong = typed.mistakes()
    if wrong:
        return await _form(page, typed, errors=FieldErrors(wrong), key=key)
    try:
        await page.call(
            page.to.reconciliation.CreateMatchRule,
            CreateMatchRuleRequest(rule=typed.rule()),
            idempotency_key=key,
        )
    except ServiceError as error:
        if error.kind not in REFUSALS:
            raise
        fields = {name.removeprefix("rule."): text for name, text in FieldErrors.of(error).items()}
        return await _form(page, typed, errors=FieldErrors(fields), refused=refusal(error))
    page.flash("good", _("The rule is added. Lines that wait are looked at again within a minute."))
    return page.redirect("/console/reconciliation/rules")


@post("/reconciliation/rules/{match_rule_id:str}/delete", name="console.match_rule.delete")
async def delete(page: Page, match_rule_id: FromPath[str]) -> Response[str]:
    """What it has matched stays matched."""
    await page.call(
        page.to.reconciliation.DeleteMatchRule, DeleteMatchRuleRequest(match_rule_id=match_rule_id)
    )
    page.flash("good", _("The rule is deleted. What it has matched stays matched."))
    return page.redirect("/console/reconciliation/rules")

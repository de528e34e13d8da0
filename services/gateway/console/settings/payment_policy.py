"""What payers may use, within which limits, and what it costs them more or less."""

from litestar import Response, get, post

from chassis.errors import Kind, ServiceError
from services.gateway.console.allowed import require
from services.gateway.console.amounts import renamed
from services.gateway.console.asking import REFUSALS
from services.gateway.console.settings import policy_form
from services.gateway.console.settings.policy_form import Policy, Rule
from services.gateway.web import problems
from services.gateway.web.forms import FieldErrors
from services.gateway.web.languages import gettext as _
from services.gateway.web.page import Page
from tallyport.payments.v1.payments_pb2 import PaymentMethodType
from tallyport.payments.v1.policies_pb2 import ChargeKind, GetPaymentPolicyRequest, UpdatePaymentPolicyRequest

_PERMISSION = "organization.write"
_PROVIDERS = (("simulator", "Simulator"), ("stripe", "Stripe"))


def method_word(method: int) -> str:
    """Ways to pay, as staff name them."""
    words: dict[int, str] = {
        PaymentMethodType.PAYMENT_METHOD_TYPE_CARD: _("Card"),
        PaymentMethodType.PAYMENT_METHOD_TYPE_WALLET: _("Wallet on the phone"),
        PaymentMethodType.PAYMENT_METHOD_TYPE_BANK_DEBIT: _("Bank debit"),
        PaymentMethodType.PAYMENT_METHOD_TYPE_REDIRECT: _("Online wallet"),
        PaymentMethodType.PAYMENT_METHOD_TYPE_STABLECOIN: _("Stablecoin"),
        PaymentMethodType.PAYMENT_METHOD_TYPE_BANK_TRANSFER: _("Bank transfer"),
        PaymentMethodType.PAYMENT_METHOD_TYPE_CREDIT: _("Credit of the customer"),
    }
    return words.get(method, "–")


def charge_kinds() -> list[tuple[int, str]]:
    """For the select field."""
    return [
        (ChargeKind.CHARGE_KIND_NONE, _("Nothing")),
        (ChargeKind.CHARGE_KIND_ADD, _("Percent and fixed part on top")),
        (ChargeKind.CHARGE_KIND_GROSS_UP, _("So much that the whole sum is left after the fee")),
        (ChargeKind.CHARGE_KIND_DISCOUNT, _("A discount")),
    ]


def _groups(policy: Policy) -> list[tuple[int, str, list[Rule]]]:
    """Method, its word, and its rules: those of segments first."""
    return [
        (method, method_word(method), [rule for rule in policy.rules if rule.method == method])
        for method in policy_form.METHODS
    ]


def _render(
    page: Page, policy: Policy, *, errors: FieldErrors | None = None, refused: str = ""
) -> Response[str]:
    known = {code for code, _word in _PROVIDERS}
    others = [(policy.provider, policy.provider)] if policy.provider and policy.provider not in known else []
    return page.render(
        "console_settings_payments.html",
        status=422 if errors or refused else 200,
        policy=policy,
        groups=_groups(policy),
        methods=[(method, method_word(method)) for method in policy_form.METHODS],
        kinds=charge_kinds(),
        providers=[*_PROVIDERS, *others],
        examples=policy_form.examples(policy),
        net=policy_form.example_net(policy.currency),
        ChargeKind=ChargeKind,
        may_change=page.may(_PERMISSION),
        errors=errors or FieldErrors(),
        refused=refused,
    )


@get("/settings/payments", name="console.settings.payments")
async def show(page: Page) -> Response[str]:
    """The policy in force; the default where nothing was ever said."""
    organization = await page.organization()
    answer = await page.call(page.to.policies.GetPaymentPolicy, GetPaymentPolicyRequest())
    return _render(page, policy_form.stored(answer, organization.currency))


@post("/settings/payments", name="console.settings.payments.save")
async def save(page: Page) -> Response[str]:
    """add: a rule for a segment; remove:N: without it; example: the examples anew; save: it holds from now on."""
    require(page, _PERMISSION)
    policy = policy_form.typed(page.form, (await page.organization()).currency)
    action, _colon, at = page.form.text("action").partition(":")
    if action == "remove" and at.isdecimal():
        return _render(page, policy_form.without(policy, int(at[:4])))
    if action == "add":
        return _with_segment(page, policy)
    message, errors = policy_form.request_of(policy)
    if errors or action == "example":
        return _render(page, policy, errors=errors)
    try:
        await page.call(page.to.policies.UpdatePaymentPolicy, UpdatePaymentPolicyRequest(policy=message))
    except ServiceError as error:
        if error.kind not in REFUSALS:
            raise
        return _refused(page, policy, error)
    page.flash("good", _("The settings are saved and hold for payments that are started from now on."))
    return page.redirect("/console/settings/payments")


def _with_segment(page: Page, policy: Policy) -> Response[str]:
    segment, method = page.form.text("new_segment"), page.form.text("new_method")
    if not segment:
        return _render(page, policy, errors=FieldErrors(new_segment=_("Please name the segment.")))
    return _render(page, policy_form.with_segment(policy, int(method) if method.isdecimal() else 0, segment))


def _refused(page: Page, policy: Policy, error: ServiceError) -> Response[str]:
    fields = FieldErrors(renamed(FieldErrors.of(error), policy_form.field_names(policy)))
    if error.kind is Kind.ABORTED:
        words = _("Somebody else has changed these settings meanwhile. Please open the page again.")
        return _render(page, policy, refused=words)
    return _render(page, policy, errors=fields, refused="" if fields else problems.sentence(error))

"""Settings of late fees: a policy for each segment, and what the law of countries allows."""

from dataclasses import dataclass

from litestar import Response, get, post

from chassis.errors import ServiceError
from chassis.money import Money
from services.gateway.console.allowed import require
from services.gateway.console.amounts import renamed
from services.gateway.console.asking import REFUSALS
from services.gateway.web import problems
from services.gateway.web.forms import FieldErrors
from services.gateway.web.languages import gettext as _
from services.gateway.web.page import Page
from services.gateway.web.typed import (
    amount_field,
    amount_words,
    number_field,
    plain_number,
    read_amount,
    to_message,
)
from tallyport.common.v1.money_pb2 import Money as MoneyMessage
from tallyport.invoicing.v1.late_fees_pb2 import (
    LateFeeCap,
    LateFeePercentPer,
    LateFeePolicy,
    LateFeeRepeat,
    LegalRate,
    ListLateFeePoliciesRequest,
    ListLegalRatesRequest,
    PutLateFeeCapRequest,
    PutLateFeePolicyRequest,
    PutLegalRateRequest,
)

ADDRESS = "/console/settings/late-fees"
_PERMISSION = "organization.write"
_NAMES = {
    "policy.repeat_every": "repeat_every", "policy.name": "name", "policy.reference_rate": "reference_rate",
    "rate.name": "rate_name", "rate.valid_from": "valid_from", "rate.value": "rate_value", "rate.source": "source",
}  # fmt: skip
_PERCENT_RATES = ("de_base_rate", "no_late_interest")


def rate_names() -> dict[str, str]:
    """What the rates that change by law are called."""
    return {
        "de_base_rate": _("German base rate"),
        "no_late_interest": _("Norwegian interest on late payments"),
        "no_collection_rate": _("Norwegian collection rate"),
    }


@dataclass(frozen=True, slots=True)
class _Fields:
    """A policy as its form shows it."""

    name: str = ""
    segment: str = ""
    flat: str = ""
    percent: str = ""
    percent_per: int = LateFeePercentPer.LATE_FEE_PERCENT_PER_YEAR
    reference_rate: str = ""
    grace_days: str = "0"
    cap: str = ""
    cap_percent: str = ""
    min_due: str = ""
    repeat: int = LateFeeRepeat.LATE_FEE_REPEAT_ONCE
    repeat_every: str = "1"
    active: bool = True


def _stored(policy: LateFeePolicy) -> _Fields:
    return _Fields(
        name=policy.name,
        segment=policy.segment,
        flat=_text(policy.flat),
        percent="" if policy.percent == "0" else number_field(policy.percent),
        percent_per=policy.percent_per,
        reference_rate=policy.reference_rate,
        grace_days=str(policy.grace_days),
        cap=_text(policy.cap),
        cap_percent=number_field(policy.cap_percent),
        min_due=_text(policy.min_due),
        repeat=policy.repeat,
        repeat_every=str(policy.repeat_every or 1),
        active=policy.active,
    )


def _text(amount: MoneyMessage) -> str:
    return amount_field(amount) if amount.minor_units else ""


async def _render(
    page: Page, fields: _Fields | None = None, *, errors: FieldErrors | None = None, refused: str = ""
) -> Response[str]:
    organization = await page.organization()
    answer = await page.call(page.to.late_fees.ListLateFeePolicies, ListLateFeePoliciesRequest())
    rates = await page.call(page.to.late_fees.ListLegalRates, ListLegalRatesRequest())
    names = rate_names()
    chosen = next((one for one in answer.policies if one.late_fee_policy_id == page.query("policy")), None)
    if fields is None:
        fields = _stored(chosen) if chosen is not None else _Fields()
    return page.render(
        "console_settings_late_fees.html",
        status=422 if errors or refused else 200,
        policies=answer.policies,
        caps=answer.caps,
        fields=fields,
        currency=chosen.currency if chosen is not None else organization.currency,
        pers=[
            (int(LateFeePercentPer.LATE_FEE_PERCENT_PER_YEAR), _("a year, by the days of delay")),
            (int(LateFeePercentPer.LATE_FEE_PERCENT_PER_PERIOD), _("each time")),
        ],
        references=[("", _("nothing"))] + [(name, names[name]) for name in _PERCENT_RATES],
        rates=[one for one in rates.rates if one.name in names],
        rate_names=names,
        to_check=[names[name] for name in rates.to_check if name in names],
        repeats=[
            (int(LateFeeRepeat.LATE_FEE_REPEAT_ONCE), _("Once")),
            (int(LateFeeRepeat.LATE_FEE_REPEAT_DAYS), _("Every so many days")),
            (int(LateFeeRepeat.LATE_FEE_REPEAT_MONTHS), _("Every so many months")),
        ],
        may_change=page.may(_PERMISSION),
        errors=errors or FieldErrors(),
        refused=refused,
    )


@get("/settings/late-fees", name="console.settings.late_fees")
async def show(page: Page) -> Response[str]:
    """All policies, and a form for one of them or a new one."""
    return await _render(page)


@post("/settings/late-fees", name="console.settings.late_fees.save")
async def save(page: Page) -> Response[str]:
    """policy: it holds from the next day of a period on; cap: what a country's law allows."""
    require(page, _PERMISSION)
    try:
        if page.form.text("action") == "cap":
            await page.call(page.to.late_fees.PutLateFeeCap, PutLateFeeCapRequest(cap=_cap(page)))
        elif page.form.text("action") == "rate":
            await page.call(page.to.late_fees.PutLegalRate, PutLegalRateRequest(rate=_rate(page)))
        else:
            fields, (policy, errors) = _typed(page), await _policy(page)
            if errors:
                return await _render(page, fields, errors=errors)
            await page.call(page.to.late_fees.PutLateFeePolicy, PutLateFeePolicyRequest(policy=policy))
    except ServiceError as error:
        if error.kind not in REFUSALS:
            raise
        errors = FieldErrors(renamed(FieldErrors.of(error), _NAMES))
        return await _render(page, _typed(page), errors=errors, refused=problems.sentence(error))
    page.flash("good", _("The late fees are saved and hold from now on."))
    return page.redirect(ADDRESS)


def _cap(page: Page) -> LateFeeCap:
    form = page.form
    return LateFeeCap(
        country=form.text("country").upper()[:2],
        annual_percent=plain_number(form.text("annual_percent"))[:9],
        note=form.text("note")[:300],
    )


def _rate(page: Page) -> LegalRate:
    form = page.form
    return LegalRate(
        name=form.text("rate_name")[:40],
        valid_from=form.text("valid_from")[:10],
        value=plain_number(form.text("rate_value"))[:12],
        source=form.text("source")[:300],
    )


def _typed(page: Page) -> _Fields:
    form = page.form
    return _Fields(
        name=form.text("name"), segment=form.text("segment"), flat=form.text("flat"),
        percent=form.text("percent"), percent_per=_number(form.text("percent_per"), 1),
        reference_rate=form.text("reference_rate")[:40],
        grace_days=form.text("grace_days"), cap=form.text("cap"), cap_percent=form.text("cap_percent"),
        min_due=form.text("min_due"), repeat=_number(form.text("repeat"), 1),
        repeat_every=form.text("repeat_every"), active=form.checked("active"),
    )  # fmt: skip


async def _policy(page: Page) -> tuple[LateFeePolicy, FieldErrors]:
    fields, errors = _typed(page), FieldErrors()
    currency = page.form.text("currency")[:3] or (await page.organization()).currency
    policy = LateFeePolicy(
        name=fields.name[:100],
        segment=fields.segment[:60],
        currency=currency,
        percent=plain_number(fields.percent)[:9],
        cap_percent=plain_number(fields.cap_percent)[:9],
        grace_days=min(365, _number(fields.grace_days, 0)),
        repeat_every=min(366, _number(fields.repeat_every, 1)),
        active=fields.active,
        reference_rate=fields.reference_rate,
    )
    policy.percent_per = LateFeePercentPer.ValueType(2 if fields.percent_per == 2 else 1)
    policy.repeat = LateFeeRepeat.ValueType(fields.repeat if fields.repeat in (1, 2, 3) else 1)
    for name in ("flat", "cap", "min_due"):
        typed = page.form.text(name)
        amount = read_amount(typed, currency) if typed else Money.zero(currency)
        if amount is None:
            errors[name] = amount_words(typed, currency)
        elif typed:
            getattr(policy, name).CopyFrom(to_message(amount))
    if not policy.name:
        errors["name"] = _("Please give it a name.")
    return policy, errors


def _number(text: str, default: int) -> int:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 6 else default

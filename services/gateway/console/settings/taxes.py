"""Settings of taxes: what tax codes mean and from which day on."""

from litestar import Response, get, post

from chassis.errors import ServiceError
from services.gateway.console.allowed import require
from services.gateway.console.asking import REFUSALS
from services.gateway.web import problems
from services.gateway.web.forms import FieldErrors
from services.gateway.web.languages import gettext as _
from services.gateway.web.page import Page
from services.gateway.web.typed import plain_number
from tallyport.invoicing.v1.invoices_pb2 import LineTax, TaxCategory
from tallyport.invoicing.v1.taxes_pb2 import ListTaxRatesRequest, PutTaxRateRequest

ADDRESS = "/console/settings/taxes"
_PERMISSION = "items.write"
_PARTS = 3
"""Taxes of one code on the form; the API takes five."""


def category_words() -> dict[int, str]:
    """What the categories of EN 16931 are called."""
    return {
        TaxCategory.TAX_CATEGORY_STANDARD: _("Taxed"),
        TaxCategory.TAX_CATEGORY_ZERO: _("Zero rated"),
        TaxCategory.TAX_CATEGORY_EXEMPT: _("Exempt"),
        TaxCategory.TAX_CATEGORY_REVERSE_CHARGE: _("The customer owes the tax"),
        TaxCategory.TAX_CATEGORY_INTRA_COMMUNITY: _("Supply within the European Union"),
        TaxCategory.TAX_CATEGORY_EXPORT: _("Export"),
        TaxCategory.TAX_CATEGORY_OUTSIDE_SCOPE: _("Not subject to tax"),
    }


async def _render(page: Page, *, errors: FieldErrors | None = None, refused: str = "") -> Response[str]:
    rates = (await page.call(page.to.taxes.ListTaxRates, ListTaxRatesRequest())).tax_rates
    form = page.form if errors is not None or refused else None
    typed = {name: form.text(name) if form else "" for name in ("code", "name", "category", "reason", "from")}
    names, percents = (form.all("tax_name"), form.all("tax_rate")) if form else ([], [])
    return page.render(
        "console_settings_taxes.html",
        status=422 if form else 200,
        rates=rates,
        typed=typed,
        parts=[*zip(names, percents, strict=False), *[("", "")] * _PARTS][:_PARTS],
        categories=[(int(key), word) for key, word in category_words().items()],
        words=category_words(),
        may_change=page.may(_PERMISSION),
        errors=errors or FieldErrors(),
        refused=refused,
    )


@get("/settings/taxes", name="console.settings.taxes")
async def show(page: Page) -> Response[str]:
    """All tax codes, the built-in ones too, and a form for a new one."""
    return await _render(page)


@post("/settings/taxes", name="console.settings.taxes.save")
async def save(page: Page) -> Response[str]:
    """What a code means from a day on; invoices that were made keep what they say."""
    require(page, _PERMISSION)
    request = _request(page)
    try:
        await page.call(page.to.taxes.PutTaxRate, request)
    except ServiceError as error:
        if error.kind not in REFUSALS:
            raise
        return await _render(page, errors=FieldErrors.of(error), refused=problems.sentence(error))
    page.flash("good", _("The tax code is saved. Invoices that were made keep what they say."))
    return page.redirect(ADDRESS)


def _request(page: Page) -> PutTaxRateRequest:
    form = page.form
    chosen = form.text("category")
    category = TaxCategory.ValueType(int(chosen) if chosen.isdecimal() and int(chosen) <= 7 else 0)
    parts = [
        (name[:100], plain_number(rate)[:8])
        for name, rate in zip(form.all("tax_name"), form.all("tax_rate"), strict=False)
        if name or rate
    ]
    taxes = [
        LineTax(name=name, rate_percent=rate, category=category, exemption_reason=form.text("reason")[:300])
        for name, rate in parts or [("", "")]
    ]
    return PutTaxRateRequest(
        code=form.text("code"), name=form.text("name")[:100], taxes=taxes, valid_from=form.text("from")
    )

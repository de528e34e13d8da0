"""Adding a customer and changing one."""

import re
from collections.abc import Mapping
from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath

from chassis.errors import ServiceError
from services.gateway.console.allowed import require
from services.gateway.console.asking import REFUSALS
from services.gateway.web import languages, problems
from services.gateway.web.forms import FieldErrors, Form
from services.gateway.web.languages import gettext as _
from services.gateway.web.page import Page, local_path
from tallyport.identity.v1.organizations_pb2 import Organization
from tallyport.invoicing.v1.customers_pb2 import (
    CreateCustomerRequest,
    Customer,
    GetCustomerRequest,
    UpdateCustomerRequest,
)

_TEXTS = ("name", "email", "external_id", "currency", "locale", "country", "tax_id", "payment_terms_days")
_LARGEST_TERMS_DAYS = 365
_ADDRESS = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s.]+")


def _entered(form: Form) -> dict[str, str]:
    return {name: form.text(name) for name in (*_TEXTS, "address")}


def _of(customer: Customer) -> dict[str, str]:
    values = {name: str(getattr(customer, name)) for name in _TEXTS}
    return values | {"address": "\n".join(customer.address_lines)}


def _empty(organization: Organization) -> dict[str, str]:
    return dict.fromkeys((*_TEXTS, "address"), "") | {
        "currency": organization.currency,
        "locale": organization.locale,
        "country": organization.address.country,
        "payment_terms_days": "30",
    }


def _fields(values: Mapping[str, str]) -> dict[str, Any]:
    """What both requests share."""
    lines = [line.strip() for line in values["address"].splitlines() if line.strip()]
    return {
        "name": values["name"][:200],
        "locale": values["locale"],
        "address_lines": lines,
        "country": values["country"].upper(),
        "tax_id": values["tax_id"],
        "payment_terms_days": int(values["payment_terms_days"]),
    }


def _mistakes(values: Mapping[str, str]) -> FieldErrors:
    wrong = FieldErrors()
    if not values["name"]:
        wrong["name"] = _("Please give the name that stands on invoices.")
    if values["email"] and not _ADDRESS.fullmatch(values["email"]):
        wrong["email"] = _("Please write an address like accounts@example.com.")
    days = values["payment_terms_days"]
    if not days.isdecimal() or int(days) > _LARGEST_TERMS_DAYS:
        wrong["payment_terms_days"] = _("Please give a number of days from 0 to 365.")
    if len(values["address"].strip().splitlines()) > 6:
        wrong["address"] = _("At most six lines, please.")
    return wrong


async def _form(
    page: Page,
    values: Mapping[str, str],
    *,
    customer: Customer | None = None,
    errors: FieldErrors | None = None,
    refused: str = "",
) -> Response[str]:
    locales = list(dict.fromkeys([*(f"{code}" for code in languages.NAMES), values["locale"]]))
    return page.render(
        "console_customer_form.html",
        status=422 if errors or refused else 200,
        values=values,
        customer=customer,
        locales=[(one, _language_name(one)) for one in locales if one],
        errors=errors or FieldErrors(),
        refused=refused,
        key=page.form.text("key") if errors and page.form.text("key") else page.new_key(),
        next_path=_next(page),
    )


def _language_name(tag: str) -> str:
    language = languages.language_of(tag)
    return (language.locale.get_display_name(language.locale) or tag) if language else tag


def _next(page: Page) -> str:
    path = local_path(page.form.text("next") or page.query("next"), "")
    return path if path.startswith("/console/") else ""


@get("/customers/new", name="console.customer.new")
async def new(page: Page) -> Response[str]:
    """Filled with what most customers of this organization have."""
    require(page, "customers.write")
    return await _form(page, _empty(await page.organization()))


@post("/customers/new", name="console.customer.create")
async def create(page: Page) -> Response[str]:
    """On to the customer, or back to what it was wanted for."""
    values = _entered(page.form)
    wrong = _mistakes(values)
    if wrong:
        return await _form(page, values, errors=wrong)
    request = CreateCustomerRequest(
        email=values["email"],
        external_id=values["external_id"],
        currency=values["currency"].upper(),
        **_fields(values),
    )
    try:
        customer = await page.call(
            page.to.customers.CreateCustomer, request, idempotency_key=page.form.text("key")
        )
    except ServiceError as error:
        return await _refused(page, values, error)
    page.flash("good", _("%(name)s is added.") % {"name": customer.name})
    after = _next(page)
    if after:
        return page.redirect(f"{after}?customer={customer.customer_id}")
    return page.redirect(f"/console/customers/{customer.customer_id}")


@get("/customers/{customer_id:str}/edit", name="console.customer.edit")
async def edit(page: Page, customer_id: FromPath[str]) -> Response[str]:
    """Currency and own id stay as they are."""
    require(page, "customers.write")
    customer = await page.call(page.to.customers.GetCustomer, GetCustomerRequest(customer_id=customer_id))
    return await _form(page, _of(customer), customer=customer)


@post("/customers/{customer_id:str}/edit", name="console.customer.update")
async def update(page: Page, customer_id: FromPath[str]) -> Response[str]:
    """Holds for invoices that are finalized from now on."""
    customer = await page.call(page.to.customers.GetCustomer, GetCustomerRequest(customer_id=customer_id))
    values = _of(customer) | {
        name: page.form.text(name) for name in (*_TEXTS, "address") if name not in ("currency", "external_id")
    }
    wrong = _mistakes(values)
    if wrong:
        return await _form(page, values, customer=customer, errors=wrong)
    request = UpdateCustomerRequest(customer_id=customer_id, **_fields(values))
    if values["email"]:
        request.email = values["email"]
    try:
        await page.call(page.to.customers.UpdateCustomer, request)
    except ServiceError as error:
        return await _refused(page, values, error, customer)
    page.flash("good", _("The changes are saved."))
    return page.redirect(f"/console/customers/{customer_id}")


async def _refused(
    page: Page, values: Mapping[str, str], error: ServiceError, customer: Customer | None = None
) -> Response[str]:
    if error.kind not in REFUSALS:
        raise error
    fields = FieldErrors.of(error)
    words = "" if fields else problems.sentence(error)
    return await _form(page, values, customer=customer, errors=fields, refused=words)

"""Adding a customer and changing one."""

from collections.abc import Mapping

from litestar import Response, get, post
from litestar.params import FromPath

from chassis.errors import Kind, ServiceError
from services.gateway.console import customer_entries as entries
from services.gateway.console.allowed import require
from services.gateway.console.asking import REFUSALS, if_there
from services.gateway.web import billing, problems
from services.gateway.web.forms import FieldErrors
from services.gateway.web.languages import gettext as _
from services.gateway.web.page import Page, local_path
from tallyport.identity.v1.people_pb2 import ListPeopleRequest
from tallyport.invoicing.v1.customers_pb2 import Customer, GetCustomerRequest

_MOST_PEOPLE = 100


async def staff_names(page: Page) -> dict[str, str]:
    """Names of the organization's people by id; empty for who may not see them."""
    if not page.may("people.read"):
        return {}
    try:
        found = await if_there(
            page.call(page.to.people.ListPeople, ListPeopleRequest(page_size=_MOST_PEOPLE, staff_only=True))
        )
    except ServiceError as error:
        if error.kind is not Kind.PERMISSION_DENIED:
            raise
        return {}
    people = found.people if found else []
    return {one.person_id: one.name for one in people if one.active and not one.customer_id}


async def _form(
    page: Page,
    values: Mapping[str, str],
    *,
    customer: Customer | None = None,
    errors: FieldErrors | None = None,
    refused: str = "",
) -> Response[str]:
    staff = await staff_names(page)
    held = values["account_manager_id"]
    return page.render(
        "console_customer_form.html",
        status=422 if errors or refused else 200,
        values=values,
        customer=customer,
        locales=billing.locale_choices(values["locale"]),
        order_kinds=billing.order_kinds(),
        treatments=entries.treatments(),
        managers=[("", _("Nobody")), *({held: held} | staff if held else staff).items()],
        tax_id_rows=billing.tax_id_rows(values),
        errors=errors or FieldErrors(),
        refused=refused,
        key=page.form.text("key") if errors and page.form.text("key") else page.new_key(),
        next_path=_next(page),
    )


def _next(page: Page) -> str:
    path = local_path(page.form.text("next") or page.query("next"), "")
    return path if path.startswith("/console/") else ""


@get("/customers/new", name="console.customer.new")
async def new(page: Page) -> Response[str]:
    """Filled with what most customers of this organization have."""
    require(page, "customers.write")
    return await _form(page, entries.values_of_new(await page.organization()))


@post("/customers/new", name="console.customer.create")
async def create(page: Page) -> Response[str]:
    """On to the customer, or back to what it was wanted for."""
    values = entries.entered(page.form, entries.values_of_new(await page.organization()))
    wrong = entries.mistakes(values)
    if wrong:
        return await _form(page, values, errors=wrong)
    try:
        customer = await page.call(
            page.to.customers.CreateCustomer,
            entries.create_request(values),
            idempotency_key=page.form.text("key"),
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
    return await _form(page, entries.values_of(customer), customer=customer)


@post("/customers/{customer_id:str}/edit", name="console.customer.update")
async def update(page: Page, customer_id: FromPath[str]) -> Response[str]:
    """Holds for invoices that are finalized from now on."""
    customer = await page.call(page.to.customers.GetCustomer, GetCustomerRequest(customer_id=customer_id))
    known = entries.values_of(customer)
    values = entries.entered(page.form, known) | {name: known[name] for name in entries.FIXED}
    wrong = entries.mistakes(values)
    if wrong:
        return await _form(page, values, customer=customer, errors=wrong)
    try:
        await page.call(page.to.customers.UpdateCustomer, entries.update_request(customer, values))
    except ServiceError as error:
        return await _refused(page, values, error, customer)
    page.flash("good", _("The changes are saved."))
    return page.redirect(f"/console/customers/{customer_id}")


async def _refused(
    page: Page, values: Mapping[str, str], error: ServiceError, customer: Customer | None = None
) -> Response[str]:
    if error.kind not in REFUSALS:
        raise error
    fields = billing.by_form_field(FieldErrors.of(error))
    words = "" if fields else problems.sentence(error)
    return await _form(page, values, customer=customer, errors=fields, refused=words)

"""Bank accounts of the organization: statements can only be imported for these."""

from litestar import Response, get, post

from chassis.errors import ServiceError
from services.gateway.console.allowed import require
from services.gateway.console.asking import REFUSALS
from services.gateway.console.reconciliation.words import refusal
from services.gateway.web.forms import FieldErrors
from services.gateway.web.languages import gettext as _
from services.gateway.web.page import Page
from tallyport.payments.v1.bank_statements_pb2 import CreateBankAccountRequest

_FIELDS = ("name", "account_holder", "iban", "bic", "bank_name", "currency")


async def _form(
    page: Page, *, errors: FieldErrors | None = None, refused: str = "", key: str = ""
) -> Response[str]:
    organization = await page.organization()
    typed = {name: page.form.text(name) for name in _FIELDS}
    typed["iban"] = typed["iban"] or page.query("iban")
    typed["currency"] = typed["currency"] or organization.currency
    typed["account_holder"] = typed["account_holder"] or organization.name
    return page.render(
        "console_bank_account_form.html",
        status=422 if errors or refused else 200,
        typed=typed,
        shown=page.form.checked("shown_to_payers"),
        errors=errors or FieldErrors(),
        refused=refused,
        key=key or page.new_key(),
    )


@get("/reconciliation/accounts/new", name="console.bank_account.new")
async def new(page: Page) -> Response[str]:
    """An empty form."""
    require(page, "organization.write")
    return await _form(page)


@post("/reconciliation/accounts/new", name="console.bank_account.create")
async def create(page: Page) -> Response[str]:
    """The service checks the IBAN."""
    form, key = page.form, page.form.text("key")
    wrong = FieldErrors()
    for name in ("name", "account_holder", "iban"):
        if not form.text(name):
            wrong[name] = _("Please fill this in.")
    if wrong:
        return await _form(page, errors=wrong, key=key)
    request = CreateBankAccountRequest(
        name=form.text("name")[:100],
        account_holder=form.text("account_holder")[:70],
        iban=form.text("iban")[:40],
        bic=form.text("bic")[:20],
        bank_name=form.text("bank_name")[:100],
        currency=form.text("currency").upper(),
        shown_to_payers=form.checked("shown_to_payers"),
    )
    try:
        made = await page.call(page.to.bank_statements.CreateBankAccount, request, idempotency_key=key)
    except ServiceError as error:
        if error.kind not in REFUSALS:
            raise
        fields = FieldErrors.of(error)
        return await _form(page, errors=fields, refused="" if fields else refusal(error))
    page.flash("good", _("%(name)s is added. Its statements can be imported now.") % {"name": made.name})
    return page.redirect("/console/reconciliation/import")

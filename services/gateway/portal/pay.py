"""Paying one invoice, many, parts of them, or any sum."""

from dataclasses import replace

from litestar import Response, get, post

from chassis.errors import Kind, ServiceError
from services.gateway.portal import owing, paying, subsidiaries, ways
from services.gateway.web.languages import gettext as _
from services.gateway.web.page import Page
from tallyport.invoicing.v1.invoices_pb2 import Invoice


async def _chosen(page: Page) -> list[Invoice]:
    """From the address: `invoice=...` or `customer=...` any number of times, or `select=due|open`."""
    named = [str(value)[:60] for value in page.request.query_params.getall("invoice", [])]
    if named:
        return await paying.find(page, named)
    companies = [str(value)[:60] for value in page.request.query_params.getall("customer", [])]
    if companies:
        return await subsidiaries.open_invoices_of(page, companies)
    if page.query("select") not in ("due", "today", "open"):
        return []
    _companies, listed = await subsidiaries.family(page)
    listed = owing.of_one_currency(listed)
    if page.query("select") == "open":
        return listed
    today = await page.today()
    last = owing.due_by(today) if page.query("select") == "due" else today
    return [one for one in listed if owing.is_due(one, last)]


async def _form(
    page: Page,
    sheet: paying.Sheet,
    *,
    refused: str = "",
    note: str = "",
    status: int = 200,
    payment_id: str = "",
) -> Response[str]:
    return page.render(
        "pay.html",
        status=status,
        sheet=sheet,
        key=page.new_key(),
        refused=refused or sheet.refused,
        note=note,
        payment_id=payment_id,
        action="/pay",
        today=await page.today(),
    )


def _nothing(page: Page, invoice_ids: list[str]) -> Response[str]:
    page.flash("warn", _("Nothing is left to pay on what you chose, or a payment is on its way already."))
    return page.redirect(f"/invoices/{invoice_ids[0]}" if len(invoice_ids) == 1 else "/invoices")


@get("/pay", name="portal.pay")
async def show(page: Page) -> Response[str]:
    """The form, with everything that can be paid filled in; `with` chooses the way to pay."""
    entries = paying.Entries(way=page.query("with")[:80])
    if page.query("select") == "other":
        return page.render("pay_other.html", amount="", currency=(await page.organization()).currency)
    invoices = await _chosen(page)
    if not invoices:
        return page.redirect("/invoices")
    if len({invoice.total.currency for invoice in invoices}) > 1:
        page.flash("warn", _("Invoices in different currencies cannot be paid together."))
        return page.redirect("/invoices")
    sheet = await paying.sheet_of(page, invoices, entries, whole_debt=page.query("select") == "open")
    if not sheet.lines:
        return _nothing(page, [invoice.invoice_id for invoice in invoices])
    return await _form(page, sheet)


@post("/pay", name="portal.pay.submit")
async def submit(page: Page) -> Response[str]:
    """What was shown is what is paid; otherwise the form comes back with what is true now."""
    currency = paying.currency_of(page.form)
    entries = paying.submitted(page.form, currency)
    do = page.form.text("do")
    if do == "place" or page.form.text("other_amount"):  # Enter in that field presses the first button
        return await _place(page, entries, currency)
    if not entries.lines and entries.prepayment is None:
        return page.redirect("/invoices")
    if do == "update" or page.form.all("remove"):
        return await _again(page, entries)
    if entries.has_errors:
        return await _again(page, entries, status=422)
    if entries.day and not entries.way.startswith(ways.SAVED):
        refused = _(
            "Only a saved payment method can be charged on a later day. Leave the day empty to pay now."
        )
        return await _again(page, entries, refused=refused, status=422)
    charge = paying.shown_as_entered(entries, currency)
    if charge is None:
        return await _again(
            page, entries, note=_("Here is what your changes come to. Please check it, then pay.")
        )
    try:
        payment = await paying.create(
            page, entries, currency=currency, charge=charge, return_path="/pay/return"
        )
    except ServiceError as error:
        return await _refused(page, entries, error)
    return page.redirect(payment.redirect_url or f"/payments/{payment.payment_id}")


@post("/pay/figures", name="portal.pay.figures")
async def figures(page: Page) -> Response[str]:
    """The part of the form that follows the entries, for the script."""
    entries = paying.submitted(page.form, paying.currency_of(page.form))
    if entries.has_errors or (not entries.lines and entries.prepayment is None):
        return Response("", status_code=422, media_type="text/html")
    sheet = await paying.sheet_of(page, await paying.find(page, entries.lines), entries)
    return page.render(
        "pay_figures.html", sheet=sheet, refused=sheet.refused, today=await page.today(), link=False
    )


async def _place(page: Page, entries: paying.Entries, currency: str) -> Response[str]:
    """A sum that we place: the oldest due first."""
    wanted = paying.read_entry(page.form.text("other_amount"), currency)
    if wanted.amount is None or wanted.error:
        return page.render(
            "pay_other.html",
            status=422,
            amount=wanted.entered,
            currency=currency,
            errors={"other_amount": wanted.error},
        )
    try:
        sheet = await paying.placed(page, wanted.amount, replace(entries, prepayment=None))
    except ServiceError as error:
        return page.render(
            "pay_other.html",
            status=422,
            amount=wanted.entered,
            currency=currency,
            errors={"other_amount": paying.refusal(error)},
        )
    return await _form(page, sheet)


async def _again(
    page: Page, entries: paying.Entries, *, refused: str = "", note: str = "", status: int = 200
) -> Response[str]:
    """The form with what was entered and what is true now."""
    sheet = await paying.sheet_of(page, await paying.find(page, entries.lines), entries)
    if sheet.is_empty:
        return _nothing(page, list(entries.lines))
    return await _form(
        page, sheet, refused=refused, note=note, status=422 if sheet.entries.has_errors else status
    )


async def _refused(page: Page, entries: paying.Entries, error: ServiceError) -> Response[str]:
    if error.kind is Kind.DEADLINE_EXCEEDED:
        page.flash("warn", _("This takes longer than usual. Please look here before you pay again."))
        return page.redirect("/payments")
    refused = paying.refusal(error)
    holder = error.metadata.get("payment_id", "")
    # What is gone from an invoice meanwhile is taken off; what the payer entered for the others stays.
    sheet = await paying.sheet_of(page, await paying.find(page, entries.lines), entries)
    if any(entry.error for entry in sheet.entries.lines.values()):
        kept = {one: entry for one, entry in entries.lines.items() if not sheet.entries.lines[one].error}
        sheet = await paying.sheet_of(
            page, await paying.find(page, entries.lines), replace(entries, lines=kept)
        )
    if sheet.is_empty:
        return _nothing(page, list(entries.lines))
    status = 429 if error.kind is Kind.RESOURCE_EXHAUSTED else 409
    return await _form(page, sheet, refused=refused, status=status, payment_id=holder)

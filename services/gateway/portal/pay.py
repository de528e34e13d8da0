"""Paying one invoice, many, or parts of them."""

from litestar import Response, get, post

from chassis.errors import Kind, ServiceError
from services.gateway.portal import owing, paying
from services.gateway.web.languages import gettext as _
from services.gateway.web.page import Page
from tallyport.invoicing.v1.invoices_pb2 import Invoice


async def _chosen(page: Page) -> list[Invoice]:
    """From the address: `invoice=...` any number of times, or `select=due|open`."""
    named = [str(value)[:60] for value in page.request.query_params.getall("invoice", [])]
    if named:
        return await paying.find(page, named)
    listed = owing.of_one_currency(await owing.open_invoices(page))
    if page.query("select") == "due":
        last = owing.due_by(await page.today())
        return [invoice for invoice in listed if invoice.due_date <= last]
    return listed if page.query("select") == "open" else []


def _form(
    page: Page, sheet: paying.Sheet, *, refused: str = "", status: int = 200, payment_id: str = ""
) -> Response[str]:
    return page.render(
        "pay.html",
        status=status,
        sheet=sheet,
        key=page.new_key(),
        refused=refused,
        payment_id=payment_id,
        action="/pay",
        back="/invoices",
    )


@get("/pay", name="portal.pay")
async def show(page: Page) -> Response[str]:
    """The form, with everything that can be paid filled in."""
    invoices = await _chosen(page)
    if not invoices:
        return page.redirect("/invoices")
    if len({invoice.total.currency for invoice in invoices}) > 1:
        page.flash("warn", _("Invoices in different currencies cannot be paid together."))
        return page.redirect("/invoices")
    sheet = paying.fresh(invoices, await owing.payable_now(page))
    if not sheet.lines:
        page.flash("info", _("Nothing is left to pay on what you chose, or a payment is on its way already."))
        only = invoices[0].invoice_id
        return page.redirect(f"/invoices/{only}" if len(invoices) == 1 else "/invoices")
    return _form(page, sheet)


@post("/pay", name="portal.pay.submit")
async def submit(page: Page) -> Response[str]:
    """What was shown is what is paid; otherwise the form comes back with what is true now."""
    taken_off = set(page.form.all("remove"))
    wanted = [one[:60] for one in page.form.all("invoice") if one not in taken_off]
    invoices = await paying.find(page, wanted)
    if not invoices:
        return page.redirect("/invoices")
    payable = await owing.payable_now(page)
    sheet = paying.submitted(page.form, invoices, payable)
    if not sheet.lines:
        page.flash("warn", _("Nothing is left to pay on what you chose, or a payment is on its way already."))
        return page.redirect(f"/invoices/{wanted[0]}" if len(wanted) == 1 else "/invoices")
    if taken_off:
        return _form(page, sheet)
    if sheet.changed:
        words = _("Something changed meanwhile. Please check the amounts again. Nothing was charged.")
        return _form(page, sheet, status=409, refused=words)
    if not sheet.good:
        return _form(page, sheet, status=422)
    try:
        payment = await paying.create(page, sheet, key=page.form.text("key"), return_path="/pay/return")
    except ServiceError as error:
        if error.kind is Kind.DEADLINE_EXCEEDED:
            page.flash("warn", _("This takes longer than usual. Please look here before you pay again."))
            return page.redirect("/payments")
        holder = error.metadata.get("payment_id", "")
        refused = paying.refusal(error)
        fresh = paying.fresh(await paying.find(page, wanted), payable)
        if not fresh.lines:
            page.flash("warn", refused)
            return page.redirect("/invoices")
        return _form(page, fresh, refused=refused, status=409, payment_id=holder)
    return page.redirect(payment.redirect_url or f"/payments/{payment.payment_id}")

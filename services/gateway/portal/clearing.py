"""Clearing exactly what is due with a method that was saved a moment ago, in one action."""

from litestar import Response, post
from litestar.params import FromPath

from chassis.errors import Kind, ServiceError
from services.gateway.portal import owing, paying, ways
from services.gateway.web.languages import gettext as _
from services.gateway.web.page import Page
from tallyport.payments.v1.payment_methods_pb2 import CompletePaymentMethodSetupRequest


@post("/methods/clear/{setup_id:str}", name="portal.methods.clear")
async def clear(page: Page, setup_id: FromPath[str]) -> Response[str]:
    """Charges what the button said, or shows the pay page where that is not what is due any more."""
    setup = await page.call(
        page.to.payment_methods.CompletePaymentMethodSetup,
        CompletePaymentMethodSetupRequest(setup_id=setup_id),
    )
    method_id = setup.payment_method.payment_method_id
    if not method_id:
        return page.redirect(f"/methods/return/{setup_id}")
    currency, today = paying.currency_of(page.form), await page.today()
    due = [
        invoice
        for invoice in await owing.open_invoices(page)
        if owing.is_due(invoice, today) and invoice.total.currency == currency
    ]
    way = f"{ways.SAVED}{method_id}"
    if not due:
        page.flash("good", _("Nothing is due any more. Nothing was charged."))
        return page.redirect("/")
    sheet = await paying.sheet_of(page, due, paying.Entries(way=way, key=f"clear.{setup_id}"))
    charge = sheet.chosen.amount if sheet.chosen is not None and sheet.chosen.value == way else None
    if charge is None or str(charge.minor_units) != page.form.text("amount"):
        return _to_the_pay_page(page, way)
    try:
        payment = await paying.create(
            page, sheet.as_shown(), currency=currency, charge=charge, return_path="/pay/return"
        )
    except ServiceError as error:
        if error.kind is Kind.DEADLINE_EXCEEDED:
            page.flash("warn", _("This takes longer than usual. Please look here before you pay again."))
            return page.redirect("/payments")
        page.flash("warn", paying.refusal(error))
        return page.redirect("/")
    return page.redirect(payment.redirect_url or f"/payments/{payment.payment_id}")


def _to_the_pay_page(page: Page, way: str) -> Response[str]:
    page.flash("info", _("This is not what was shown a moment ago. Please check it, then pay."))
    return page.redirect(f"/pay?select=today&with={way}")

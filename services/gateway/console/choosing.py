"""Choosing a customer before an invoice is written or money is recorded: a search that needs no script."""

from litestar import Response

from services.gateway.web.languages import gettext as _
from services.gateway.web.page import Page
from tallyport.invoicing.v1.customers_pb2 import ListCustomersRequest

_SHOWN = 12


async def choose_customer(page: Page, *, purpose: str) -> Response[str]:
    """`purpose` is invoice, payment, schedule or trigger: where the choice leads."""
    words = page.query("q")[:200]
    answer = await page.call(
        page.to.customers.ListCustomers,
        ListCustomersRequest(query=words, page_size=_SHOWN, page_token=page.query("page")),
    )
    title = _("New invoice") if purpose == "invoice" else _("Record a payment")
    parent = ("/console/invoices", _("Invoices"))
    if purpose == "payment":
        parent = ("/console/payments", _("Payments"))
    elif purpose == "schedule":
        title, parent = _("New schedule"), ("/console/schedules", _("Schedules"))
    elif purpose == "trigger":
        title, parent = _("New trigger"), ("/console/triggers", _("Invoices by events"))
    return page.render(
        "console_choose_customer.html",
        title=title,
        parent=parent,
        purpose=purpose,
        customers=answer.customers,
        next_token=answer.next_page_token,
        words=words,
    )

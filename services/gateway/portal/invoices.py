"""All invoices, by state, searchable."""

import asyncio
from collections.abc import Sequence

from litestar import Response, get

from services.gateway.portal import owing, subsidiaries
from services.gateway.web.languages import gettext as _
from services.gateway.web.page import Page
from tallyport.invoicing.v1.customers_pb2 import Customer, Subsidiary
from tallyport.invoicing.v1.invoices_pb2 import InvoiceFilter, ListInvoicesRequest

_FILTERS = {
    "open": InvoiceFilter.INVOICE_FILTER_PAYABLE,
    "overdue": InvoiceFilter.INVOICE_FILTER_OVERDUE,
    "paid": InvoiceFilter.INVOICE_FILTER_PAID,
    "all": InvoiceFilter.INVOICE_FILTER_UNSPECIFIED,
}
_PAGE_SIZE = 25


@get("/invoices", name="portal.invoices")
async def show(page: Page) -> Response[str]:
    """One keyset page; invoices that can be paid have a checkbox. `customer` names a company below."""
    chosen = page.query("show", "open")
    chosen = chosen if chosen in _FILTERS else "open"
    words = page.query("q")[:200]
    company = await subsidiaries.asked_for(page)
    request = ListInvoicesRequest(
        filter=_FILTERS[chosen],
        query=words,
        page_size=_PAGE_SIZE,
        page_token=page.query("page"),
        customer_id=company.customer_id if company else "",
    )
    answer, begun, companies = await asyncio.gather(
        page.call(page.to.invoices.ListInvoices, request),
        owing.begun(page),
        subsidiaries.below(page),
    )
    filters = [("open", _("Open")), ("overdue", _("Overdue")), ("paid", _("Paid")), ("all", _("All"))]
    return page.render(
        "invoices.html",
        invoices=[begun.set_aside(one) for one in answer.invoices],
        next_token=answer.next_page_token,
        chosen=chosen,
        words=words,
        company=company,
        payable=owing.payable,
        asked=owing.asked,
        families=_families(page, companies, company),
        filters=[(page.with_query(show=name, page=""), word, name == chosen) for name, word in filters],
    )


def _families(
    page: Page, companies: Sequence[Subsidiary], shown: Customer | None
) -> list[tuple[str, str, bool]]:
    """Whose invoices one may look at: one's own, and those of each company below; nothing to choose without any."""
    if not companies:
        return []
    here = shown.customer_id if shown else ""
    named = [(one.balance.customer.customer_id, one.balance.customer.name) for one in companies]
    return [
        (page.with_query(customer=customer_id, page=""), name, customer_id == here)
        for customer_id, name in (("", _("Your own")), *named)
    ]

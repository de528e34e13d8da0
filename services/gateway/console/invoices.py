"""All invoices: by state, by words, page by page."""

from litestar import Response, get

from services.gateway.web.languages import gettext as _
from services.gateway.web.page import Page
from tallyport.invoicing.v1.invoices_pb2 import InvoiceFilter, ListInvoicesRequest

_FILTERS = {
    "open": InvoiceFilter.INVOICE_FILTER_PAYABLE,
    "overdue": InvoiceFilter.INVOICE_FILTER_OVERDUE,
    "disputed": InvoiceFilter.INVOICE_FILTER_DISPUTED,
    "paid": InvoiceFilter.INVOICE_FILTER_PAID,
    "uncollectible": InvoiceFilter.INVOICE_FILTER_UNCOLLECTIBLE,
    "drafts": InvoiceFilter.INVOICE_FILTER_DRAFT,
    "all": InvoiceFilter.INVOICE_FILTER_UNSPECIFIED,
}
PAGE_SIZE = 50


@get("/invoices", name="console.invoices")
async def show(page: Page) -> Response[str]:
    """A tab for each state; the search keeps the tab."""
    chosen = page.query("show", "open")
    chosen = chosen if chosen in _FILTERS else "open"
    words = page.query("q")[:200]
    answer = await page.call(
        page.to.invoices.ListInvoices,
        ListInvoicesRequest(
            filter=_FILTERS[chosen], query=words, page_size=PAGE_SIZE, page_token=page.query("page")
        ),
    )
    tabs = {
        "open": _("Open"),
        "overdue": _("Overdue"),
        "disputed": _("Disputed"),
        "paid": _("Paid"),
        "uncollectible": _("Written off"),
        "drafts": _("Drafts"),
        "all": _("All"),
    }
    return page.render(
        "console_invoices.html",
        invoices=answer.invoices,
        next_token=answer.next_page_token,
        chosen=chosen,
        words=words,
        tabs=[(page.with_query(show=name, page=""), word, name == chosen) for name, word in tabs.items()],
    )

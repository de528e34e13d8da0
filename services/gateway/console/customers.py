"""All customers, with what they owe."""

from litestar import Response, get

from services.gateway.web.page import Page
from tallyport.invoicing.v1.customers_pb2 import ListCustomersRequest

_PAGE_SIZE = 50


@get("/customers", name="console.customers")
async def show(page: Page) -> Response[str]:
    """By name, page by page."""
    words = page.query("q")[:200]
    answer = await page.call(
        page.to.customers.ListCustomers,
        ListCustomersRequest(query=words, page_size=_PAGE_SIZE, page_token=page.query("page")),
    )
    return page.render(
        "console_customers.html", customers=answer.customers, next_token=answer.next_page_token, words=words
    )

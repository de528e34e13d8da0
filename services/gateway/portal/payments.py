"""Every payment made, the newest first."""

from litestar import Response, get

from services.gateway.web.page import Page
from tallyport.payments.v1.payments_pb2 import ListPaymentsRequest

_PAGE_SIZE = 25


@get("/payments", name="portal.payments")
async def show(page: Page) -> Response[str]:
    """One keyset page."""
    answer = await page.call(
        page.to.payments.ListPayments,
        ListPaymentsRequest(page_size=_PAGE_SIZE, page_token=page.query("page")),
    )
    return page.render(
        "payments.html",
        payments=answer.payments,
        next_token=answer.next_page_token,
        organization=await page.organization(),
    )

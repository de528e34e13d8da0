"""What providers sent to the bank, compared with our books both ways."""

from litestar import Response, get
from litestar.params import FromPath

from services.gateway.console.reconciliation.words import kind_word
from services.gateway.web.page import Page
from tallyport.payments.v1.reconciliation_pb2 import GetPayoutRequest, ListPayoutsRequest

_PAGE_SIZE = 50


@get("/reconciliation/payouts", name="console.payouts")
async def show(page: Page) -> Response[str]:
    """The newest first."""
    request = ListPayoutsRequest(page_size=_PAGE_SIZE, page_token=page.query("page"))
    answer = await page.call(page.to.reconciliation.ListPayouts, request)
    return page.render("console_payouts.html", payouts=answer.payouts, next_token=answer.next_page_token)


@get("/reconciliation/payouts/{payout_id:str}", name="console.payout")
async def one(page: Page, payout_id: FromPath[str]) -> Response[str]:
    """Line by line; what differs comes first."""
    detail = await page.call(page.to.reconciliation.GetPayout, GetPayoutRequest(payout_id=payout_id))
    return page.render(
        "console_payout.html",
        payout=detail.payout,
        lines=sorted(detail.lines, key=lambda one: not one.difference),
        missing=detail.missing_payment_ids,
        kind_word=kind_word,
    )

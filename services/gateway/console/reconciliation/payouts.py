"""What providers sent to the bank, compared with our books both ways."""

from litestar import Response, get, post
from litestar.params import FromPath

from chassis.errors import ServiceError
from services.gateway.console.asking import REFUSALS
from services.gateway.console.reconciliation.words import kind_word, refusal
from services.gateway.web.languages import gettext as _
from services.gateway.web.page import Page
from tallyport.payments.v1.reconciliation_pb2 import (
    GetPayoutRequest,
    ListPayoutsRequest,
    MatchPayoutRequest,
)

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
    return await _show(page, payout_id)


@post("/reconciliation/payouts/{payout_id:str}/match", name="console.payout.match")
async def match(page: Page, payout_id: FromPath[str]) -> Response[str]:
    """Says which bank line of its sum it is."""
    request = MatchPayoutRequest(bank_line_id=page.form.text("bank_line_id"), payout_id=payout_id)
    try:
        await page.call(page.to.reconciliation.MatchPayout, request, idempotency_key=page.form.text("key"))
    except ServiceError as error:
        if error.kind not in REFUSALS:
            raise
        return await _show(page, payout_id, refused=refusal(error))
    page.site.badges.forget(page.session.organization_id)
    page.flash("good", _("The line is matched and booked."))
    return page.redirect(f"/console/reconciliation/payouts/{payout_id}")


async def _show(page: Page, payout_id: str, *, refused: str = "") -> Response[str]:
    detail = await page.call(page.to.reconciliation.GetPayout, GetPayoutRequest(payout_id=payout_id))
    return page.render(
        "console_payout.html",
        status=422 if refused else 200,
        refused=refused,
        candidates=detail.candidates,
        key=page.new_key(),
        payout=detail.payout,
        lines=sorted(detail.lines, key=lambda one: not one.difference),
        missing=detail.missing_payment_ids,
        kind_word=kind_word,
    )

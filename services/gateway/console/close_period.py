"""Closing a period of the receivables' books: what to look at before, the balances, and the close itself."""

import asyncio

from litestar import Response, get, post

from chassis.errors import ServiceError
from services.gateway.console.asking import REFUSALS
from services.gateway.console.going_back import BACK_WORDS
from services.gateway.web import problems
from services.gateway.web.languages import gettext
from services.gateway.web.languages import marked as _
from services.gateway.web.page import Page
from services.gateway.web.typed import read_day
from tallyport.invoicing.v1.books_pb2 import (
    CloseCheck,
    CloseCheckKind,
    ClosePeriodRequest,
    GetCloseChecklistRequest,
    GetReceivablesTrialBalanceRequest,
)

_HERE = "/console/books/close"
_WORDS = {
    CloseCheckKind.CLOSE_CHECK_KIND_DRAFTS: _("Drafts dated in the period"),
    CloseCheckKind.CLOSE_CHECK_KIND_UNAPPLIED_CREDIT: _("Credit that no invoice has taken"),
    CloseCheckKind.CLOSE_CHECK_KIND_DISPUTES: _("Invoices in dispute"),
    CloseCheckKind.CLOSE_CHECK_KIND_PAYMENTS_UNDER_WAY: _("Payments on their way"),
    CloseCheckKind.CLOSE_CHECK_KIND_SUSPENSE: _("Money that went back unknown"),
    CloseCheckKind.CLOSE_CHECK_KIND_BOOKS: _("Check of the books"),
    CloseCheckKind.CLOSE_CHECK_KIND_TRIAL_BALANCE: _("Debits equal credits"),
}


@get("/books/close", name="console.books.close")
async def show(page: Page) -> Response[str]:
    """The month before this one unless `?until=` names another day."""
    return await _show(page, page.query("until"))


@post("/books/close", name="console.books.close.submit")
async def submit(page: Page) -> Response[str]:
    """Refused while something blocks, unless there is a reason."""
    until = page.form.text("until")
    try:
        await page.call(
            page.to.receivables_books.ClosePeriod,
            ClosePeriodRequest(until=until, override_reason=page.form.text("reason")[:500]),
            idempotency_key=page.form.text("key"),
        )
    except ServiceError as error:
        if error.kind not in REFUSALS:
            raise
        return await _show(page, until, refused=problems.sentence(error))
    page.flash("good", gettext("The period is closed."))
    return page.redirect(f"{_HERE}?until={until}")


async def _show(page: Page, wanted: str, *, refused: str = "") -> Response[str]:
    day = read_day(wanted)
    checklist = await page.call(
        page.to.receivables_books.GetCloseChecklist,
        GetCloseChecklistRequest(until=day.isoformat() if day else ""),
    )
    balance, today = await asyncio.gather(
        page.call(
            page.to.receivables_books.GetReceivablesTrialBalance,
            GetReceivablesTrialBalanceRequest(until=checklist.until),
        ),
        page.today(),
    )
    return page.render(
        "console_close_period.html",
        status=422 if refused else 200,
        checklist=checklist,
        balance=balance,
        currencies=sorted({line.balance.currency for line in balance.lines}),
        is_closed=checklist.closed.until >= checklist.until,
        today=today,
        word_of=_word,
        key=page.new_key(),
        refused=refused,
        typed=page.form.text,
        **BACK_WORDS,
    )


def _word(check: CloseCheck) -> str:
    return gettext(_WORDS[check.kind])

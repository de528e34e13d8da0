"""Closing a period of the books: what to look at before, the balances, the close itself, and opening the last again."""

import asyncio
from collections.abc import Mapping

from litestar import Response, get, post

from chassis.errors import ServiceError
from services.gateway.console.asking import REFUSALS
from services.gateway.console.going_back import BACK_WORDS
from services.gateway.web import problems
from services.gateway.web.forms import FieldErrors
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
    ReopenPeriodRequest,
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
    CloseCheckKind.CLOSE_CHECK_KIND_UNMATCHED_RECEIPTS: _("Money received that nobody has matched"),
    CloseCheckKind.CLOSE_CHECK_KIND_UNCLEAR_PAYMENTS: _("Payments whose outcome is not known"),
    CloseCheckKind.CLOSE_CHECK_KIND_CASH_AGREEMENT: _("Receivables and the cash ledger agree"),
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
        closed = await page.call(
            page.to.receivables_books.ClosePeriod,
            ClosePeriodRequest(until=until, override_reason=page.form.text("reason")[:500]),
            idempotency_key=page.form.text("key"),
        )
    except ServiceError as error:
        if error.kind not in REFUSALS:
            raise
        return await _show(page, until, refused=problems.sentence(error))
    if closed.cash_until >= until:
        page.flash("good", gettext("The period is closed."))
    else:
        words = gettext(
            "The period is closed. The cash ledger could not be reached: lock it on the page of the books."
        )
        page.flash("warn", words)
    return page.redirect(f"{_HERE}?until={until}")


@post("/books/reopen", name="console.books.reopen")
async def reopen(page: Page) -> Response[str]:
    """Only the last closed period, and only with a reason."""
    until, reason = page.form.text("until"), page.form.text("reopen_reason")[:500]
    if not reason:
        words = gettext("Please say why; the audit log keeps it.")
        return await _show(page, until, errors=FieldErrors(reopen_reason=words))
    try:
        await page.call(
            page.to.receivables_books.ReopenPeriod,
            ReopenPeriodRequest(until=until, reason=reason),
            idempotency_key=page.form.text("key"),
        )
    except ServiceError as error:
        if error.kind not in REFUSALS and error.reason != "PAYMENTS_AWAY":
            raise
        return await _show(page, until, refused=problems.sentence(error))
    page.flash("good", gettext("The period is open again."))
    return page.redirect(f"{_HERE}?until={until}")


async def _show(
    page: Page, wanted: str, *, refused: str = "", errors: FieldErrors | None = None
) -> Response[str]:
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
        status=422 if refused or errors else 200,
        checklist=checklist,
        balance=balance,
        currencies=sorted({line.balance.currency for line in balance.lines}),
        is_closed=checklist.closed.until >= checklist.until,
        today=today,
        word_of=_word,
        state_of=_state,
        errors=errors or FieldErrors(),
        key=page.new_key(),
        refused=refused,
        typed=page.form.text,
        **BACK_WORDS,
    )


def _word(check: CloseCheck) -> str:
    return gettext(_WORDS[check.kind])


def _state(check: CloseCheck) -> Mapping[str, str]:
    if check.unknown:
        return {"word": gettext("Could not be asked"), "icon": "alert", "tone": "bad"}
    if not check.count:
        return {"word": gettext("Done"), "icon": "check-circle", "tone": "good"}
    if check.blocks:
        return {"word": gettext("Has to be put right"), "icon": "alert", "tone": "bad"}
    return {"word": gettext("To look at"), "icon": "info", "tone": "info"}

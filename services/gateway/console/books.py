"""The books: balances of all accounts, locked days, what the last check found, and a freeze with how to end it."""

import asyncio

from litestar import Response, get, post

from chassis.errors import ServiceError
from services.gateway.console.asking import REFUSALS, if_there
from services.gateway.console.going_back import BACK_WORDS
from services.gateway.web import problems
from services.gateway.web.forms import FieldErrors
from services.gateway.web.languages import gettext as _
from services.gateway.web.page import Page
from services.gateway.web.typed import read_day
from tallyport.invoicing.v1.books_pb2 import GetReceivablesBooksRequest, LiftReceivablesFreezeRequest
from tallyport.payments.v1.books_pb2 import (
    BooksState,
    GetBooksStateRequest,
    GetTrialBalanceRequest,
    LiftFreezeRequest,
    LockPeriodRequest,
    VerifyBooksRequest,
)

_HERE = "/console/books"


@get("/books", name="console.books")
async def show(page: Page) -> Response[str]:
    """Up to today unless `?until=` names a day."""
    return await _show(page)


async def _show(page: Page, *, errors: FieldErrors | None = None, refused: str = "") -> Response[str]:
    wanted = read_day(page.query("until"))
    until = wanted.isoformat() if wanted else ""
    balance, state, receivables, organization, today = await asyncio.gather(
        page.call(page.to.books.GetTrialBalance, GetTrialBalanceRequest(until=until)),
        page.call(page.to.books.GetBooksState, GetBooksStateRequest()),
        if_there(page.call(page.to.receivables_books.GetReceivablesBooks, GetReceivablesBooksRequest())),
        page.organization(),
        page.today(),
    )
    return page.render(
        "console_books.html",
        status=422 if errors or refused else 200,
        balance=balance,
        currencies=sorted({line.balance.currency for line in balance.lines}),
        until=balance.until or until or today,
        state=state,
        receivables=receivables,
        today=today,
        typed=page.form.text,
        errors=errors or FieldErrors(),
        refused=refused,
        key=page.new_key(),
        zone=organization.time_zone or "UTC",
        **BACK_WORDS,
    )


@post("/books/check", name="console.books.check")
async def check(page: Page) -> Response[str]:
    """Looks now instead of waiting for the next round."""
    state = await page.call(page.to.books.VerifyBooks, VerifyBooksRequest())
    page.site.badges.forget_books(page.session.organization_id)
    page.flash(*_found(state))
    return page.redirect(_HERE)


def _found(state: BooksState) -> tuple[str, str]:
    if not state.broken:
        return "good", _("The books were checked: everything is right.")
    return "bad", _("The books were checked: something is wrong.")


@post("/books/lock", name="console.books.lock")
async def lock(page: Page) -> Response[str]:
    """Nothing is booked with a day up to the chosen one any more."""
    day = read_day(page.form.text("until"))
    if day is None:
        return await _show(page, errors=FieldErrors(until=_("Please choose a day.")))
    try:
        await page.call(
            page.to.books.LockPeriod,
            LockPeriodRequest(until=day.isoformat()),
            idempotency_key=page.form.text("key"),
        )
    except ServiceError as error:
        if error.kind not in REFUSALS:
            raise
        wrong = FieldErrors.of(error)
        return await _show(page, errors=wrong, refused="" if wrong else problems.sentence(error))
    page.flash("good", _("The books are locked up to that day."))
    return page.redirect(_HERE)


@post("/books/lift", name="console.books.lift")
async def lift(page: Page) -> Response[str]:
    """Refused while a check still finds something."""
    reason = page.form.text("reason")[:500]
    if not reason:
        return await _show(page, errors=FieldErrors(reason=_("Please say why; the audit log keeps it.")))
    try:
        await page.call(
            page.to.books.LiftFreeze, LiftFreezeRequest(reason=reason), idempotency_key=page.form.text("key")
        )
    except ServiceError as error:
        if error.kind not in REFUSALS:
            raise
        return await _show(page, refused=problems.sentence(error))
    page.site.badges.forget_books(page.session.organization_id)
    page.flash("good", _("Money moves again."))
    return page.redirect(_HERE)


@post("/books/lift_receivables", name="console.books.lift_receivables")
async def lift_receivables(page: Page) -> Response[str]:
    """The same for the receivables' own books."""
    reason = page.form.text("receivables_reason")[:500]
    if not reason:
        words = _("Please say why; the audit log keeps it.")
        return await _show(page, errors=FieldErrors(receivables_reason=words))
    try:
        await page.call(
            page.to.receivables_books.LiftReceivablesFreeze,
            LiftReceivablesFreezeRequest(reason=reason),
            idempotency_key=page.form.text("key"),
        )
    except ServiceError as error:
        if error.kind not in REFUSALS:
            raise
        return await _show(page, refused=problems.sentence(error))
    page.flash("good", _("Money moves again."))
    return page.redirect(_HERE)

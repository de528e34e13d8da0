"""The queue of bank lines: what waits with the oldest first, the rest with the newest."""

from litestar import Response, get

from services.gateway.console.reconciliation.words import LINE_WORDS
from services.gateway.web.languages import gettext as _
from services.gateway.web.page import Page
from tallyport.payments.v1.reconciliation_pb2 import BankLine, BankLineStatus, ListBankLinesRequest

_PAGE_SIZE = 50
_ONE_PAGE = 100
_STATES = {
    "waiting": BankLineStatus.BANK_LINE_STATUS_UNMATCHED,
    "matched": BankLineStatus.BANK_LINE_STATUS_MATCHED,
    "ignored": BankLineStatus.BANK_LINE_STATUS_IGNORED,
    "outgoing": BankLineStatus.BANK_LINE_STATUS_OUTGOING,
    "all": BankLineStatus.BANK_LINE_STATUS_UNSPECIFIED,
}


@get("/reconciliation/lines", name="console.bank_lines")
async def show(page: Page) -> Response[str]:
    """By state, and of one statement only with `?statement=`."""
    chosen = page.query("show", "waiting")
    chosen = chosen if chosen in _STATES else "waiting"
    statement = page.query("statement")
    request = ListBankLinesRequest(
        status=_STATES[chosen],
        bank_statement_id=statement,
        page_size=_PAGE_SIZE,
        page_token=page.query("page"),
    )
    answer = await page.call(page.to.reconciliation.ListBankLines, request)
    tabs = {
        "waiting": _("Waiting"),
        "matched": _("Matched"),
        "ignored": _("Ignored"),
        "outgoing": _("Money that left"),
        "all": _("All"),
    }
    return page.render(
        "console_bank_lines.html",
        lines=answer.lines,
        next_token=answer.next_page_token,
        chosen=chosen,
        statement=statement,
        tabs=[(page.with_query(show=name, page=""), word, name == chosen) for name, word in tabs.items()],
        **LINE_WORDS,
    )


async def next_waiting(page: Page, line: BankLine) -> BankLine | None:
    """The line to go on with: the next younger one that waits, or else the oldest; None when nothing waits."""
    request = ListBankLinesRequest(status=BankLineStatus.BANK_LINE_STATUS_UNMATCHED, page_size=_ONE_PAGE)
    answer = await page.call(page.to.reconciliation.ListBankLines, request)
    others = [one for one in answer.lines if one.bank_line_id != line.bank_line_id]
    place = (line.booked_on, line.bank_line_id)
    younger = [one for one in others if (one.booked_on, one.bank_line_id) > place]
    return next(iter(younger or others), None)

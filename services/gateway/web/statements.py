"""The statement of account as both the customer's and the staff's pages show it."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

from litestar import Response

from chassis.errors import Kind, ServiceError
from services.gateway.web import problems
from services.gateway.web.languages import gettext
from services.gateway.web.languages import marked as _
from services.gateway.web.page import OpenPage
from services.gateway.web.typed import read_day
from tallyport.invoicing.v1.statements_pb2 import (
    GetStatementPdfRequest,
    GetStatementRequest,
    StatementRow,
    StatementRowKind,
)

_WORDS = {
    StatementRowKind.STATEMENT_ROW_KIND_INVOICE: _("Invoice"),
    StatementRowKind.STATEMENT_ROW_KIND_FEE: _("Fee"),
    StatementRowKind.STATEMENT_ROW_KIND_VOIDED: _("Voided invoice"),
    StatementRowKind.STATEMENT_ROW_KIND_PAYMENT: _("Payment"),
    StatementRowKind.STATEMENT_ROW_KIND_PAID_BACK: _("Payment that went back"),
    StatementRowKind.STATEMENT_ROW_KIND_REINSTATED: _("Payment there again"),
    StatementRowKind.STATEMENT_ROW_KIND_CREDIT_NOTE: _("Credit note"),
    StatementRowKind.STATEMENT_ROW_KIND_DISCOUNT: _("Discount"),
    StatementRowKind.STATEMENT_ROW_KIND_WRITE_OFF: _("Written off"),
    StatementRowKind.STATEMENT_ROW_KIND_RECOVERY: _("Asked for again"),
}
_OF_PAYMENT = frozenset(
    {
        StatementRowKind.STATEMENT_ROW_KIND_PAYMENT,
        StatementRowKind.STATEMENT_ROW_KIND_PAID_BACK,
        StatementRowKind.STATEMENT_ROW_KIND_REINSTATED,
    }
)
_AGES = {
    "current": _("Not due yet"),
    "1-30": _("1 to 30 days late"),
    "31-60": _("31 to 60 days late"),
    "61-90": _("61 to 90 days late"),
    "90+": _("More than 90 days late"),
    "disputed": _("Disputed"),
    "unassigned": _("On no invoice"),
}


async def show(
    page: OpenPage, template: str, *, customer_id: str, here: str, has_below: bool, **more: Any
) -> Response[str]:
    """The period of `from` and `to`, this month so far without them; `below` adds the companies below.

    Whoever has companies below sees theirs too until they ask for something else.
    """
    today = date.fromisoformat(await page.today())
    first, last = _period(page, today)
    below = page.query("below") == "yes" or (has_below and not page.query("from"))
    refused, statement = "", None
    try:
        statement = await page.call(
            page.to.statements.GetStatement,
            GetStatementRequest(customer_id=customer_id, **_asked(first, last, below=below)),
        )
    except ServiceError as error:
        if error.kind not in (Kind.INVALID_ARGUMENT, Kind.FAILED_PRECONDITION):
            raise
        refused = problems.sentence(error)
    return page.render(
        template,
        status=422 if refused else 200,
        statement=statement,
        refused=refused,
        first=first.isoformat(),
        last=last.isoformat(),
        below=below,
        has_below=has_below,
        periods=_periods(page, today, (first, last), below=below),
        here=here,
        word_of=_word,
        path_of=_path,
        age_of=_age,
        today=today.isoformat(),
        **more,
    )


async def document(page: OpenPage, *, customer_id: str) -> Response[bytes]:
    """The same as a PDF."""
    first, last = _period(page, date.fromisoformat(await page.today()))
    below = page.query("below") == "yes"
    file = await page.call(
        page.to.statements.GetStatementPdf,
        GetStatementPdfRequest(customer_id=customer_id, **_asked(first, last, below=below)),
    )
    return page.document(file.content, media_type=file.media_type, file_name=file.file_name)


def _asked(first: date, last: date, *, below: bool) -> dict[str, Any]:
    return {"first_day": first.isoformat(), "last_day": last.isoformat(), "include_children": below}


def _period(page: OpenPage, today: date) -> tuple[date, date]:
    last = read_day(page.query("to")) or today
    return read_day(page.query("from")) or last.replace(day=1), last


def _periods(
    page: OpenPage, today: date, shown: tuple[date, date], *, below: bool
) -> Sequence[tuple[str, str, bool]]:
    """Periods that are asked for often, as links: (address, word, whether it is shown)."""
    month_before = today.replace(day=1) - timedelta(days=1)
    often = (
        (gettext("This month"), today.replace(day=1), today),
        (gettext("Last month"), month_before.replace(day=1), month_before),
        (gettext("This year"), today.replace(month=1, day=1), today),
    )
    return [
        (
            page.with_query(
                **{"from": start.isoformat(), "to": end.isoformat(), "below": "yes" if below else ""}
            ),
            word,
            (start, end) == shown,
        )
        for word, start, end in often
    ]


def _word(row: StatementRow) -> str:
    return gettext(_WORDS[row.kind])


def _path(row: StatementRow) -> str:
    """Where the document of a row is shown, below the area's root; empty for a credit note, which is on its invoice."""
    if row.kind in _OF_PAYMENT:
        return f"/payments/{row.document_id}"
    if row.kind == StatementRowKind.STATEMENT_ROW_KIND_CREDIT_NOTE:
        return ""
    return f"/invoices/{row.document_id}"


def _age(name: str) -> str:
    return gettext(_AGES.get(name, _AGES["unassigned"]))

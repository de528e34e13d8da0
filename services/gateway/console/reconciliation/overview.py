"""What waits to be reconciled, since when, and how much is matched by itself."""

import asyncio

from litestar import Response, get

from services.gateway.console.asking import if_there
from services.gateway.console.names import customer_names
from services.gateway.console.reconciliation.words import LINE_WORDS, account_word
from services.gateway.web.languages import gettext as _
from services.gateway.web.languages import ngettext as plural
from services.gateway.web.page import Page
from services.gateway.web.pictures import Share
from tallyport.payments.v1.bank_statements_pb2 import ListBankAccountsRequest, ListBankStatementsRequest
from tallyport.payments.v1.reconciliation_pb2 import (
    BankLineStatus,
    GetReconciliationOverviewRequest,
    ListBankLinesRequest,
    ReconciliationOverview,
)
from tallyport.payments.v1.transfers_pb2 import ListTransferClaimsRequest

_SHOWN = 6


def shares_of(overview: ReconciliationOverview) -> list[Share]:
    """Who matched the lines of the last 30 days."""
    by_itself, by_hand = overview.matched_automatically_30_days, overview.matched_by_hand_30_days
    return [
        Share(_("By itself"), by_itself, _lines(by_itself), "good"),
        Share(_("By hand"), by_hand, _lines(by_hand), "info"),
    ]


def percent_by_itself(overview: ReconciliationOverview) -> str:
    """Rounded down, so that 100 % means every line; empty when there was none."""
    all_lines = overview.matched_automatically_30_days + overview.matched_by_hand_30_days
    return f"{100 * overview.matched_automatically_30_days // all_lines} %" if all_lines else ""


def _lines(count: int) -> str:
    return plural("%(count)s line", "%(count)s lines", count) % {"count": count}


@get("/reconciliation", name="console.reconciliation")
async def show(page: Page) -> Response[str]:
    """Figures of this moment, and the lines that have waited longest."""
    waiting = ListBankLinesRequest(status=BankLineStatus.BANK_LINE_STATUS_UNMATCHED, page_size=_SHOWN)
    claims_wanted = ListTransferClaimsRequest(open_only=True, page_size=_SHOWN)
    overview, lines, statements, accounts, claims, organization = await asyncio.gather(
        page.call(page.to.reconciliation.GetReconciliationOverview, GetReconciliationOverviewRequest()),
        page.call(page.to.reconciliation.ListBankLines, waiting),
        page.call(page.to.bank_statements.ListBankStatements, ListBankStatementsRequest(page_size=_SHOWN)),
        page.call(page.to.bank_statements.ListBankAccounts, ListBankAccountsRequest()),
        if_there(page.call(page.to.transfers.ListTransferClaims, claims_wanted)),
        page.organization(),
    )
    found_claims = claims.claims if claims else []
    return page.render(
        "console_reconciliation.html",
        overview=overview,
        lines=lines.lines,
        statements=statements.statements,
        accounts=accounts.bank_accounts,
        account_names={one.bank_account_id: one.name for one in accounts.bank_accounts},
        claims=found_claims,
        more_claims=bool(claims and claims.next_page_token),
        names=await customer_names(page, [one.customer_id for one in found_claims]),
        shares=shares_of(overview),
        percent=percent_by_itself(overview),
        account_word=account_word,
        zone=organization.time_zone or "UTC",
        key=page.new_key(),
        **LINE_WORDS,
    )

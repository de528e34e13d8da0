"""The organization's bank accounts, and which of them payers see."""

from litestar import Response, get

from services.gateway.web.page import Page
from tallyport.payments.v1.bank_statements_pb2 import ListBankAccountsRequest


@get("/settings/bank-accounts", name="console.settings.bank_accounts")
async def show(page: Page) -> Response[str]:
    """With the balance that the newest statement told."""
    answer = await page.call(page.to.bank_statements.ListBankAccounts, ListBankAccountsRequest())
    return page.render(
        "console_settings_bank_accounts.html",
        accounts=answer.bank_accounts,
        may_change=page.may("organization.write"),
    )

"""Lists statements, the newest first."""

from collections.abc import Sequence
from dataclasses import dataclass

from chassis.caller import current_call
from chassis.paging import DEFAULT_PAGE_SIZE, read_token, write_token
from services.payments.desk import Desk
from services.payments.store import bank_statements
from services.payments.store.bank_statements import KeptStatement


@dataclass(frozen=True, slots=True)
class StatementPage:
    """Some statements, and the token of what follows; empty on the last page."""

    statements: Sequence[KeptStatement]
    next_page_token: str


async def list_bank_statements(
    desk: Desk, *, bank_account_id: str, page_size: int, page_token: str
) -> StatementPage:
    """A page; of all accounts if none is named."""
    size = page_size or DEFAULT_PAGE_SIZE
    after = read_token(page_token)
    async with desk.db.read(current_call().organization_id) as tx:
        found = await bank_statements.page(tx, bank_account_id=bank_account_id, after=after, limit=size + 1)
    shown, token = found[:size], ""
    if len(found) > size and shown[-1].imported_at is not None:
        token = write_token((shown[-1].imported_at, shown[-1].bank_statement_id))
    return StatementPage(shown, token)

"""Shows the cash ledger: balances of its accounts and its entries."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from chassis import closing
from chassis.book_figures import AccountBalance
from chassis.caller import current_call
from chassis.paging import DEFAULT_PAGE_SIZE, read_token, write_token
from services.payments.desk import Desk
from services.payments.store import books, cases
from services.payments.store.books import LedgerEntry


@dataclass(frozen=True, slots=True)
class TrialBalance:
    """All accounts up to the end of a day in the organization's zone."""

    until: date
    lines: Sequence[AccountBalance]

    @property
    def is_balanced(self) -> bool:
        """Whether debits equal credits in every currency."""
        sums: dict[str, int] = {}
        for line in self.lines:
            sums[line.balance.currency] = sums.get(line.balance.currency, 0) + line.balance.minor_units
        return not any(sums.values())


async def get_trial_balance(desk: Desk, until: date | None) -> TrialBalance:
    """Balances up to a day; today if none is named."""
    async with desk.db.read(current_call().organization_id) as tx:
        organization = await cases.organization(tx)
        day = until or organization.day_of(tx.now())
        before = organization.moment_of(day + timedelta(days=1))
        return TrialBalance(day, await closing.balances(tx, before=before))


async def list_ledger_entries(
    desk: Desk, *, payment_id: str, page_size: int, page_token: str
) -> tuple[Sequence[LedgerEntry], str]:
    """A page of entries, and the token of the next one; empty on the last."""
    size = page_size or DEFAULT_PAGE_SIZE
    after = read_token(page_token)
    async with desk.db.read(current_call().organization_id) as tx:
        found = await books.entries(tx, payment_id=payment_id, after=after, limit=size + 1)
    shown = found[:size]
    last = shown[-1] if len(found) > size else None
    return shown, write_token((last.posted_at, last.entry_id)) if last else ""

"""Shows chargebacks to staff."""

from collections.abc import Sequence
from dataclasses import dataclass

from chassis.caller import current_call
from chassis.paging import DEFAULT_PAGE_SIZE, read_token, write_token
from services.payments.desk import Desk
from services.payments.domain.chargeback import Chargeback
from services.payments.store import chargebacks


@dataclass(frozen=True, slots=True)
class ChargebackPage:
    """Some chargebacks, and the token of what follows; empty on the last page."""

    chargebacks: Sequence[Chargeback]
    next_page_token: str


async def get_chargeback(desk: Desk, chargeback_id: str) -> Chargeback:
    """A chargeback of the caller's organization; NOT_FOUND."""
    async with desk.db.read(current_call().organization_id) as tx:
        return await chargebacks.load(tx, chargeback_id)


async def list_chargebacks(
    desk: Desk, *, payment_id: str = "", open_only: bool = False, page_size: int = 0, page_token: str = ""
) -> ChargebackPage:
    """A page, the newest first."""
    size = page_size or DEFAULT_PAGE_SIZE
    async with desk.db.read(current_call().organization_id) as tx:
        found = await chargebacks.page(
            tx, payment_id=payment_id, open_only=open_only, after=read_token(page_token), limit=size + 1
        )
    shown = found[:size]
    more = len(found) > size
    return ChargebackPage(shown, write_token((shown[-1].opened_at, shown[-1].chargeback_id)) if more else "")

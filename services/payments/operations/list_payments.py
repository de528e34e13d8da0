"""Lists payments, the newest first."""

from collections.abc import Sequence
from dataclasses import dataclass

from chassis.caller import Audience, current_call
from chassis.errors import not_found
from chassis.paging import DEFAULT_PAGE_SIZE, read_token, write_token
from services.payments.desk import Desk
from services.payments.domain.outcome import Status
from services.payments.domain.payment import Payment
from services.payments.store import lists


@dataclass(frozen=True, slots=True)
class Page:
    """Some payments, and the token of what follows; empty on the last page."""

    payments: Sequence[Payment]
    next_page_token: str


async def list_payments(
    desk: Desk,
    *,
    customer_id: str = "",
    statuses: Sequence[Status] = (),
    page_size: int = 0,
    page_token: str = "",
) -> Page:
    """A page for the caller; customers get their own payments whatever they ask for."""
    call = current_call()
    wanted: str | None = customer_id or None
    if call.caller.audience is Audience.CUSTOMER:
        if call.caller.customer_id is None or wanted not in (None, call.caller.customer_id):
            raise not_found("customer")
        wanted = call.caller.customer_id
    size = page_size or DEFAULT_PAGE_SIZE
    after = read_token(page_token)
    async with desk.db.read(call.organization_id) as tx:
        found = await lists.page(tx, customer_id=wanted, statuses=statuses, after=after, limit=size + 1)
    shown = found[:size]
    last = shown[-1] if len(found) > size else None
    return Page(shown, write_token((last.created_at, last.payment_id)) if last else "")

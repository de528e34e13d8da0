"""Shows refunds to those who may see them: staff, and customers their own."""

from collections.abc import Sequence
from dataclasses import dataclass

from chassis.caller import Audience, current_call
from chassis.errors import not_found
from chassis.paging import DEFAULT_PAGE_SIZE, read_token, write_token
from services.payments.desk import Desk
from services.payments.domain.refund import Refund
from services.payments.store import refunds


@dataclass(frozen=True, slots=True)
class RefundPage:
    """Some refunds, and the token of what follows; empty on the last page."""

    refunds: Sequence[Refund]
    next_page_token: str


async def get_refund(desk: Desk, refund_id: str) -> Refund:
    """A refund of the caller's organization that the caller may see; NOT_FOUND."""
    call = current_call()
    async with desk.db.read(call.organization_id) as tx:
        refund = await refunds.load(tx, refund_id)
    call.may_see_customer(refund.customer_id, "refund")
    return refund


async def list_refunds(
    desk: Desk, *, payment_id: str = "", customer_id: str = "", page_size: int = 0, page_token: str = ""
) -> RefundPage:
    """A page for the caller; customers get their own refunds whatever they ask for."""
    call = current_call()
    wanted: str | None = customer_id or None
    if call.caller.audience is Audience.CUSTOMER:
        if call.caller.customer_id is None or wanted not in (None, call.caller.customer_id):
            raise not_found("customer")
        wanted = call.caller.customer_id
    size = page_size or DEFAULT_PAGE_SIZE
    async with desk.db.read(call.organization_id) as tx:
        found = await refunds.page(
            tx, payment_id=payment_id, customer_id=wanted, after=read_token(page_token), limit=size + 1
        )
    shown = found[:size]
    more = len(found) > size
    return RefundPage(shown, write_token((shown[-1].created_at, shown[-1].refund_id)) if more else "")

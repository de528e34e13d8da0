"""Lists payments, the newest first."""

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from chassis.caller import Audience, current_call
from chassis.errors import invalid, not_found
from services.payments.desk import Desk
from services.payments.domain.outcome import Status
from services.payments.domain.payment import Payment
from services.payments.store import lists
from services.payments.store.lists import Position

DEFAULT_PAGE_SIZE = 25
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


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
    after = _read(page_token) if page_token else None
    async with desk.db.read(call.organization_id) as tx:
        found = await lists.page(tx, customer_id=wanted, statuses=statuses, after=after, limit=size + 1)
    shown = found[:size]
    return Page(shown, _write(shown[-1]) if len(found) > size else "")


def _write(last: Payment) -> str:
    microseconds = (last.created_at - _EPOCH) // timedelta(microseconds=1)
    return base64.urlsafe_b64encode(f"{microseconds} {last.payment_id}".encode()).decode().rstrip("=")


def _read(token: str) -> Position:
    try:
        text = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)).decode()
        microseconds, _, payment_id = text.partition(" ")
        return Position(_EPOCH + timedelta(microseconds=int(microseconds)), payment_id)
    except (ValueError, binascii.Error, OverflowError):
        raise invalid(
            "page_token", "unknown", "This page does not exist. Please start from the first."
        ) from None

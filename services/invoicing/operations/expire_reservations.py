"""Give back reservations whose time is over, so that an abandoned payment does not block its invoices."""

from collections.abc import Callable, Coroutine
from typing import Any

from chassis.caller import call_scope, service_call
from chassis.database import Database, WriteTx
from services.invoicing.domain.reservation import ReservationState
from services.invoicing.operations.release import release_in
from services.invoicing.store.reservations import expired_payments


async def expire_reservations(db: Database, *, limit: int) -> int:
    """Handle up to `limit` payments of all organizations; returns how many."""
    async with db.sweep() as tx:
        lapsed = await expired_payments(tx, limit=limit)
    for organization_id, payment_id in lapsed:
        with call_scope(service_call("invoicing", organization_id)):
            await db.run_write(organization_id, _expiry_of(payment_id))
    return len(lapsed)


def _expiry_of(payment_id: str) -> Callable[[WriteTx], Coroutine[Any, Any, None]]:
    async def work(tx: WriteTx) -> None:
        await release_in(tx, payment_id, ReservationState.EXPIRED)

    return work

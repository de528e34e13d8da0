"""Give back what a payment reserved: because it failed, was given up, or its time is over."""

from chassis import audit
from chassis.database import Database, WriteTx
from services.invoicing.domain.reservation import ReservationState
from services.invoicing.store import lots as credit_lots
from services.invoicing.store import reservations
from services.invoicing.store.invoices import lock_invoices, update_balances


async def release(db: Database, organization_id: str, payment_id: str) -> None:
    """Harmless when nothing is reserved."""

    async def work(tx: WriteTx) -> None:
        await release_in(tx, payment_id, ReservationState.RELEASED)

    await db.run_write(organization_id, work)


async def release_in(tx: WriteTx, payment_id: str, state: ReservationState) -> None:
    """Give back in a running transaction. An expired reservation is only ended if it has really lapsed."""
    invoice_ids = [one.invoice_id for one in await reservations.reservations_of(tx, payment_id)]
    if not invoice_ids:
        return
    invoices = await lock_invoices(tx, invoice_ids)
    held = [
        one
        for one in await reservations.reservations_of(tx, payment_id)
        if one.state is ReservationState.HELD
        and (state is not ReservationState.EXPIRED or one.expires_at <= tx.now())
    ]
    if not held:
        return
    await reservations.end_reservations(tx, [payment_id], state)
    await update_balances(tx, [invoices[one.invoice_id].release(one.held) for one in held])
    await _release_credit(tx, payment_id)
    audit.record(tx, f"reservation.{state.value}", payment_id)


async def _release_credit(tx: WriteTx, payment_id: str) -> None:
    sources = [
        part.source_payment_id for part in (await credit_lots.holds_of(tx, [payment_id])).get(payment_id, ())
    ]
    if not sources:
        return
    lots = await credit_lots.lock_lots(tx, payment_ids=sources)
    held = (await credit_lots.holds_of(tx, [payment_id])).get(
        payment_id, ()
    )  # as it is now that they are locked
    await credit_lots.delete_holds(tx, [payment_id])
    await credit_lots.put_lots(tx, [lots[part.source_payment_id].hold(-part.amount) for part in held])

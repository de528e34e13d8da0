"""Put received money to its invoices. Money is never refused: what no invoice takes becomes credit."""

from collections.abc import Sequence

from chassis import audit
from chassis.database import WriteTx
from services.invoicing.domain import ledger as books
from services.invoicing.domain.allocation import allocate
from services.invoicing.domain.reservation import Part, ReservationState
from services.invoicing.store import ledger, reservations
from services.invoicing.store.customers import get_customer
from services.invoicing.store.invoices import lock_invoices, update_balances
from services.invoicing.store.organizations import get_organization
from services.invoicing.store.payments import ReceivedPayment, insert_allocation, insert_application
from services.invoicing.translate import events


async def apply_payment(
    tx: WriteTx, payment: ReceivedPayment, parts: Sequence[Part], *, notify: bool
) -> None:
    """Allocate, book and announce a payment; one that was applied before changes nothing.

    Imported history (`notify` false) counts on the day on which it was received.
    """
    if not await insert_application(tx, payment):
        return
    customer = await get_customer(tx, payment.customer_id)
    at = tx.now()
    if not notify:
        at = min(at, (await get_organization(tx)).start_of(payment.received_on))
    held = await reservations.reservations_of(tx, payment.payment_id)
    invoices = await lock_invoices(tx, {one.invoice_id for one in held} | {part.invoice_id for part in parts})
    held = await reservations.reservations_of(tx, payment.payment_id)  # the locks were waited for
    allocation = allocate(
        payment.received,
        parts,
        invoices={
            invoice_id: invoice
            for invoice_id, invoice in invoices.items()
            if invoice.customer_id == payment.customer_id
        },
        reserved={one.invoice_id: one.amount for one in held if one.state is ReservationState.HELD},
        at=at,
    )
    await reservations.end_reservations(tx, payment.payment_id, ReservationState.SETTLED)
    await update_balances(tx, [applied.invoice for applied in allocation.applied])
    await insert_allocation(tx, payment, allocation)
    booking = books.application(
        payment.payment_id, payment.customer_id,
        received=payment.received, credited=allocation.credited, at=at,
    )  # fmt: skip
    await ledger.post(tx, [booking])
    for applied in allocation.applied:
        if not applied.amount.is_zero:
            events.invoice_took_payment(tx, applied, payment.payment_id)
            audit.record(tx, f"invoice.{applied.invoice.status}", applied.invoice.invoice_id)
    events.payment_applied(tx, payment, allocation, customer, notify=notify)
    audit.record(tx, "payment.applied", payment.payment_id)

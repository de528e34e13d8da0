"""Hold parts of invoices for a payment: all or none."""

from collections.abc import Sequence
from datetime import datetime

from chassis import audit
from chassis.database import Database, WriteTx
from chassis.errors import Kind, ServiceError, not_found
from services.invoicing.domain.reservation import Part, Reservation, ReservationState, refusal
from services.invoicing.store import reservations
from services.invoicing.store.invoices import lock_invoices, update_balances
from services.invoicing.translate.reservations import to_proto_reservation
from tallyport.invoicing.v1 import reservations_pb2 as pb

_KEPT = frozenset({ReservationState.HELD, ReservationState.SETTLED})


async def reserve(
    db: Database,
    organization_id: str,
    payment_id: str,
    *,
    customer_id: str,
    parts: Sequence[Part],
    expires_at: datetime,
) -> pb.Reservation:
    """The reservation; the same again when the payment has it already.

    Refused with INVOICE_NOT_FOUND (also for another customer's), INVOICE_NOT_PAYABLE, INVOICE_ALREADY_PAID,
    AMOUNT_EXCEEDS_DUE, CURRENCY_MISMATCH, INVOICE_BEING_PAID or, once given back, RESERVATION_RELEASED.
    """

    async def work(tx: WriteTx) -> pb.Reservation:
        invoices = await lock_invoices(tx, [part.invoice_id for part in parts])
        earlier = await reservations.reservations_of(tx, payment_id)
        if any(reservation.state in _KEPT for reservation in earlier):
            missing = [one.invoice_id for one in earlier if one.invoice_id not in invoices]
            known = {**invoices, **await lock_invoices(tx, missing)} if missing else invoices
            return to_proto_reservation(payment_id, earlier, known)
        if any(reservation.state is ReservationState.RELEASED for reservation in earlier):
            raise ServiceError(
                Kind.FAILED_PRECONDITION, "RESERVATION_RELEASED",
                "This payment has ended already. Please start a new one.", payment_id=payment_id,
            )  # fmt: skip
        for part in parts:
            invoice = invoices.get(part.invoice_id)
            if invoice is None or invoice.customer_id != customer_id:
                raise not_found("invoice")
            if (why := refusal(invoice, part.amount)) is not None:
                holder = await reservations.holder_of(tx, part.invoice_id)
                raise ServiceError(
                    Kind.FAILED_PRECONDITION, why.reason, why.message,
                    invoice_id=part.invoice_id, payment_id=holder,
                )  # fmt: skip
        held = [
            Reservation(payment_id, part.invoice_id, part.amount, ReservationState.HELD, expires_at)
            for part in parts
        ]
        await reservations.put_reservations(tx, held)
        await update_balances(tx, [invoices[part.invoice_id].reserve(part.amount) for part in parts])
        audit.record(tx, "reservation.held", payment_id)
        return to_proto_reservation(payment_id, held, invoices)

    return await db.run_write(organization_id, work)

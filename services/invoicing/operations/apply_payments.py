"""Put received money to its invoices. Money is never refused: what no invoice takes becomes credit.

Statements are made for all payments at once, so that a hundred cost little more than one; the rules run payment by
payment, each on the invoices as the one before left them.
"""

from collections import defaultdict
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from datetime import datetime

from chassis import audit
from chassis.database import WriteTx
from chassis.money import Money
from services.invoicing.domain import ledger as books
from services.invoicing.domain.allocation import Allocation, allocate
from services.invoicing.domain.customer import Customer
from services.invoicing.domain.invoice import Invoice
from services.invoicing.domain.reservation import Part, ReservationState
from services.invoicing.store import ledger, reservations
from services.invoicing.store.customers import get_customers
from services.invoicing.store.invoices import lock_payable, update_balances
from services.invoicing.store.organizations import get_organization
from services.invoicing.store.payments import ReceivedPayment, insert_allocations, insert_applications
from services.invoicing.translate import events


@dataclass(frozen=True, slots=True, kw_only=True)
class Incoming:
    """A payment, what the payer meant it for, and the scope in which its news are told."""

    payment: ReceivedPayment
    parts: Sequence[Part]
    notify: bool
    scope: Callable[[], AbstractContextManager[None]] = field(default=nullcontext)


async def apply_payments(tx: WriteTx, incoming: Sequence[Incoming]) -> None:
    """Allocate, book and announce payments; those that were applied before change nothing.

    Imported history (`notify` false) counts on the day on which it was received.
    """
    new = await insert_applications(tx, [one.payment for one in incoming])
    fresh = [one for one in incoming if one.payment.payment_id in new]
    if not fresh:
        return
    customers = await get_customers(tx, {one.payment.customer_id for one in fresh})
    moments = await _moments(tx, fresh)
    payment_ids = [one.payment.payment_id for one in fresh]
    invoices = dict(
        await lock_payable(tx, {part.invoice_id for one in fresh for part in one.parts}, payment_ids)
    )
    reserved = await _reserved(tx, payment_ids)
    allocations = []
    for one, at in zip(fresh, moments, strict=True):
        allocations.append(_allocate(one, invoices, reserved[one.payment.payment_id], at))
    changed = {
        applied.invoice.invoice_id: invoices[applied.invoice.invoice_id]
        for allocation in allocations
        for applied in allocation.applied
    }
    await reservations.end_reservations(tx, payment_ids, ReservationState.SETTLED)
    await update_balances(tx, list(changed.values()))
    await insert_allocations(tx, [(one.payment, a) for one, a in zip(fresh, allocations, strict=True)])
    await ledger.post(
        tx,
        [
            _booking(one, allocation, at)
            for one, allocation, at in zip(fresh, allocations, moments, strict=True)
        ],
    )
    for one, allocation in zip(fresh, allocations, strict=True):
        with one.scope():
            _announce(tx, one, allocation, customers[one.payment.customer_id])


async def _moments(tx: WriteTx, fresh: Sequence[Incoming]) -> list[datetime]:
    if all(one.notify for one in fresh):
        return [tx.now()] * len(fresh)
    organization = await get_organization(tx)
    return [
        tx.now() if one.notify else min(tx.now(), organization.start_of(one.payment.received_on))
        for one in fresh
    ]


async def _reserved(tx: WriteTx, payment_ids: Sequence[str]) -> dict[str, dict[str, Money]]:
    """What each payment holds, by invoice; read after the invoices were locked."""
    held: dict[str, dict[str, Money]] = defaultdict(dict)
    for one in await reservations.reservations_of(tx, *payment_ids):
        if one.state is ReservationState.HELD:
            held[one.payment_id][one.invoice_id] = one.amount
    return held


def _allocate(
    one: Incoming, invoices: dict[str, Invoice], reserved: dict[str, Money], at: datetime
) -> Allocation:
    """The allocation of one payment; `invoices` become what they are after it."""
    allocation = allocate(
        one.payment.received,
        one.parts,
        invoices={
            invoice_id: invoice
            for invoice_id in {part.invoice_id for part in one.parts} | set(reserved)
            if (invoice := invoices.get(invoice_id)) and invoice.customer_id == one.payment.customer_id
        },
        reserved=reserved,
        at=at,
    )
    for applied in allocation.applied:
        invoices[applied.invoice.invoice_id] = applied.invoice
    return allocation


def _booking(one: Incoming, allocation: Allocation, at: datetime) -> books.Booking:
    payment = one.payment
    return books.application(
        payment.payment_id, payment.customer_id,
        received=payment.received, credited=allocation.credited, at=at,
    )  # fmt: skip


def _announce(tx: WriteTx, one: Incoming, allocation: Allocation, customer: Customer) -> None:
    for applied in allocation.applied:
        if not applied.amount.is_zero:
            events.invoice_took_payment(tx, applied, one.payment.payment_id)
            audit.record(tx, f"invoice.{applied.invoice.status}", applied.invoice.invoice_id)
    events.payment_applied(tx, one.payment, allocation, customer, notify=one.notify)
    audit.record(tx, "payment.applied", one.payment.payment_id)

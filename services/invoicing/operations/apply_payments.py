"""Put received money to its invoices. Money is never refused: what no invoice takes becomes credit.

Statements are made for all payments at once, so that a hundred cost little more than one; the rules run payment by
payment, each on the invoices and lots of credit as the one before left them.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from datetime import datetime

from chassis import audit
from chassis.database import WriteTx
from chassis.money import Money
from services.invoicing.domain import ledger as books
from services.invoicing.domain.adjustment import AdjustmentKind
from services.invoicing.domain.allocation import Allocation, CreditUse, allocate, credit_uses
from services.invoicing.domain.credit import CreditPart, Lot, draw, free_credit
from services.invoicing.domain.customer import Contact
from services.invoicing.domain.invoice import Invoice
from services.invoicing.domain.reservation import Part, ReservationState
from services.invoicing.operations.adjust_invoice import Reduction, adjust
from services.invoicing.store import ledger, reservations
from services.invoicing.store import lots as credit_lots
from services.invoicing.store.customer_tree import ancestors_of
from services.invoicing.store.customers import asking as asking_customers
from services.invoicing.store.customers import found_contacts
from services.invoicing.store.invoices import locked, locking_payable, update_balances
from services.invoicing.store.organizations import get_organization
from services.invoicing.store.payments import (
    Made,
    ReceivedPayment,
    insert_allocations,
    insert_applications,
    note_credit,
)
from services.invoicing.store.plans import wake
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
    moments = await _moments(tx, fresh)
    till = await _opened(tx, fresh)
    made = [_apply(till, one, at) for one, at in zip(fresh, moments, strict=True)]
    await _write(tx, till, made)
    await ledger.post(
        tx,
        [booking for one, at in zip(made, moments, strict=True) if (booking := _booking(one, at)).postings],
    )
    for done in made:
        await _note_adjustments(tx, done)
    wake(tx, {one.payment.customer_id for one in fresh} | {one.customer_id for one in till.invoices.values()})
    for one, done in zip(fresh, made, strict=True):
        with one.scope():
            _announce(tx, one, done.allocation, till.customers[one.payment.customer_id])


@dataclass(slots=True)
class _Till:
    """What is locked, as it is while payment after payment is applied."""

    customers: Mapping[str, Contact]
    above: Mapping[str, frozenset[str]]
    invoices: dict[str, Invoice]
    reserved: Mapping[str, Mapping[str, Money]]
    promised: Mapping[str, Mapping[str, Money]]
    """What may be kept for paying early, of invoices that payments reserved in time."""
    lots: dict[str, Lot]
    held: Mapping[str, Sequence[CreditPart]]
    now: datetime
    changed_invoices: dict[str, None] = field(default_factory=dict)
    changed_lots: dict[str, None] = field(default_factory=dict)


async def _opened(tx: WriteTx, fresh: Sequence[Incoming]) -> _Till:
    """Lock the invoices, then the credit where some is used. What is reserved is read after they are locked."""
    payment_ids = [one.payment.payment_id for one in fresh]
    customer_ids = {one.payment.customer_id for one in fresh}
    known, payable, held_parts = await tx.execute_all(
        asking_customers(tx, customer_ids),
        locking_payable(tx, {part.invoice_id for one in fresh for part in one.parts}, payment_ids),
        reservations.asking(tx, payment_ids),
    )
    reserved: dict[str, dict[str, Money]] = defaultdict(dict)
    promised: dict[str, dict[str, Money]] = defaultdict(dict)
    for one in reservations.reserved(held_parts):
        if one.state is ReservationState.HELD:
            reserved[one.payment_id][one.invoice_id] = one.held
            if one.discount is not None:
                promised[one.payment_id][one.invoice_id] = one.discount
    spenders = [one.payment for one in fresh if not one.payment.credit_used.is_zero]
    lots: dict[str, Lot] = {}
    held: Mapping[str, Sequence[CreditPart]] = {}
    if spenders:
        lots = await credit_lots.lock_lots(tx, customer_ids={one.customer_id for one in spenders})
        held = await credit_lots.holds_of(tx, [one.payment_id for one in spenders])
    invoices = locked(payable)
    children = {
        invoice.customer_id
        for one in fresh
        for part in one.parts
        if (invoice := invoices.get(part.invoice_id)) and invoice.customer_id != one.payment.customer_id
    }
    return _Till(
        customers=found_contacts(known, customer_ids),
        invoices=invoices,
        above=await ancestors_of(tx, children) if children else {},
        reserved=reserved,
        promised=promised,
        lots=lots,
        held=held,
        now=tx.now(),
    )


async def _moments(tx: WriteTx, fresh: Sequence[Incoming]) -> list[datetime]:
    if all(one.notify for one in fresh):
        return [tx.now()] * len(fresh)
    organization = await get_organization(tx)
    return [
        tx.now() if one.notify else min(tx.now(), organization.start_of(one.payment.received_on))
        for one in fresh
    ]


def _apply(till: _Till, one: Incoming, at: datetime) -> Made:
    """Apply one payment; invoices and lots become what they are after it."""
    payment = one.payment
    reserved = till.reserved.get(payment.payment_id, {})
    mine: dict[str, Lot] = {}
    if not payment.credit_used.is_zero:
        mine = {one: lot for one, lot in till.lots.items() if lot.customer_id == payment.customer_id}
    for part in till.held.get(payment.payment_id, ()):
        mine[part.source_payment_id] = mine[part.source_payment_id].hold(-part.amount)
        till.changed_lots[part.source_payment_id] = None
    invoices = {
        invoice_id: invoice
        for invoice_id in {part.invoice_id for part in one.parts} | set(reserved)
        if (invoice := till.invoices.get(invoice_id)) and _may_pay(till, payment, invoice)
    }
    allocation = allocate(
        payment.net,
        one.parts,
        invoices=invoices,
        reserved=reserved,
        discounts=_discounts(till, payment, invoices),
        at=at,
        credit=min(payment.credit_used, free_credit(mine.values(), payment.credit_used.currency)),
    )
    for applied in allocation.applied:
        till.invoices[applied.invoice.invoice_id] = applied.invoice
        till.changed_invoices[applied.invoice.invoice_id] = None
    return Made(payment, allocation, _settle_credit(till, payment, allocation, mine))


def _discounts(till: _Till, payment: ReceivedPayment, invoices: Mapping[str, Invoice]) -> dict[str, Money]:
    """What may be kept for paying early: what was promised when the payment reserved, else by the day it came on."""
    found = dict(till.promised.get(payment.payment_id, {}))
    for invoice_id, invoice in invoices.items():
        if invoice_id not in till.reserved.get(payment.payment_id, {}):
            offer = invoice.early_offer(payment.received_on)
            if offer is not None:
                found[invoice_id] = offer
    return found


def _may_pay(till: _Till, payment: ReceivedPayment, invoice: Invoice) -> bool:
    """Customers pay their own invoices and those of customers below; what is held for a payment is paid by it."""
    owner = invoice.customer_id
    if owner == payment.customer_id or invoice.invoice_id in till.reserved.get(payment.payment_id, {}):
        return True
    return payment.customer_id in till.above.get(owner, ())


def _settle_credit(
    till: _Till, payment: ReceivedPayment, allocation: Allocation, mine: dict[str, Lot]
) -> list[CreditUse]:
    """Spend what was used, first what was held, and the oldest first; what no invoice took becomes a lot of its own."""
    held = {part.source_payment_id for part in till.held.get(payment.payment_id, ())}
    drawn = draw(mine.values(), allocation.credit_used, first=held)
    for part in drawn:
        mine[part.source_payment_id] = mine[part.source_payment_id].spend(part.amount)
        till.changed_lots[part.source_payment_id] = None
    till.lots.update(mine)
    if not allocation.credited.is_zero:
        till.lots[payment.payment_id] = Lot(
            payment_id=payment.payment_id, customer_id=payment.customer_id, amount=allocation.credited,
            remaining=allocation.credited, held=Money.zero(allocation.credited.currency), created_at=till.now,
        )  # fmt: skip
        till.changed_lots[payment.payment_id] = None
    return credit_uses(payment.payment_id, allocation.applied, drawn)


async def _write(tx: WriteTx, till: _Till, made: Sequence[Made]) -> None:
    await reservations.end_reservations(
        tx, [one.payment.payment_id for one in made], ReservationState.SETTLED
    )
    await update_balances(tx, [till.invoices[one] for one in till.changed_invoices])
    if till.held:
        await credit_lots.delete_holds(tx, list(till.held))
    await credit_lots.put_lots(tx, [till.lots[one] for one in till.changed_lots])
    await insert_allocations(tx, made)
    await note_credit(tx, made)


async def _note_adjustments(tx: WriteTx, made: Made) -> None:
    """Discounts for paying early, and what came though it had been written off."""
    payment_id, day = made.payment.payment_id, made.payment.received_on
    for one in made.allocation.applied:
        if not one.discount.is_zero:
            kept = Reduction(
                kind=AdjustmentKind.EARLY_DISCOUNT,
                source_id=payment_id,
                amount=one.discount,
                effective_on=day,
            )
            await adjust(tx, one.invoice, kept)
        if not one.recovered.is_zero:
            came = Reduction(
                kind=AdjustmentKind.RECOVERY, source_id=payment_id, amount=-one.recovered, effective_on=day
            )
            await adjust(tx, one.invoice, came)


def _booking(made: Made, at: datetime) -> books.Booking:
    payment, allocation = made.payment, made.allocation
    return books.application(
        payment.payment_id, payment.customer_id,
        received=payment.net, credited=allocation.credited, at=at,
        credit_used=allocation.credit_used, surcharge=payment.surcharge,
        of_others=books.of_others(
            payment.customer_id, ((one.invoice.customer_id, one.amount) for one in allocation.applied)
        ),
    )  # fmt: skip


def _announce(tx: WriteTx, one: Incoming, allocation: Allocation, customer: Contact) -> None:
    for applied in allocation.applied:
        if not applied.amount.is_zero:
            events.invoice_took_payment(tx, applied.invoice, applied.amount, one.payment.payment_id)
            audit.record(tx, f"invoice.{applied.invoice.status}", applied.invoice.invoice_id)
    events.payment_applied(tx, one.payment, allocation, customer, notify=one.notify)
    audit.record(tx, "payment.applied", one.payment.payment_id)

"""Hold parts of invoices, and credit, for payments: all or none of each payment.

Statements are made for all payments at once; the rules run payment by payment, each on the invoices and lots as the
one before left them. A refusal is an answer and touches no other payment.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from chassis import audit
from chassis.database import Database, WriteTx
from chassis.errors import Kind, ServiceError, not_found
from chassis.money import Money
from services.invoicing.domain.credit import CreditPart, Lot, draw, sum_of
from services.invoicing.domain.invoice import Invoice
from services.invoicing.domain.reservation import Part, Reservation, ReservationState, Wish, refusal
from services.invoicing.operations.early_offers import HONOURED_FOR, early_offers
from services.invoicing.store import lots as credit_lots
from services.invoicing.store import reservations
from services.invoicing.store.customer_tree import ancestors_of
from services.invoicing.store.customers import known_customers
from services.invoicing.store.invoices import locked, locking, update_balances

_KEPT = frozenset({ReservationState.HELD, ReservationState.SETTLED})

Held = Sequence[Reservation]
"""The parts that a payment holds, by invoice id; none for a prepayment."""


async def reserve(db: Database, organization_id: str, wish: Wish) -> Held:
    """What the payment holds; the same again when it has it already.

    Refused with INVOICE_NOT_FOUND (also for one of others than the customer and those below), INVOICE_CHANGED,
    INVOICE_NOT_PAYABLE, INVOICE_ALREADY_PAID, AMOUNT_EXCEEDS_DUE, CURRENCY_MISMATCH, INVOICE_BEING_PAID,
    CREDIT_CHANGED or, once given back, RESERVATION_RELEASED.
    """
    (answer,) = (await reserve_many(db, {organization_id: [wish]}))[organization_id]
    if isinstance(answer, ServiceError):
        raise answer
    return answer


async def reserve_many(
    db: Database, wishes: Mapping[str, Sequence[Wish]]
) -> dict[str, list[Held | ServiceError]]:
    """What each payment holds, or why it holds nothing, by organization and in the order of its wishes.

    As `reserve` has it, with one COMMIT for all organizations. What fails for one of them is the answer to its wishes.
    """
    answers = await db.run_write_together(
        {organization_id: partial(_reserve_in, wishes=mine) for organization_id, mine in wishes.items()}
    )
    found = {}
    for organization_id, mine in answers.items():
        if not isinstance(mine, Exception):
            found[organization_id] = mine
        elif isinstance(mine, ServiceError) and len(answers) > 1:
            found[organization_id] = [mine for _ in wishes[organization_id]]
        else:
            raise mine
    return found


@dataclass(slots=True)
class _Desk:
    """Invoices, lots and earlier reservations as they are while wish after wish is decided."""

    invoices: dict[str, Invoice]
    lots: dict[str, Lot]
    customers: frozenset[str]
    above: Mapping[str, frozenset[str]]
    """Who may pay a customer's invoices besides the customer."""
    earlier: Mapping[str, Sequence[Reservation]]
    taken: dict[str, Held] = field(default_factory=dict)
    holds: dict[str, Sequence[CreditPart]] = field(default_factory=dict)
    touched: dict[str, None] = field(default_factory=dict)
    offers: Mapping[str, Money] = field(default_factory=dict)
    """What may be kept for paying early, by invoice."""


async def _reserve_in(tx: WriteTx, wishes: Sequence[Wish]) -> list[Held | ServiceError]:
    # What is reserved is read after the invoices are locked: the second question begins when the first is answered.
    rows, reserved = await tx.execute_all(
        locking(tx, {part.invoice_id for wish in wishes for part in wish.parts}),
        reservations.asking(tx, [wish.payment_id for wish in wishes]),
    )
    invoices = locked(rows)
    earlier: dict[str, list[Reservation]] = defaultdict(list)
    for one in reservations.reserved(reserved):
        earlier[one.payment_id].append(one)
    spenders = {wish.customer_id for wish in wishes if wish.credit is not None}
    prepayers = {wish.customer_id for wish in wishes if not wish.parts}
    children = {
        invoice.customer_id
        for wish in wishes
        for part in wish.parts
        if (invoice := invoices.get(part.invoice_id)) and invoice.customer_id != wish.customer_id
    }
    desk = _Desk(
        invoices=invoices,
        lots=await credit_lots.lock_lots(tx, customer_ids=spenders) if spenders else {},
        customers=await known_customers(tx, prepayers) if prepayers else frozenset(),
        above=await ancestors_of(tx, children) if children else {},
        earlier=earlier,
        offers=await early_offers(tx, invoices.values(), late_by=HONOURED_FOR),
    )
    answers = [_decide(desk, wish) for wish in wishes]
    if desk.taken:
        await _write(tx, desk)
    return await _with_holders(tx, answers)


def _decide(desk: _Desk, wish: Wish) -> Held | ServiceError:
    earlier = desk.earlier.get(wish.payment_id, ())
    if any(reservation.state in _KEPT for reservation in earlier):
        return earlier
    if any(reservation.state is ReservationState.RELEASED for reservation in earlier):
        return ServiceError(
            Kind.FAILED_PRECONDITION, "RESERVATION_RELEASED",
            "This payment has ended already. Please start a new one.", payment_id=wish.payment_id,
        )  # fmt: skip
    if not wish.parts:
        return () if wish.customer_id in desk.customers else not_found("customer")
    for part in wish.parts:
        if (why := _refusal(desk, wish, part)) is not None:
            return why
    drawn: Sequence[CreditPart] = ()
    if wish.credit is not None:
        drawn = draw((lot for lot in desk.lots.values() if lot.customer_id == wish.customer_id), wish.credit)
        if sum_of(drawn, wish.credit.currency) < wish.credit:
            return ServiceError(
                Kind.FAILED_PRECONDITION, "CREDIT_CHANGED",
                "There is less credit than before. Please look at it again.", payment_id=wish.payment_id,
            )  # fmt: skip
    return _take(desk, wish, drawn)


def _refusal(desk: _Desk, wish: Wish, part: Part) -> ServiceError | None:
    invoice = desk.invoices.get(part.invoice_id)
    if invoice is None:
        return not_found("invoice")
    owner = invoice.customer_id
    if owner != wish.customer_id and wish.customer_id not in desk.above.get(owner, ()):
        return not_found("invoice")
    why = refusal(invoice, part.amount, expected_version=part.expected_version)
    if why is None:
        return None
    left = max(invoice.unreserved, Money.zero(invoice.currency))
    return ServiceError(
        Kind.FAILED_PRECONDITION, why.reason, why.message, invoice_id=part.invoice_id,
        left_minor_units=str(left.minor_units), currency=left.currency,
    )  # fmt: skip


def _take(desk: _Desk, wish: Wish, drawn: Sequence[CreditPart]) -> Held:
    held = []
    for part in wish.parts:
        invoice = desk.invoices[part.invoice_id]
        reservation = Reservation(
            wish.payment_id, part.invoice_id, part.amount, ReservationState.HELD, wish.expires_at,
            invoice.number or "", _discount(desk, invoice, part),
        )  # fmt: skip
        desk.invoices[part.invoice_id] = invoice.reserve(reservation.held)
        held.append(reservation)
    for one in drawn:
        desk.lots[one.source_payment_id] = desk.lots[one.source_payment_id].hold(one.amount)
        desk.touched[one.source_payment_id] = None
    desk.taken[wish.payment_id] = held
    if drawn:
        desk.holds[wish.payment_id] = drawn
    return held


def _discount(desk: _Desk, invoice: Invoice, part: Part) -> Money | None:
    """What is kept besides, if the part settles the invoice with it."""
    offer = desk.offers.get(invoice.invoice_id)
    if offer is None or not invoice.reserved.is_zero or part.amount + offer != invoice.due:
        return None
    return offer


async def _write(tx: WriteTx, desk: _Desk) -> None:
    held = [one for parts in desk.taken.values() for one in parts]
    await reservations.put_reservations(tx, held)
    await update_balances(tx, [desk.invoices[one] for one in {part.invoice_id: None for part in held}])
    if desk.holds:
        await credit_lots.insert_holds(tx, desk.holds)
        await credit_lots.put_lots(tx, [desk.lots[one] for one in desk.touched])
    for payment_id in desk.taken:
        audit.record(tx, "reservation.held", payment_id)


async def _with_holders(tx: WriteTx, answers: list[Held | ServiceError]) -> list[Held | ServiceError]:
    """Say with each refused invoice which payment holds it."""
    refused = [one for one in answers if isinstance(one, ServiceError) and "invoice_id" in one.metadata]
    if refused:
        holders = await reservations.holders_of(tx, {one.metadata["invoice_id"] for one in refused})
        for one in refused:
            one.metadata["payment_id"] = holders.get(one.metadata["invoice_id"], "")
    return answers

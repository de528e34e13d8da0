"""Records money that came another way: cash, a cheque, a transfer."""

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

import structlog

from chassis import audit, closing, idempotency
from chassis.caller import current_call
from chassis.database import ReadTx, WriteTx
from chassis.errors import Kind, ServiceError, invalid, not_found
from chassis.ids import new_id
from chassis.money import Money
from services.payments.books import received_entry
from services.payments.desk import Desk
from services.payments.domain.case import Case, Organization
from services.payments.domain.outcome import Status
from services.payments.domain.payment import Method, Part, Payment, check_bookable, check_covers
from services.payments.invoicing import Refused
from services.payments.operations.prepare_payment import initiator
from services.payments.operations.settle_payment import announce
from services.payments.operations.submit_payment import SUPERSEDE_TRIES
from services.payments.operations.supersede_payment import supersede_payment
from services.payments.store import cases, copies
from services.payments.translate.payments import to_proto_payment
from tallyport.payments.v1 import payments_pb2

LONGEST_AGO = timedelta(days=2 * 366)
_log = structlog.get_logger("payments.record")


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """Money that is there already. `received_on` is today if not said."""

    customer_id: str
    amount: Money
    parts: tuple[Part, ...]
    method: Method
    received_on: date | None
    note: str


async def record_payment(desk: Desk, received: Received) -> payments_pb2.Payment:
    """Record it once for the caller's key. Real money is never refused: what no invoice takes becomes credit."""
    check_bookable(received.amount, "amount")
    check_covers(received.amount, received.parts)
    organization_id = current_call().organization_id
    payment = _payment(received, now=await desk.db.now_of(organization_id))
    not_held = ""
    async with desk.db.read(organization_id) as tx:  # first: holding may close a payer's page
        earlier = await idempotency.answered(tx, payments_pb2.Payment)
        if earlier is not None:
            return earlier
        await _day(received.received_on, await cases.organization(tx), tx)
    if received.parts:
        numbers, not_held = await _hold(desk, organization_id, payment)
        payment = payment.with_numbers(numbers)

    async def write(tx: WriteTx) -> payments_pb2.Payment:
        organization = await cases.organization(tx)
        if not received.parts and await copies.payer(tx, received.customer_id) is None:
            raise not_found("customer")  # of those with parts, invoicing has just said that they exist
        day = await _day(received.received_on, organization, tx)
        recorded = await insert_recorded(tx, payment, day)
        message = to_proto_payment(recorded)
        message.kept_as_credit_because = not_held
        return message

    try:
        answer = await idempotency.once(desk.db, payments_pb2.Payment, write)
    except ServiceError:
        if received.parts:
            await desk.reservations.release(organization_id, payment.payment_id)
        raise
    if answer.payment_id != payment.payment_id:
        await desk.reservations.release(organization_id, payment.payment_id)
    return answer


def _payment(received: Received, *, now: datetime) -> Payment:
    return Payment(
        payment_id=new_id("pay"),
        customer_id=received.customer_id,
        status=Status.SUBMITTING,
        amount=received.amount,
        parts=received.parts,
        method=received.method,
        initiated_by=initiator(current_call()),
        created_at=now,
        note=received.note,
    )


async def hold(desk: Desk, organization_id: str, payment: Payment) -> dict[str, str]:
    """Numbers of the invoices, held so that nobody pays them meanwhile; none if they cannot be held.

    NOT_FOUND if an invoice is not this customer's.
    """
    return (await _hold(desk, organization_id, payment))[0]


async def _hold(desk: Desk, organization_id: str, payment: Payment) -> tuple[dict[str, str], str]:
    """The same, and why they cannot be held. A page at which somebody else only might pay gives way."""
    case = Case(organization=Organization(organization_id=organization_id), payment=payment)
    why: Refused | None = None
    for _ in range(SUPERSEDE_TRIES):
        try:
            return await desk.reservations.reserve(case), ""
        except Refused as refused:
            if refused.error.kind is Kind.NOT_FOUND:
                raise not_found("invoice") from refused
            if refused.error.kind is Kind.INVALID_ARGUMENT:
                raise refused.error from refused
            why = refused
            if refused.reason == "INVOICE_BEING_PAID":
                why = await supersede_payment(desk, case, refused)
            if why is not None:
                break
    reason = why.reason if why is not None else "INVOICE_BEING_PAID"
    _log.info("recorded beside the invoices' state", payment_id=payment.payment_id, reason=reason)
    return {}, reason


async def _day(received_on: date | None, organization: Organization, tx: ReadTx) -> date:
    today = organization.day_of(tx.now())
    if received_on is None:
        return today
    if received_on > today:
        raise invalid("received_on", "in_the_future", "Money cannot have been received in the future.")
    if received_on < today - LONGEST_AGO:
        raise invalid("received_on", "too_long_ago", "Money of more than two years ago comes with an import.")
    lock = await closing.period_lock(tx)
    if lock is not None and received_on <= lock.until:
        why = f"The books are closed until {lock.until}. Enter a later day."
        raise invalid("received_on", "period_closed", why)
    return received_on


async def insert_recorded(
    tx: WriteTx, payment: Payment, day: date, *, external_reference: str | None = None
) -> Payment:
    """Write it as succeeded with receipt, ledger entry and news. PAYMENT_EXISTS if its origin is known already."""
    done = replace(
        payment, status=Status.SUCCEEDED, received_on=day, finished_at=tx.now(), events=1,
        method_summary=payment.method.value.replace("_", " ").capitalize(),
    )  # fmt: skip
    recorded = await cases.insert_received(
        tx, done, received_entry(done), external_reference=external_reference
    )
    if recorded is None:
        raise ServiceError(Kind.ALREADY_EXISTS, "PAYMENT_EXISTS", "This payment is recorded already.")
    announce(tx, payment, recorded)
    audit.record(tx, "payment.recorded", recorded.payment_id, reason=payment.note)
    return recorded

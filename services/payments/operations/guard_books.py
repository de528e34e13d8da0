"""Locks periods of the books, checks them, and lifts a freeze once they are right again."""

from dataclasses import dataclass
from datetime import date, timedelta

from chassis import audit, books, closing, idempotency
from chassis.book_figures import PeriodLock
from chassis.books import BooksState
from chassis.caller import call_scope, current_call, service_call
from chassis.database import WriteTx
from chassis.errors import Kind, ServiceError, invalid
from services.payments.desk import Desk
from services.payments.operations.verify_books import verify
from services.payments.store import cases
from services.payments.translate.books import to_proto_lock, to_proto_state
from tallyport.payments.v1 import books_pb2 as pb


@dataclass(frozen=True, slots=True)
class Books:
    """State of an organization's books."""

    lock: PeriodLock | None
    state: BooksState


async def get_books(desk: Desk) -> Books:
    """The lock, and what the last check found."""
    async with desk.db.read(current_call().organization_id) as tx:
        return Books(await closing.period_lock(tx), await books.state(tx))


async def check_now(desk: Desk, organization_id: str) -> Books:
    """Check now, freeze if something is wrong."""
    with call_scope(service_call("payments", organization_id, method="check books")):
        state = await books.check(desk.db, organization_id, verify)
    async with desk.db.read(organization_id) as tx:
        return Books(await closing.period_lock(tx), state)


async def lock_period(desk: Desk, until: date) -> pb.PeriodLock:
    """Lock the books up to the end of a past day, later than the newest lock's. `follow_close.py` takes one away."""

    async def write(tx: WriteTx) -> pb.PeriodLock:
        organization = await cases.organization(tx)
        if until >= organization.day_of(tx.now()):
            raise invalid("until", "not_past", "Only days that are over can be locked.")
        before = await closing.period_lock(tx)
        if before is not None and until <= before.until:
            raise ServiceError(
                Kind.FAILED_PRECONDITION,
                "PERIOD_LOCKED",
                f"The books are locked up to {before.until.isoformat()} already.",
            )
        call = current_call()
        lock = PeriodLock(until, call.caller.subject_name or call.actor, tx.now())
        ends_at = organization.moment_of(until + timedelta(days=1))
        await closing.lock_period(tx, lock, locked_before=ends_at)
        audit.record(tx, "books.period_locked", until.isoformat())
        return to_proto_lock(lock)

    return await idempotency.once(desk.db, pb.PeriodLock, write)


async def lift_freeze(desk: Desk, reason: str) -> pb.BooksState:
    """Allow money writes again, if a check made now finds nothing. BOOKS_BROKEN otherwise."""

    async def write(tx: WriteTx) -> pb.BooksState:
        wrong = await books.lift(tx, verify, reason=reason)
        if wrong is not None:
            raise ServiceError(
                Kind.FAILED_PRECONDITION,
                "BOOKS_BROKEN",
                f"The books are still wrong: {wrong.invariant} {wrong.found}",
            )
        return to_proto_state(await closing.period_lock(tx), await books.state(tx))

    return await idempotency.once(desk.db, pb.BooksState, write)

"""Close the books of receivables up to a day, after a look at what should be put right before."""

from datetime import date, datetime, timedelta

from chassis import audit, books, closing, idempotency
from chassis.book_figures import PeriodLock
from chassis.caller import current_call
from chassis.database import Database, ReadTx, WriteTx
from chassis.errors import Kind, ServiceError
from services.invoicing.domain.organization import Organization
from services.invoicing.domain.period_close import (
    MOST_FOUND,
    CloseCheck,
    CloseCheckKind,
    CloseChecklist,
    TrialBalance,
    last_month_before,
    must_be_closable,
)
from services.invoicing.operations.verify_books import verify
from services.invoicing.store import period_close as store
from services.invoicing.store.organizations import get_organization
from services.invoicing.translate.books import to_proto_closed
from tallyport.invoicing.v1 import books_pb2 as pb


async def get_trial_balance(db: Database, until: date | None) -> TrialBalance:
    """Balances up to the end of a day; today if none is named."""
    async with db.read(current_call().organization_id) as tx:
        organization = await get_organization(tx)
        return await _trial_balance(tx, organization, until or organization.date_of(tx.now()))


async def get_checklist(db: Database, until: date | None) -> CloseChecklist:
    """What should be looked at before a period is closed; that of the last month if no day is named."""
    async with db.read(current_call().organization_id) as tx:
        organization = await get_organization(tx)
        day = until or last_month_before(organization.date_of(tx.now()))
        return await _checklist(tx, organization, day)


async def close_period(db: Database, until: date, *, override_reason: str) -> pb.ClosedPeriod:
    """Close it. PERIOD_LOCKED, BOOKS_FROZEN, CLOSE_BLOCKED, VALIDATION_FAILED."""

    async def write(tx: WriteTx) -> pb.ClosedPeriod:
        organization = await get_organization(tx)
        checklist = await _checklist(tx, organization, until)
        must_be_closable(until, organization.date_of(tx.now()), checklist.closed)
        if (await books.state(tx)).frozen_at is not None:
            raise ServiceError(
                Kind.FAILED_PRECONDITION,
                "BOOKS_FROZEN",
                "A check found the books wrong. Put them right first.",
            )
        checklist.must_be_ready(override_reason)
        call = current_call()
        lock = PeriodLock(until, call.caller.subject_name or call.actor, tx.now())
        await closing.lock_period(tx, lock, locked_before=_end_of(organization, until))
        audit.record(tx, "books.period_closed", until.isoformat(), reason=override_reason)
        return to_proto_closed(lock)

    return await idempotency.once(db, pb.ClosedPeriod, write)


async def _checklist(tx: ReadTx, organization: Organization, until: date) -> CloseChecklist:
    points = await store.open_points(tx, until=until, before=_end_of(organization, until))
    wrong = [f"{one.invariant} {one.found}" for one in await verify(tx) if one.freezes]
    unbalanced = (await _trial_balance(tx, organization, until)).unbalanced
    checks = [
        *points,
        CloseCheck(CloseCheckKind.BOOKS, len(wrong), (), wrong[:MOST_FOUND]),
        CloseCheck(CloseCheckKind.TRIAL_BALANCE, len(unbalanced), unbalanced),
    ]
    return CloseChecklist(until, checks, await closing.period_lock(tx))


async def _trial_balance(tx: ReadTx, organization: Organization, until: date) -> TrialBalance:
    return TrialBalance(until, await closing.balances(tx, before=_end_of(organization, until)))


def _end_of(organization: Organization, day: date) -> datetime:
    return organization.start_of(day + timedelta(days=1))

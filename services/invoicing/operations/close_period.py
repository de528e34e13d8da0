"""Close the books up to a day, after a look at what should be put right before, and open the last period again.

Payments is asked outside of transactions: it may be away, and nobody waits for it with a lock.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from chassis import audit, books, closing, idempotency
from chassis.book_figures import PeriodLock
from chassis.caller import current_call
from chassis.database import Database, ReadTx, WriteTx
from chassis.errors import Kind, ServiceError
from chassis.money import Money
from services.invoicing.cash_books import CashBooks, CashFact, CashFacts
from services.invoicing.domain.organization import Organization
from services.invoicing.domain.period_close import (
    MOST_FOUND,
    CloseCheck,
    CloseCheckKind,
    CloseChecklist,
    TrialBalance,
    differences,
    last_month_before,
    must_be_closable,
    must_be_last,
)
from services.invoicing.operations.verify_books import verify
from services.invoicing.store import period_close as store
from services.invoicing.store.agreement import cash_sums
from services.invoicing.store.organizations import get_organization
from services.invoicing.translate.books import to_proto_closed
from tallyport.invoicing.v1 import books_pb2 as pb

_TRIES = 4
_LOOK_AGAIN_SECONDS = 0.25
_ASKED_OF_PAYMENTS = (
    CloseCheckKind.UNMATCHED_RECEIPTS,
    CloseCheckKind.UNCLEAR_PAYMENTS,
    CloseCheckKind.CASH_AGREEMENT,
)


async def get_trial_balance(db: Database, until: date | None) -> TrialBalance:
    """Balances up to the end of a day; today if none is named."""
    async with db.read(current_call().organization_id) as tx:
        organization = await get_organization(tx)
        return await _trial_balance(tx, organization, until or organization.date_of(tx.now()))


async def get_checklist(db: Database, cash: CashBooks, until: date | None) -> CloseChecklist:
    """What should be looked at before a period is closed; that of the last month if no day is named."""
    organization_id = current_call().organization_id
    if until is None:
        async with db.read(organization_id) as tx:
            until = last_month_before((await get_organization(tx)).date_of(tx.now()))
    facts = await _settled_facts(db, cash, until)
    async with db.read(organization_id) as tx:
        return await _checklist(tx, await get_organization(tx), until, facts)


async def close_period(
    db: Database, cash: CashBooks, until: date, *, override_reason: str
) -> pb.ClosedPeriod:
    """Close it, and payments' books with it. PERIOD_LOCKED, BOOKS_FROZEN, CLOSE_BLOCKED, VALIDATION_FAILED.

    Payments follows: what it did not hear of is told by `cash_until`, and made up for when the call is repeated.
    """
    call = current_call()
    facts = await _settled_facts(db, cash, until)

    async def write(tx: WriteTx) -> pb.ClosedPeriod:
        organization = await get_organization(tx)
        checklist = await _checklist(tx, organization, until, facts)
        must_be_closable(until, organization.date_of(tx.now()), checklist.closed)
        if (await books.state(tx)).frozen_at is not None:
            raise ServiceError(
                Kind.FAILED_PRECONDITION,
                "BOOKS_FROZEN",
                "A check found the books wrong. Put them right first.",
            )
        checklist.must_be_ready(override_reason)
        lock = PeriodLock(until, call.caller.subject_name or call.actor, tx.now())
        await closing.lock_period(tx, lock, locked_before=_end_of(organization, until))
        audit.record(tx, "books.period_closed", until.isoformat(), reason=override_reason)
        return to_proto_closed(lock)

    closed = await idempotency.once(db, pb.ClosedPeriod, write)
    day = await _let_cash_follow(db, cash)
    closed.cash_until = day.isoformat() if day else ""
    return closed


async def reopen_period(db: Database, cash: CashBooks, until: date, *, reason: str) -> pb.ClosedPeriod:
    """Open the last closed period, here and at payments. Answers the newest that is still closed.

    PERIOD_NOT_LAST, PAYMENTS_AWAY, CASH_LOCKED_FURTHER.
    """
    call = current_call()
    async with db.read(call.organization_id) as tx:
        closed = await closing.period_lock(tx)

    async def write(tx: WriteTx) -> pb.ClosedPeriod:
        must_be_last(until, await closing.period_lock(tx))
        await closing.unlock_period(tx, until)
        audit.record(tx, "books.period_reopened", until.isoformat(), reason=reason)
        left = await closing.period_lock(tx)
        return to_proto_closed(left) if left else pb.ClosedPeriod()

    try:
        if closed is not None and closed.until == until:  # else `write` refuses, or has the answer of before
            who = call.caller.subject_name or call.actor
            await cash.reopen(call.organization_id, until, reopened_by=who, reason=reason)
        return await idempotency.once(db, pb.ClosedPeriod, write)
    finally:  # what was opened there and stayed closed here is closed there again
        await _let_cash_follow(db, cash)


async def _let_cash_follow(db: Database, cash: CashBooks) -> date | None:
    """Close payments' books as far as these are closed now; how far they are closed then, None if nobody knows.

    What a call answers may be the answer of before: only the present lock tells what payments should have.
    """
    organization_id = current_call().organization_id
    async with db.read(organization_id) as tx:
        lock = await closing.period_lock(tx)
    if lock is None:
        return None
    return await cash.close(organization_id, lock.until, closed_by=lock.locked_by)


@dataclass(frozen=True, slots=True)
class _Facts:
    """What payments said, and by how much it holds more for customers than receivables received."""

    cash: CashFacts
    more_there: Sequence[Money]


async def _settled_facts(db: Database, cash: CashBooks, until: date) -> _Facts | None:
    """None when payments does not answer. Events on their way make the ledgers differ for a moment: look again then."""
    organization_id = current_call().organization_id
    for tries_left in reversed(range(_TRIES)):
        told = await cash.facts(organization_id, until)
        if told is None:
            return None
        async with db.read(organization_id) as tx:
            more = differences(told.customer_funds, [one.cash_clearing for one in await cash_sums(tx)])
        if not more or not tries_left:
            return _Facts(told, more)
        await asyncio.sleep(_LOOK_AGAIN_SECONDS)
    raise AssertionError("unreachable")


async def _checklist(
    tx: ReadTx, organization: Organization, until: date, facts: _Facts | None
) -> CloseChecklist:
    points = await store.open_points(tx, until=until, before=_end_of(organization, until))
    wrong = [f"{one.invariant} {one.found}" for one in await verify(tx) if one.freezes]
    unbalanced = (await _trial_balance(tx, organization, until)).unbalanced
    checks = [
        *points,
        CloseCheck(CloseCheckKind.BOOKS, len(wrong), (), wrong[:MOST_FOUND]),
        CloseCheck(CloseCheckKind.TRIAL_BALANCE, len(unbalanced), unbalanced),
        *_of_payments(facts),
    ]
    return CloseChecklist(
        until, checks, await closing.period_lock(tx), facts.cash.closed_until if facts else None
    )


def _of_payments(facts: _Facts | None) -> list[CloseCheck]:
    if facts is None:
        return [CloseCheck(kind, 0, unknown=True) for kind in _ASKED_OF_PAYMENTS]
    told = {
        CloseCheckKind.UNMATCHED_RECEIPTS: facts.cash.unmatched_receipts,
        CloseCheckKind.UNCLEAR_PAYMENTS: facts.cash.unclear_payments,
        CloseCheckKind.CASH_AGREEMENT: CashFact(len(facts.more_there), facts.more_there),
    }
    return [
        CloseCheck(kind, told[kind].count, told[kind].amounts, told[kind].found[:MOST_FOUND])
        for kind in _ASKED_OF_PAYMENTS
    ]


async def _trial_balance(tx: ReadTx, organization: Organization, until: date) -> TrialBalance:
    return TrialBalance(until, await closing.balances(tx, before=_end_of(organization, until)))


def _end_of(organization: Organization, day: date) -> datetime:
    return organization.start_of(day + timedelta(days=1))

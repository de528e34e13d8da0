"""What invoicing asks when it closes a period, and how the cash ledger follows its close and its reopening."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from chassis import audit, closing
from chassis.book_figures import PeriodLock
from chassis.database import WriteTx
from chassis.errors import invalid
from chassis.money import Money
from services.payments.books import CUSTOMER_FUNDS
from services.payments.desk import Desk
from services.payments.store import cases, close_facts
from services.payments.store.close_facts import CloseFact

_ALL_TIME = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class CloseFacts:
    """What should be looked at, what is held for customers now, and the newest lock."""

    unmatched_receipts: CloseFact
    unclear_payments: CloseFact
    customer_funds: Sequence[Money]
    lock: PeriodLock | None


async def get_close_facts(desk: Desk, organization_id: str, until: date) -> CloseFacts:
    """Of the period that ends with a day."""
    async with desk.db.read(organization_id) as tx:
        before = (await cases.organization(tx)).moment_of(until + timedelta(days=1))
        return CloseFacts(
            await close_facts.unmatched_receipts(tx, until=until, before=before),
            await close_facts.unclear_payments(tx, before=before),
            [
                -one.balance
                for one in await closing.balances(tx, before=_ALL_TIME)
                if one.account == CUSTOMER_FUNDS and not one.balance.is_zero
            ],
            await closing.period_lock(tx),
        )


async def follow_close(desk: Desk, organization_id: str, until: date, *, closed_by: str) -> PeriodLock:
    """Lock up to the day, unless it is locked that far; so it may be asked again."""

    async def write(tx: WriteTx) -> PeriodLock:
        organization = await cases.organization(tx)
        if until >= organization.day_of(tx.now()):
            raise invalid("until", "not_past", "Only days that are over can be locked.")
        before = await closing.period_lock(tx)
        if before is not None and until <= before.until:
            return before
        lock = PeriodLock(until, closed_by, tx.now())
        await closing.lock_period(tx, lock, locked_before=organization.moment_of(until + timedelta(days=1)))
        audit.record(
            tx, "books.period_locked", until.isoformat(), reason=f"receivables closed by {closed_by}"
        )
        return lock

    return await desk.db.run_write(organization_id, write)


async def follow_reopening(
    desk: Desk, organization_id: str, until: date, *, reopened_by: str, reason: str
) -> PeriodLock | None:
    """Take the newest lock away if it ends with that day; the lock that stands then."""

    async def write(tx: WriteTx) -> PeriodLock | None:
        if await closing.unlock_period(tx, until):
            audit.record(tx, "books.period_reopened", until.isoformat(), reason=f"{reopened_by}: {reason}")
        return await closing.period_lock(tx)

    return await desk.db.run_write(organization_id, write)

"""Take usage of metered lines, each record once."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

from chassis.caller import current_call
from chassis.database import Database, WriteTx
from chassis.errors import invalid
from services.invoicing.domain.schedule import date_of
from services.invoicing.domain.subscription import Schedule
from services.invoicing.operations.find_schedule import find_schedule
from services.invoicing.operations.visibility import DEFAULT_PAGE_SIZE
from services.invoicing.store import usage
from services.invoicing.store.schedules import lock_schedule
from services.invoicing.store.usage import UsageRecord

FUTURE_TOLERANCE = timedelta(minutes=5)
"""Clocks of reporting systems may be ahead so far."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageWish:
    """Usage to be billed; 0 for the only metered line, None for now."""

    external_id: str
    line_no: int
    quantity: Decimal
    used_at: datetime | None


async def report_usage(db: Database, schedule_id: str, wishes: Sequence[UsageWish]) -> int:
    """How many records were new. SCHEDULE_OVER once the last invoice is made."""

    async def work(tx: WriteTx) -> int:
        schedule = await lock_schedule(tx, schedule_id)
        assert schedule is not None
        schedule.must_be_live()
        records = [_record(schedule, at, wish, tx.now()) for at, wish in enumerate(wishes)]
        return await usage.insert_usage(tx, schedule_id, records)

    return await db.run_write(current_call().organization_id, work)


async def list_usage(
    db: Database, schedule_id: str, *, page_size: int, page_token: str
) -> tuple[list[UsageRecord], dict[int, Decimal], str]:
    """A page, the newest first; sums by line that are not billed; the token of the next page."""
    async with db.read(current_call().organization_id) as tx:
        await find_schedule(tx, schedule_id)
        page, token = await usage.list_usage(
            tx, schedule_id, page_size=page_size or DEFAULT_PAGE_SIZE, page_token=page_token
        )
        sums: dict[int, Decimal] = {}
        for one in await usage.unbilled(tx, schedule_id):
            sums[one.line_no] = sums.get(one.line_no, Decimal(0)) + one.quantity
        return page, sums, token


def _record(schedule: Schedule, at: int, wish: UsageWish, now: datetime) -> UsageRecord:
    used_at = wish.used_at or now
    if used_at > now + FUTURE_TOLERANCE:
        raise invalid(f"records[{at}].used_at", "future", "This is yet to come.")
    used_on = date_of(used_at, schedule.time_zone)
    _must_be_served(schedule, at, used_on)
    return UsageRecord(
        external_id=wish.external_id,
        line_no=_metered_line(schedule, at, wish.line_no),
        quantity=wish.quantity,
        used_at=used_at,
        used_on=used_on,
    )


def _must_be_served(schedule: Schedule, at: int, day: date) -> None:
    """Usage of other days would never be billed. That of a period which is billed already comes with the next one."""
    begins, ends = schedule.timeline.starts_on, schedule.timeline.ends_before
    if day < begins:
        raise invalid(f"records[{at}].used_at", "too_early", f"Service begins on {begins.isoformat()}.")
    if ends is not None and day >= ends:
        last = (ends - timedelta(days=1)).isoformat()
        raise invalid(f"records[{at}].used_at", "too_late", f"The last day of service is {last}.")


def _metered_line(schedule: Schedule, at: int, line_no: int) -> int:
    metered = [line.line_no for line in schedule.terms.lines if line.metered]
    if line_no == 0 and len(metered) == 1:
        return metered[0]
    if line_no not in metered:
        raise invalid(f"records[{at}].line_no", "metered", "Name a metered line of this schedule.")
    return line_no

"""Change what is not money about a schedule."""

from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from chassis.database import Database, WriteTx
from services.invoicing.domain.customer import Customer
from services.invoicing.domain.subscription import Schedule
from services.invoicing.operations.find_schedule import change_by_itself
from services.invoicing.translate.schedule_events import schedule_changed
from tallyport.invoicing.v1 import events_pb2
from tallyport.invoicing.v1 import schedules_pb2 as pb


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleChanges:
    """Fields that change, by name; the last day apart, since None means without end."""

    fields: dict[str, Any]
    changes_last_day: bool
    last_day: date | None


async def update_schedule(db: Database, schedule_id: str, changes: ScheduleChanges) -> pb.Schedule:
    """The schedule as it is then. SCHEDULE_OVER once it has made its last invoice."""

    async def change(tx: WriteTx, schedule: Schedule, customer: Customer) -> Schedule:
        schedule.must_be_live()
        after = replace(schedule, **changes.fields, version=schedule.version + 1)
        if changes.changes_last_day:
            after = after.ending(changes.last_day, schedule.today(tx.now()))
        return schedule_changed(tx, after, customer, events_pb2.SCHEDULE_CHANGE_KIND_DETAILS)

    return await change_by_itself(db, schedule_id, "schedule.updated", change)

"""Pause a schedule, and resume it. Days of a pause cost nothing."""

from chassis.database import Database, WriteTx
from services.invoicing.domain.customer import Customer
from services.invoicing.domain.subscription import Schedule
from services.invoicing.operations.find_schedule import change_by_itself
from services.invoicing.translate.schedule_events import schedule_changed
from tallyport.invoicing.v1 import events_pb2
from tallyport.invoicing.v1 import schedules_pb2 as pb


async def pause_schedule(db: Database, schedule_id: str) -> pb.Schedule:
    """From today. SCHEDULE_NOT_ACTIVE unless it runs."""

    async def change(tx: WriteTx, schedule: Schedule, customer: Customer) -> Schedule:
        today = schedule.today(tx.now())
        return schedule_changed(
            tx, schedule.paused(today), customer, events_pb2.SCHEDULE_CHANGE_KIND_PAUSED, effective_on=today
        )

    return await change_by_itself(db, schedule_id, "schedule.paused", change)


async def resume_schedule(db: Database, schedule_id: str) -> pb.Schedule:
    """From today. SCHEDULE_NOT_PAUSED unless it is."""

    async def change(tx: WriteTx, schedule: Schedule, customer: Customer) -> Schedule:
        today = schedule.today(tx.now())
        return schedule_changed(
            tx, schedule.resumed(today), customer, events_pb2.SCHEDULE_CHANGE_KIND_RESUMED,
            effective_on=today,
        )  # fmt: skip

    return await change_by_itself(db, schedule_id, "schedule.resumed", change)

"""Cancel a schedule: today, or when the period is over."""

from chassis.database import Database, WriteTx
from chassis.errors import Kind, ServiceError
from services.invoicing.domain.customer import Customer
from services.invoicing.domain.subscription import Schedule
from services.invoicing.operations.find_schedule import change_by_itself
from services.invoicing.operations.visibility import own_customer_id
from services.invoicing.translate.schedule_events import schedule_changed
from tallyport.invoicing.v1 import events_pb2
from tallyport.invoicing.v1 import schedules_pb2 as pb


async def cancel_schedule(db: Database, schedule_id: str, *, now: bool, reason: str) -> pb.Schedule:
    """Customers only where the schedule allows it, and at the end of the period. CANCELLATION_NOT_OFFERED."""

    async def change(tx: WriteTx, schedule: Schedule, customer: Customer) -> Schedule:
        if own_customer_id() is not None and (now or not schedule.customer_may_cancel):
            raise ServiceError(
                Kind.FAILED_PRECONDITION, "CANCELLATION_NOT_OFFERED",
                "This cannot be canceled here. Please write to us.", schedule_id=schedule_id,
            )  # fmt: skip
        after = schedule.canceled(schedule.today(tx.now()), now=now, reason=reason)
        return schedule_changed(
            tx, after, customer, events_pb2.SCHEDULE_CHANGE_KIND_CANCELED,
            effective_on=after.timeline.canceled_from,
        )  # fmt: skip

    return await change_by_itself(db, schedule_id, "schedule.canceled", change)

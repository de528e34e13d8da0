"""Change a quantity; the next invoice sets right by days what was billed otherwise."""

from datetime import date
from decimal import Decimal

from chassis.database import Database, WriteTx
from chassis.idempotency import once
from services.invoicing.domain.customer import Customer
from services.invoicing.domain.subscription import Schedule
from services.invoicing.operations.find_schedule import change_schedule
from services.invoicing.translate.schedule_events import schedule_changed
from tallyport.invoicing.v1 import events_pb2
from tallyport.invoicing.v1 import schedules_pb2 as pb


async def change_schedule_quantity(
    db: Database, schedule_id: str, line_no: int, quantity: Decimal, effective_on: date | None
) -> pb.Schedule:
    """The schedule as it is then. VALIDATION_FAILED for a day before the current period."""

    async def change(tx: WriteTx, schedule: Schedule, customer: Customer) -> Schedule:
        day = effective_on or schedule.today(tx.now())
        after = schedule.with_quantity(line_no, quantity, day)
        return schedule_changed(
            tx, after, customer, events_pb2.SCHEDULE_CHANGE_KIND_QUANTITY, effective_on=day
        )

    async def work(tx: WriteTx) -> pb.Schedule:
        return await change_schedule(tx, schedule_id, "schedule.quantity_changed", change)

    return await once(db, pb.Schedule, work)

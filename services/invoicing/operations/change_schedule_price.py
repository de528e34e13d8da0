"""Change a price with the notice that the customer was promised."""

from datetime import date

from chassis.database import Database, WriteTx
from chassis.idempotency import once
from chassis.money import Money
from services.invoicing.domain.customer import Customer
from services.invoicing.domain.schedule_billing import price_of
from services.invoicing.domain.subscription import Schedule
from services.invoicing.operations.find_schedule import change_schedule
from services.invoicing.translate.schedule_events import price_changed
from tallyport.invoicing.v1 import schedules_pb2 as pb


async def change_schedule_price(
    db: Database, schedule_id: str, line_no: int, price: Money, effective_on: date | None
) -> pb.Schedule:
    """Counts from the first period that begins on the day or after it. PRICE_CHANGE_TOO_SOON."""

    async def change(tx: WriteTx, schedule: Schedule, customer: Customer) -> Schedule:
        today = schedule.today(tx.now())
        day = effective_on or schedule.earliest_price_change(today)
        old = price_of(schedule.terms, schedule.line(line_no), schedule.timeline.period_of(today))
        after = schedule.with_price(line_no, price, day, today)
        return price_changed(tx, after, customer, line_no, old, day)

    async def work(tx: WriteTx) -> pb.Schedule:
        return await change_schedule(tx, schedule_id, "schedule.price_changed", change)

    return await once(db, pb.Schedule, work)

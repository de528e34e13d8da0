"""Find a schedule that the caller may see, and change one."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import date

from chassis import audit
from chassis.caller import current_call
from chassis.database import Database, ReadTx, WriteTx
from chassis.errors import ServiceError, not_found
from services.invoicing.domain.customer import Customer
from services.invoicing.domain.subscription import Schedule
from services.invoicing.operations.visibility import must_see_customer, own_customer_id
from services.invoicing.store import schedules
from services.invoicing.store.customers import get_customer
from services.invoicing.translate.schedules import Shown, to_proto_schedule
from tallyport.invoicing.v1 import schedules_pb2 as pb

Change = Callable[[WriteTx, Schedule, Customer], Awaitable[Schedule]]
"""What is done to a locked schedule; returns it as it is then, with its events counted."""


@dataclass(frozen=True, slots=True)
class Found:
    """A schedule and its customer."""

    schedule: Schedule
    customer: Customer

    def shown(self, today: date) -> Shown:
        return Shown(self.schedule, self.customer.name, today, for_staff=own_customer_id() is None)


async def find_schedule(tx: ReadTx, schedule_id: str) -> Found:
    """SCHEDULE_NOT_FOUND for one that the caller may not see, as if it did not exist."""
    schedule = await schedules.get_schedule(tx, schedule_id)
    await must_see_schedule(tx, schedule)
    return Found(schedule, await get_customer(tx, schedule.customer_id))


async def must_see_schedule(tx: ReadTx, schedule: Schedule) -> None:
    """Customers see their own and those of customers below them, staff all."""
    if own_customer_id() is None:
        return
    try:
        await must_see_customer(tx, schedule.customer_id)
    except ServiceError:
        raise not_found("schedule") from None


async def change_schedule(tx: WriteTx, schedule_id: str, action: str, change: Change) -> pb.Schedule:
    """Lock a schedule, change it, write and audit it; the answer is as it is then."""
    schedule = await schedules.lock_schedule(tx, schedule_id)
    assert schedule is not None
    await must_see_schedule(tx, schedule)
    customer = await get_customer(tx, schedule.customer_id)
    today = schedule.today(tx.now())
    after = await change(tx, schedule, customer)
    await schedules.update_schedule(tx, after)
    if len(after.terms.changes) > len(schedule.terms.changes):
        await schedules.insert_change(tx, after, current_call().actor)
    for_staff = own_customer_id() is None
    answer = to_proto_schedule(Shown(after, customer.name, today, for_staff=for_staff))
    audit.record(
        tx, action, schedule_id,
        before=to_proto_schedule(Shown(schedule, customer.name, today)).SerializeToString(deterministic=True),
        after=answer.SerializeToString(deterministic=True),
    )  # fmt: skip
    return answer


async def change_by_itself(db: Database, schedule_id: str, action: str, change: Change) -> pb.Schedule:
    """The same in a transaction of its own."""

    async def work(tx: WriteTx) -> pb.Schedule:
        return await change_schedule(tx, schedule_id, action, change)

    return await db.run_write(current_call().organization_id, work)

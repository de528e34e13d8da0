"""What tests of schedules do: make one, let days pass, look at what was made."""

from datetime import UTC, datetime, timedelta
from typing import Any, cast

from chassis.clock import FrozenClock
from services.invoicing.operations.run_schedules import run_schedules
from tallyport.invoicing.v1 import invoices_pb2
from tallyport.invoicing.v1 import schedules_pb2 as pb
from tests.service.invoicing.office import Office, usd

MONTHLY = pb.ScheduleRule(unit=pb.SCHEDULE_UNIT_MONTH)


def line(description: str = "Fibre 500", cents: int = 3_000, **fields: Any) -> pb.ScheduleLineInput:
    return pb.ScheduleLineInput(description=description, unit_price=usd(cents), **fields)


async def schedule(office: Office, customer_id: str, **fields: Any) -> pb.Schedule:
    """A schedule of one line that begins today, by the month."""
    wanted: dict[str, Any] = {"name": "Fibre", "rule": MONTHLY, "lines": [line()], **fields}
    request = pb.CreateScheduleRequest(customer_id=customer_id, **wanted)
    return await office.call(office.schedules.CreateSchedule, request)


async def read(office: Office, schedule_id: str) -> pb.Schedule:
    return await office.call(office.schedules.GetSchedule, pb.GetScheduleRequest(schedule_id=schedule_id))


async def made(office: Office, schedule_id: str) -> list[pb.ScheduledInvoice]:
    """What became of the periods, the first one first."""
    request = pb.ListScheduleInvoicesRequest(schedule_id=schedule_id, page_size=100)
    answer = await office.call(office.schedules.ListScheduleInvoices, request)
    return list(reversed(answer.invoices))


async def invoices(office: Office, schedule_id: str) -> list[invoices_pb2.Invoice]:
    """The invoices it made, the first one first."""
    return [await office.read(one.invoice_id) for one in await made(office, schedule_id) if one.invoice_id]


async def preview(office: Office, schedule_id: str, count: int = 3) -> list[pb.UpcomingInvoice]:
    request = pb.PreviewUpcomingRequest(schedule_id=schedule_id, count=count)
    return list((await office.call(office.schedules.PreviewUpcoming, request)).invoices)


def set_clock(office: Office, text: str) -> None:
    """Turn the office's clock to a moment in UTC."""
    at = datetime.fromisoformat(text).replace(tzinfo=UTC)
    clock = cast(FrozenClock, office.db.clock)
    clock.advance(at - clock.now())


async def run(office: Office) -> None:
    """What the worker does now."""
    await run_schedules(office.db, limit=100)


async def pass_days(office: Office, days: int) -> None:
    """Let days pass, with a worker that looks every day."""
    for _ in range(days):
        office.clock.advance(timedelta(days=1))
        await run(office)

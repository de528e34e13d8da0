"""Usage by its day: what is taken is billed, what would never be billed is refused."""

from datetime import timedelta

import pytest
from google.protobuf.timestamp_pb2 import Timestamp

from chassis.errors import ServiceError
from tallyport.invoicing.v1 import schedules_pb2 as pb
from tests.service.invoicing.office import Office, usd
from tests.service.invoicing.schedules import desk


async def report(office: Office, schedule_id: str, name: str, used_at: Timestamp | None = None) -> None:
    records = [pb.UsageInput(external_id=name, quantity="5", used_at=used_at)]
    request = pb.ReportUsageRequest(schedule_id=schedule_id, records=records)
    await office.call(office.schedules.ReportUsage, request)


async def test_usage_that_no_period_would_bill_is_refused(office: Office) -> None:
    customer = await office.customer()
    today = office.clock.now().date()
    starts, ends = today + timedelta(days=5), today + timedelta(days=34)
    made = await desk.schedule(
        office,
        customer.customer_id,
        timing=pb.SCHEDULE_TIMING_ARREARS,
        rule=pb.ScheduleRule(
            unit=pb.SCHEDULE_UNIT_DAY, every=30, starts_on=starts.isoformat(), ends_on=ends.isoformat()
        ),
        lines=[pb.ScheduleLineInput(description="Calls", metered=True, unit_price=usd(10))],
    )
    with pytest.raises(ServiceError) as early:
        await report(office, made.schedule_id, "before service")
    assert [(one.field, one.code) for one in early.value.fields] == [("records[0].used_at", "too_early")]
    await desk.pass_days(office, 34)
    await report(office, made.schedule_id, "in service")
    office.clock.advance(timedelta(days=1))
    with pytest.raises(ServiceError) as late:
        await report(office, made.schedule_id, "after service")
    assert [(one.field, one.code) for one in late.value.fields] == [("records[0].used_at", "too_late")]
    await desk.run(office)
    assert [one.total.minor_units for one in await desk.invoices(office, made.schedule_id)] == [50]


async def test_usage_of_a_period_that_is_billed_comes_with_the_next_invoice(office: Office) -> None:
    customer = await office.customer()
    lines = [desk.line(), pb.ScheduleLineInput(description="Calls", metered=True, unit_price=usd(10))]
    made = await desk.schedule(office, customer.customer_id, lines=lines)
    used_at = Timestamp()
    used_at.FromDatetime(office.clock.now())
    await desk.pass_days(office, 31)
    await report(office, made.schedule_id, "late", used_at)
    await desk.pass_days(office, 31)
    totals = [one.total.minor_units for one in await desk.invoices(office, made.schedule_id)]
    assert totals == [3_000, 3_000, 3_050]

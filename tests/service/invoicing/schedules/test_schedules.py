"""Schedules on a real database: each period one invoice, as the preview said, whoever looks and whenever."""

import asyncio
from datetime import date
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from chassis.database import Database, WriteTx
from chassis.errors import ServiceError
from services.invoicing.domain.subscription import Outcome
from services.invoicing.store.schedules import ScheduledInvoice, insert_scheduled_invoice
from tallyport.invoicing.v1 import customers_pb2, events_pb2, invoices_pb2
from tallyport.invoicing.v1 import schedules_pb2 as pb
from tests.service.invoicing.office import Office, usd
from tests.service.invoicing.schedules import desk
from tests.support.database import DatabaseUrls


async def test_a_year_makes_just_what_the_preview_said(office: Office) -> None:
    customer = await office.customer()
    rule = pb.ScheduleRule(unit=pb.SCHEDULE_UNIT_MONTH, anchor_day=31, max_periods=12)
    lines = [desk.line(tax_rate_percent="8.875"), desk.line("Seats", 1_250, quantity="3")]
    made = await desk.schedule(office, customer.customer_id, rule=rule, lines=lines)
    shown = await desk.preview(office, made.schedule_id, 20)
    await desk.run(office)
    await desk.pass_days(office, 370)
    found = await desk.invoices(office, made.schedule_id)
    assert len(found) == 12
    assert [(one.invoice_date, one.period_start, one.period_end, one.total.minor_units) for one in found] == [
        (one.invoice_on, one.period_start, one.period_end, one.total.minor_units) for one in shown
    ]
    assert found[1].invoice_date == "2026-11-30"
    assert (await desk.read(office, made.schedule_id)).status == pb.SCHEDULE_STATUS_ENDED
    assert await office.wrongs() == []


async def test_two_workers_at_once_make_one_invoice(office: Office, invoicing_urls: DatabaseUrls) -> None:
    customer = await office.customer()
    made = [await desk.schedule(office, customer.customer_id) for _ in range(5)]
    other = Database(invoicing_urls.app, pool_size=4, name="invoicing", clock=office.clock)
    await other.open()
    try:
        elsewhere = Office(other, office.organization_id)
        await asyncio.gather(*(desk.run(one) for one in (office, elsewhere) * 4))
    finally:
        await other.close()
    for one in made:
        assert [invoice.outcome for invoice in await desk.made(office, one.schedule_id)] == [
            pb.SCHEDULED_OUTCOME_FINALIZED
        ]
    assert len((await office.list_invoices(customer_id=customer.customer_id)).invoices) == 5


async def test_the_database_refuses_a_second_invoice_of_a_period(office: Office) -> None:
    customer = await office.customer()
    made = await desk.schedule(office, customer.customer_id)
    await desk.run(office)
    (first,) = await desk.made(office, made.schedule_id)

    async def again(tx: WriteTx) -> None:
        twin = ScheduledInvoice(
            period_start=date.fromisoformat(first.period_start), period_end=date(2026, 12, 20), number=9,
            invoice_on=date(2026, 11, 21), outcome=Outcome.FINALIZED, invoice_id=first.invoice_id,
            made_at=tx.now(),
        )  # fmt: skip
        await insert_scheduled_invoice(tx, made.schedule_id, twin)

    with pytest.raises(IntegrityError):
        await office.db.run_write(office.organization_id, again)


async def test_after_months_of_downtime_each_missed_period_is_made_once(office: Office) -> None:
    customer = await office.customer()
    made = await desk.schedule(office, customer.customer_id)
    desk.set_clock(office, "2027-03-01T12:00")
    await desk.run(office)
    await desk.run(office)
    found = await desk.made(office, made.schedule_id)
    assert [one.period_start for one in found] == [
        "2026-11-21", "2026-12-21", "2027-01-21", "2027-02-21"
    ]  # fmt: skip
    dates = {invoice.invoice_date for invoice in await desk.invoices(office, made.schedule_id)}
    assert dates == {"2027-03-01"}


async def test_an_invoice_comes_at_midnight_of_the_customers_zone(office: Office) -> None:
    customer = await office.customer()
    made = await desk.schedule(office, customer.customer_id, time_zone="Asia/Tokyo")
    assert made.rule.starts_on == "2026-11-22"  # it is tomorrow there already
    await desk.run(office)
    desk.set_clock(office, "2026-12-21T14:59:59")
    await desk.run(office)
    assert len(await desk.made(office, made.schedule_id)) == 1
    desk.set_clock(office, "2026-12-21T15:00:00")
    await desk.run(office)
    assert len(await desk.made(office, made.schedule_id)) == 2


async def test_more_and_fewer_seats_are_set_right_to_the_cent_on_the_next_invoice(office: Office) -> None:
    customer = await office.customer()
    lines = [desk.line("Seats", 1_000, quantity="10")]
    made = await desk.schedule(office, customer.customer_id, lines=lines)
    await desk.run(office)
    desk.set_clock(office, "2026-12-01T12:00")  # 10 of 30 days are over
    request = pb.ChangeScheduleQuantityRequest(schedule_id=made.schedule_id, line_no=1, quantity="7")
    changed = await office.call(office.schedules.ChangeScheduleQuantity, request)
    assert changed.lines[0].quantity == "7"
    shown = await desk.preview(office, made.schedule_id, 1)
    desk.set_clock(office, "2026-12-21T12:00")
    await desk.run(office)
    _, second = await desk.invoices(office, made.schedule_id)
    assert [one.amount.minor_units for one in second.lines] == [7_000, -2_000]
    assert second.total.minor_units == shown[0].total.minor_units == 5_000


async def test_usage_is_counted_once_and_billed_when_its_period_is_over(office: Office) -> None:
    customer = await office.customer()
    tiers = [
        pb.ScheduleTier(up_to="100", unit_price=usd(10)), pb.ScheduleTier(unit_price=usd(5)),
    ]  # fmt: skip
    lines = [desk.line(), pb.ScheduleLineInput(description="Calls", metered=True, tiers=tiers)]
    made = await desk.schedule(office, customer.customer_id, lines=lines)
    await desk.run(office)
    records = [pb.UsageInput(external_id=f"u{at}", quantity="60") for at in range(2)]
    request = pb.ReportUsageRequest(schedule_id=made.schedule_id, records=records)
    first = await office.call(office.schedules.ReportUsage, request)
    again = await office.call(office.schedules.ReportUsage, request)
    assert (first.recorded, again.recorded, again.repeated_count) == (2, 0, 2)
    shown = await desk.preview(office, made.schedule_id, 2)
    await desk.pass_days(office, 61)
    found = await desk.invoices(office, made.schedule_id)
    assert [one.total.minor_units for one in found] == [3_000, 4_100, 3_000]
    assert [one.total.minor_units for one in shown] == [4_100, 3_000]
    listed = await office.call(office.schedules.ListUsage, pb.ListUsageRequest(schedule_id=made.schedule_id))
    assert [one.billed for one in listed.records] == [True, True]


async def test_a_price_changes_with_notice_and_the_customer_hears_of_it(office: Office) -> None:
    customer = await office.customer()
    made = await desk.schedule(office, customer.customer_id)
    await desk.run(office)
    request = pb.ChangeSchedulePriceRequest(
        schedule_id=made.schedule_id, line_no=1, unit_price=usd(3_500), effective_on="2026-12-20"
    )
    with pytest.raises(ServiceError) as refused:
        await office.call(office.schedules.ChangeSchedulePrice, request)
    assert refused.value.reason == "PRICE_CHANGE_TOO_SOON"
    request.effective_on = "2026-12-21"
    changed = await office.call(office.schedules.ChangeSchedulePrice, request)
    assert changed.pending_changes[0].unit_price == usd(3_500)
    await desk.pass_days(office, 31)
    totals = [one.total.minor_units for one in await desk.invoices(office, made.schedule_id)]
    assert totals == [3_000, 3_500]
    told = [one for one in await office.events(events_pb2.ScheduleChanged) if one.HasField("new_unit_price")]
    assert [(one.old_unit_price, one.new_unit_price, one.effective_on) for one in told] == [
        (usd(3_000), usd(3_500), "2026-12-21")
    ]


async def test_days_of_a_pause_cost_nothing(office: Office) -> None:
    customer = await office.customer()
    made = await desk.schedule(office, customer.customer_id)
    await desk.run(office)
    desk.set_clock(office, "2026-12-06T12:00")  # 15 of 30 days
    await office.call(office.schedules.PauseSchedule, pb.PauseScheduleRequest(schedule_id=made.schedule_id))
    await desk.pass_days(office, 30)  # the second period passes without an invoice until 5 January
    paused = await desk.read(office, made.schedule_id)
    assert (paused.status, paused.credit) == (pb.SCHEDULE_STATUS_PAUSED, usd(1_500))
    await office.call(office.schedules.ResumeSchedule, pb.ResumeScheduleRequest(schedule_id=made.schedule_id))
    await desk.pass_days(office, 20)
    found = await desk.made(office, made.schedule_id)
    assert [one.outcome for one in found] == [
        pb.SCHEDULED_OUTCOME_FINALIZED, pb.SCHEDULED_OUTCOME_NOTHING, pb.SCHEDULED_OUTCOME_FINALIZED
    ]  # fmt: skip
    last = (await desk.invoices(office, made.schedule_id))[-1]
    # 16 of 31 days of the period that was paused at first, less the credit.
    assert sorted(one.amount.minor_units for one in last.lines) == [-1_500, 1_548, 3_000]


async def test_a_customer_may_cancel_at_the_end_of_the_period_where_it_is_allowed(office: Office) -> None:
    customer = await office.customer()
    person = office.person_of(customer.customer_id)
    fixed = await desk.schedule(office, customer.customer_id)
    free = await desk.schedule(office, customer.customer_id, customer_may_cancel=True)
    await desk.run(office)
    for schedule_id, now in ((fixed.schedule_id, False), (free.schedule_id, True)):
        request = pb.CancelScheduleRequest(schedule_id=schedule_id, now=now)
        with pytest.raises(ServiceError) as refused:
            await office.call(office.schedules.CancelSchedule, request, as_=person)
        assert refused.value.reason == "CANCELLATION_NOT_OFFERED"
    request = pb.CancelScheduleRequest(schedule_id=free.schedule_id, reason="Moving")
    canceled = await office.call(office.schedules.CancelSchedule, request, as_=person)
    assert (canceled.status, canceled.service_ends_on) == (pb.SCHEDULE_STATUS_ACTIVE, "2026-12-20")
    await desk.pass_days(office, 40)
    assert len(await desk.invoices(office, free.schedule_id)) == 1
    assert (await desk.read(office, free.schedule_id)).status == pb.SCHEDULE_STATUS_CANCELED


async def test_canceling_today_gives_back_the_days_that_were_billed_by_a_credit_note(office: Office) -> None:
    customer = await office.customer()
    lines = [desk.line(tax_rate_percent="10")]
    made = await desk.schedule(office, customer.customer_id, lines=lines)
    await desk.run(office)
    desk.set_clock(office, "2026-12-01T12:00")  # 10 of 30 days
    request = pb.CancelScheduleRequest(schedule_id=made.schedule_id, now=True)
    await office.call(office.schedules.CancelSchedule, request)
    await desk.run(office)
    after = await desk.read(office, made.schedule_id)
    assert (after.status, after.credit) == (pb.SCHEDULE_STATUS_CANCELED, usd(0))
    (invoice,) = await desk.invoices(office, made.schedule_id)
    assert (invoice.total, invoice.amount_credited, invoice.amount_due) == (
        usd(3_300),
        usd(2_200),
        usd(1_100),
    )
    assert await office.wrongs() == []


async def test_a_customer_on_hold_gets_a_draft_and_staff_hear_of_it(office: Office) -> None:
    customer = await office.customer()
    made = await desk.schedule(office, customer.customer_id)
    hold = customers_pb2.SetCustomerHoldRequest(
        customer_id=customer.customer_id, on_hold=True, reason="Unpaid"
    )
    await office.call(office.customers.SetCustomerHold, hold)
    await desk.run(office)
    (only,) = await desk.made(office, made.schedule_id)
    assert only.outcome == pb.SCHEDULED_OUTCOME_DRAFT
    draft = await office.read(only.invoice_id)
    assert (draft.status, draft.schedule_id) == (invoices_pb2.INVOICE_STATUS_DRAFT, made.schedule_id)
    (told,) = await office.events(events_pb2.InvoiceWaiting)
    assert (told.reason, told.refusal) == (events_pb2.INVOICE_WAIT_REASON_HOLD, "CUSTOMER_ON_HOLD")
    with pytest.raises(ServiceError, match="CUSTOMER_ON_HOLD"):
        await desk.schedule(office, customer.customer_id)


async def test_what_is_upcoming_is_announced_once_so_many_days_ahead(office: Office) -> None:
    customer = await office.customer()
    await desk.schedule(office, customer.customer_id, upcoming_notice_days=5)
    await desk.run(office)
    assert await office.events(events_pb2.InvoiceUpcoming) == []
    await desk.pass_days(office, 30)
    (told,) = await office.events(events_pb2.InvoiceUpcoming)
    assert (told.invoice_on, told.total) == ("2026-12-21", usd(3_000))


async def test_the_calendar_is_the_queue_of_the_scheduler(office: Office, other_office: Office) -> None:
    customer = await office.customer()
    for days in (0, 3, 11):
        rule = pb.ScheduleRule(
            unit=pb.SCHEDULE_UNIT_WEEK, starts_on=f"2026-11-{21 + days if days < 9 else 30}"
        )
        await desk.schedule(office, customer.customer_id, rule=rule)
    stranger = await other_office.customer()
    await desk.schedule(other_office, stranger.customer_id)
    async with office.db.read(office.organization_id) as tx:
        queue = await tx.execute(
            text("SELECT next_due_at FROM schedules WHERE organization_id = :id ORDER BY 1"),
            {"id": office.organization_id},
        )
        due = [row.next_due_at for row in queue]
    calendar, token = list[pb.UpcomingInvoice](), ""
    while True:
        request = pb.ListUpcomingRequest(until="2026-12-06", page_size=2, page_token=token)
        page = await office.call(office.schedules.ListUpcoming, request)
        calendar, token = calendar + list(page.invoices), page.next_page_token
        if not token:
            break
    firsts: dict[str, Any] = {}
    for one in calendar:
        firsts.setdefault(one.schedule_id, one.due_at.ToDatetime(tzinfo=due[0].tzinfo))
    assert sorted(firsts.values()) == due
    assert len(calendar) == 3 + 2 + 1
    assert calendar == sorted(calendar, key=lambda one: one.invoice_on)


async def test_a_schedule_that_fails_says_why_stops_no_other_and_is_tried_again(office: Office) -> None:
    customer = await office.customer()
    bad = await desk.schedule(office, customer.customer_id)
    good = await desk.schedule(office, customer.customer_id)
    async with office.db.write(office.organization_id) as tx:
        await tx.execute(
            text("UPDATE schedules SET currency = 'EUR' WHERE organization_id = :o AND schedule_id = :s"),
            {"o": office.organization_id, "s": bad.schedule_id},
        )
    await desk.run(office)
    assert len(await desk.made(office, good.schedule_id)) == 1
    assert "VALIDATION_FAILED" in (await desk.read(office, bad.schedule_id)).failure
    async with office.db.write(office.organization_id) as tx:
        await tx.execute(
            text("UPDATE schedules SET currency = 'USD' WHERE organization_id = :o AND schedule_id = :s"),
            {"o": office.organization_id, "s": bad.schedule_id},
        )
    await desk.pass_days(office, 1)
    assert len(await desk.made(office, bad.schedule_id)) == 1
    assert (await desk.read(office, bad.schedule_id)).failure == ""


async def test_customers_see_their_own_schedules_only(office: Office) -> None:
    customer, neighbour = await office.customer(), await office.customer(name="Neighbour")
    made = await desk.schedule(office, customer.customer_id)
    request = pb.GetScheduleRequest(schedule_id=made.schedule_id)
    own = await office.call(office.schedules.GetSchedule, request, as_=office.person_of(customer.customer_id))
    assert own.schedule_id == made.schedule_id
    stranger = office.person_of(neighbour.customer_id)
    with pytest.raises(ServiceError) as refused:
        await office.call(office.schedules.GetSchedule, request, as_=stranger)
    assert refused.value.reason == "SCHEDULE_NOT_FOUND"
    listed = await office.call(office.schedules.ListSchedules, pb.ListSchedulesRequest(), as_=stranger)
    assert not listed.schedules

"""Schedules, what they made and what is to come."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from services.invoicing.domain.pricing import Line, Totals
from services.invoicing.domain.schedule import Timing, Unit, start_of
from services.invoicing.domain.schedule_billing import (
    Change,
    ChangeKind,
    PlannedInvoice,
    ScheduleLine,
    price_of,
    quantity_on,
)
from services.invoicing.domain.subscription import Outcome, Schedule, Status
from services.invoicing.store.schedules import ScheduledInvoice
from services.invoicing.store.usage import UsageRecord
from services.invoicing.translate.values import to_proto_decimal, to_proto_money, to_proto_time
from tallyport.invoicing.v1 import invoices_pb2
from tallyport.invoicing.v1 import schedules_pb2 as pb

_STATUS: Mapping[Status, pb.ScheduleStatus.ValueType] = {
    Status.ACTIVE: pb.SCHEDULE_STATUS_ACTIVE,
    Status.PAUSED: pb.SCHEDULE_STATUS_PAUSED,
    Status.CANCELED: pb.SCHEDULE_STATUS_CANCELED,
    Status.ENDED: pb.SCHEDULE_STATUS_ENDED,
}
_UNIT: Mapping[Unit, pb.ScheduleUnit.ValueType] = {
    Unit.DAY: pb.SCHEDULE_UNIT_DAY,
    Unit.WEEK: pb.SCHEDULE_UNIT_WEEK,
    Unit.MONTH: pb.SCHEDULE_UNIT_MONTH,
    Unit.YEAR: pb.SCHEDULE_UNIT_YEAR,
}
_TIMING: Mapping[Timing, pb.ScheduleTiming.ValueType] = {
    Timing.ADVANCE: pb.SCHEDULE_TIMING_ADVANCE,
    Timing.ARREARS: pb.SCHEDULE_TIMING_ARREARS,
}
_OUTCOME: Mapping[Outcome, pb.ScheduledOutcome.ValueType] = {
    Outcome.FINALIZED: pb.SCHEDULED_OUTCOME_FINALIZED,
    Outcome.DRAFT: pb.SCHEDULED_OUTCOME_DRAFT,
    Outcome.NOTHING: pb.SCHEDULED_OUTCOME_NOTHING,
    Outcome.COVERED: pb.SCHEDULED_OUTCOME_COVERED,
}
UNITS = {proto: unit for unit, proto in _UNIT.items()}
TIMINGS = {proto: timing for timing, proto in _TIMING.items()} | {
    pb.SCHEDULE_TIMING_UNSPECIFIED: Timing.ADVANCE
}
STATUSES = {proto: status for status, proto in _STATUS.items()}


@dataclass(frozen=True, slots=True)
class Shown:
    """A schedule as somebody looks at it on a day of its zone."""

    schedule: Schedule
    customer_name: str
    today: date
    for_staff: bool = True


def to_proto_schedule(shown: Shown) -> pb.Schedule:
    """Prices and quantities as they are today."""
    schedule, timeline = shown.schedule, shown.schedule.timeline
    next_on = timeline.billing_day(schedule.position.number) if schedule.is_live else None
    end = timeline.ends_before
    return pb.Schedule(
        schedule_id=schedule.schedule_id,
        customer_id=schedule.customer_id,
        customer_name=shown.customer_name,
        name=schedule.name,
        status=_STATUS[schedule.status],
        rule=_rule(schedule),
        lines=[_line(shown, line) for line in schedule.terms.lines],
        timing=_TIMING[schedule.terms.timing],
        review=schedule.review,
        time_zone=schedule.time_zone,
        upcoming_notice_days=schedule.upcoming_notice_days,
        price_notice_days=schedule.price_notice_days,
        customer_may_cancel=schedule.customer_may_cancel,
        purchase_order_number=schedule.purchase_order_number,
        memo=schedule.memo,
        external_id=schedule.external_id or "",
        currency=schedule.terms.currency,
        next_invoice_on=_day(next_on),
        trial_ends_on=_day(timeline.begins_on - timedelta(days=1) if timeline.trial_days else None),
        service_ends_on=_day(None if end is None else end - timedelta(days=1)),
        cancel_reason=schedule.cancel_reason,
        pending_changes=[_change(change) for change in _pending(schedule, shown.today)],
        credit=to_proto_money(schedule.credit),
        failure=schedule.failure if shown.for_staff else "",
        version=schedule.version,
        created_at=to_proto_time(schedule.created_at),
    )


def to_proto_scheduled_invoices(made: Iterable[ScheduledInvoice]) -> pb.ListScheduleInvoicesResponse:
    return pb.ListScheduleInvoicesResponse(
        invoices=[
            pb.ScheduledInvoice(
                period_start=one.period_start.isoformat(),
                period_end=one.period_end.isoformat(),
                invoice_on=one.invoice_on.isoformat(),
                outcome=_OUTCOME[one.outcome],
                invoice_id=one.invoice_id or "",
                made_at=to_proto_time(one.made_at),
            )
            for one in made
        ]
    )


def to_proto_upcoming(
    schedule: Schedule,
    planned: PlannedInvoice,
    *,
    customer_name: str,
    lines: Sequence[Line],
    sums: Totals,
    with_lines: bool,
) -> pb.UpcomingInvoice:
    """An invoice to come."""
    return pb.UpcomingInvoice(
        schedule_id=schedule.schedule_id,
        schedule_name=schedule.name,
        customer_id=schedule.customer_id,
        customer_name=customer_name,
        invoice_on=planned.invoice_on.isoformat(),
        period_start=planned.period_start.isoformat(),
        period_end=planned.period_end.isoformat(),
        lines=[_planned_line(line) for line in lines] if with_lines else [],
        subtotal=to_proto_money(sums.subtotal),
        total=to_proto_money(sums.total),
        more_by_usage=schedule.terms.is_metered,
        review=schedule.review,
        due_at=to_proto_time(start_of(planned.invoice_on, schedule.time_zone)),
    )


def to_proto_usage(
    page: Sequence[UsageRecord], unbilled: Mapping[int, Decimal], token: str
) -> pb.ListUsageResponse:
    return pb.ListUsageResponse(
        records=[
            pb.UsageRecord(
                external_id=record.external_id,
                line_no=record.line_no,
                quantity=to_proto_decimal(record.quantity),
                used_at=to_proto_time(record.used_at),
                billed=record.billed_number is not None,
            )
            for record in page
        ],
        unbilled=[
            pb.UsageSum(line_no=line_no, quantity=to_proto_decimal(quantity))
            for line_no, quantity in sorted(unbilled.items())
        ],
        next_page_token=token,
    )


def _rule(schedule: Schedule) -> pb.ScheduleRule:
    timeline = schedule.timeline
    recurrence = timeline.recurrence
    return pb.ScheduleRule(
        unit=_UNIT[recurrence.unit],
        every=recurrence.every,
        anchor_day=recurrence.anchor_day,
        anchor_weekday=recurrence.anchor_weekday,
        anchor_month=recurrence.anchor_month,
        starts_on=timeline.starts_on.isoformat(),
        trial_days=timeline.trial_days,
        ends_on=_day(timeline.last_day),
        max_periods=timeline.max_periods or 0,
    )


def _line(shown: Shown, line: ScheduleLine) -> pb.ScheduleLine:
    terms, timeline = shown.schedule.terms, shown.schedule.timeline
    price = price_of(terms, line, timeline.period_of(shown.today))
    return pb.ScheduleLine(
        line_no=line.line_no,
        item_id=line.item_id or "",
        description=line.description,
        metered=line.metered,
        quantity="" if line.metered else to_proto_decimal(quantity_on(terms, line, shown.today)),
        unit_price=to_proto_money(price),
        tax_rate_percent=("" if line.tax_rate_percent is None else to_proto_decimal(line.tax_rate_percent)),
        tiers=[
            pb.ScheduleTier(
                up_to="" if tier.up_to is None else to_proto_decimal(tier.up_to),
                unit_price=to_proto_money(tier.unit_price),
            )
            for tier in line.tiers
        ],
    )


def _pending(schedule: Schedule, today: date) -> list[Change]:
    kinds = (ChangeKind.PRICE, ChangeKind.QUANTITY)
    found = [
        change for change in schedule.terms.changes if change.kind in kinds and change.effective_on > today
    ]
    return sorted(found, key=lambda change: change.effective_on)


def _change(change: Change) -> pb.ScheduleChange:
    return pb.ScheduleChange(
        line_no=change.line_no,
        effective_on=change.effective_on.isoformat(),
        quantity="" if change.quantity is None else to_proto_decimal(change.quantity),
        unit_price=None if change.unit_price is None else to_proto_money(change.unit_price),
    )


def _planned_line(line: Line) -> invoices_pb2.InvoiceLine:
    return invoices_pb2.InvoiceLine(
        item_id=line.item_id or "",
        description=line.description,
        quantity=to_proto_decimal(line.quantity),
        unit_price=to_proto_money(line.unit_price),
        tax_rate_percent=to_proto_decimal(line.tax_rate_percent),
        amount=to_proto_money(line.amount),
        period_start=_day(line.period_start),
        period_end=_day(line.period_end),
    )


def _day(day: date | None) -> str:
    return day.isoformat() if day else ""

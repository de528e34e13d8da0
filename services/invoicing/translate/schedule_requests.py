"""What somebody asks of schedules."""

from collections.abc import Iterable
from datetime import UTC
from zoneinfo import available_timezones

from chassis.errors import invalid
from services.invoicing.domain.invoice_draft import LineDraft
from services.invoicing.domain.schedule import Recurrence
from services.invoicing.domain.schedule_billing import Tier
from services.invoicing.domain.subscription import DEFAULT_PRICE_NOTICE_DAYS
from services.invoicing.operations.create_schedule import LineWish, ScheduleWish
from services.invoicing.operations.report_usage import UsageWish
from services.invoicing.operations.update_schedule import ScheduleChanges
from services.invoicing.translate.schedules import TIMINGS, UNITS
from services.invoicing.translate.values import (
    from_proto_day,
    from_proto_decimal,
    from_proto_money,
    from_proto_text,
)
from tallyport.invoicing.v1 import schedules_pb2 as pb


def from_proto_schedule(request: pb.CreateScheduleRequest) -> ScheduleWish:
    rule = request.rule
    has_notice = request.HasField("price_notice_days")
    return ScheduleWish(
        customer_id=request.customer_id,
        name=from_proto_text("name", request.name),
        recurrence=Recurrence(
            UNITS[rule.unit], rule.every or 1, rule.anchor_day, rule.anchor_weekday, rule.anchor_month
        ),
        starts_on=from_proto_day("rule.starts_on", rule.starts_on),
        trial_days=rule.trial_days,
        last_day=from_proto_day("rule.ends_on", rule.ends_on),
        max_periods=rule.max_periods or None,
        lines=tuple(_lines(request.lines)),
        timing=TIMINGS[request.timing],
        review=request.review,
        time_zone=_zone(request.time_zone),
        upcoming_notice_days=request.upcoming_notice_days,
        price_notice_days=request.price_notice_days if has_notice else DEFAULT_PRICE_NOTICE_DAYS,
        customer_may_cancel=request.customer_may_cancel,
        purchase_order_number=from_proto_text("purchase_order_number", request.purchase_order_number),
        memo=from_proto_text("memo", request.memo),
        external_id=from_proto_text("external_id", request.external_id) or None,
    )


def from_proto_schedule_changes(request: pb.UpdateScheduleRequest) -> ScheduleChanges:
    given = {field.name for field, _ in request.ListFields()}
    plain = ("review", "upcoming_notice_days", "price_notice_days", "customer_may_cancel")
    fields = {name: getattr(request, name) for name in plain if name in given}
    for name in ("name", "purchase_order_number", "memo"):
        if name in given:
            fields[name] = from_proto_text(name, getattr(request, name))
    return ScheduleChanges(
        fields=fields,
        changes_last_day=request.HasField("ends_on"),
        last_day=from_proto_day("ends_on", request.ends_on),
    )


def from_proto_usage(records: Iterable[pb.UsageInput]) -> list[UsageWish]:
    return [
        UsageWish(
            external_id=from_proto_text(f"records[{at}].external_id", record.external_id),
            line_no=record.line_no,
            quantity=from_proto_decimal(record.quantity, "0"),
            used_at=record.used_at.ToDatetime(tzinfo=UTC) if record.HasField("used_at") else None,
        )
        for at, record in enumerate(records)
    ]


def _lines(inputs: Iterable[pb.ScheduleLineInput]) -> Iterable[LineWish]:
    for at, line in enumerate(inputs):
        price = (
            from_proto_money(f"lines[{at}].unit_price", line.unit_price)
            if line.HasField("unit_price")
            else None
        )
        yield LineWish(
            line=LineDraft(
                item_id=line.item_id,
                description=from_proto_text(f"lines[{at}].description", line.description),
                quantity=from_proto_decimal(line.quantity, "1"),
                unit_price=price,
                tax_rate_percent=(
                    from_proto_decimal(line.tax_rate_percent, "0") if line.tax_rate_percent else None
                ),
            ),
            metered=line.metered,
            tiers=tuple(
                _tier(f"lines[{at}].tiers[{number}]", tier) for number, tier in enumerate(line.tiers)
            ),
        )


def _tier(field: str, tier: pb.ScheduleTier) -> Tier:
    up_to = from_proto_decimal(tier.up_to, "0") if tier.up_to else None
    return Tier(up_to, from_proto_money(f"{field}.unit_price", tier.unit_price))


def _zone(name: str) -> str:
    """VALIDATION_FAILED for a zone that the tz database does not know."""
    if name and name not in available_timezones():
        raise invalid("time_zone", "time_zone", "There is no such time zone.")
    return name

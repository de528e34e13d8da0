"""Triggers."""

from datetime import UTC, datetime

from services.invoicing.domain.trigger import Trigger, TriggerLine
from services.invoicing.store.triggers import ReportedEvent
from services.invoicing.translate.values import (
    from_proto_decimal,
    from_proto_money,
    from_proto_text,
    to_proto_decimal,
    to_proto_money,
    to_proto_time,
)
from tallyport.invoicing.v1 import schedules_pb2 as pb

_NOT_YET = datetime.min.replace(tzinfo=UTC)


def from_proto_trigger(request: pb.CreateTriggerRequest) -> Trigger:
    """A trigger without id and time of making, which the operation gives it."""
    return Trigger(
        trigger_id="",
        name=from_proto_text("name", request.name),
        event_name=request.event_name,
        customer_id=request.customer_id or None,
        customer_field=from_proto_text("customer_field", request.customer_field),
        lines=tuple(_from_proto_line(at, line) for at, line in enumerate(request.lines)),
        review=request.review,
        enabled=True,
        created_at=_NOT_YET,
    )


def to_proto_trigger(trigger: Trigger) -> pb.Trigger:
    return pb.Trigger(
        trigger_id=trigger.trigger_id,
        name=trigger.name,
        event_name=trigger.event_name,
        customer_id=trigger.customer_id or "",
        customer_field=trigger.customer_field,
        lines=[_to_proto_line(line) for line in trigger.lines],
        review=trigger.review,
        enabled=trigger.enabled,
        created_at=to_proto_time(trigger.created_at),
    )


def to_proto_trigger_event(event: ReportedEvent) -> pb.TriggerEvent:
    return pb.TriggerEvent(
        external_id=event.external_id,
        event_name=event.event_name,
        fields=event.fields,
        invoice_ids=event.invoice_ids,
        reported_at=to_proto_time(event.reported_at),
    )


def _from_proto_line(at: int, line: pb.TriggerLine) -> TriggerLine:
    has_price = line.HasField("unit_price")
    return TriggerLine(
        description=from_proto_text(f"lines[{at}].description", line.description),
        quantity=from_proto_decimal(line.quantity, "1"),
        quantity_field=line.quantity_field,
        unit_price=from_proto_money(f"lines[{at}].unit_price", line.unit_price) if has_price else None,
        unit_price_field=line.unit_price_field,
        tax_rate_percent=from_proto_decimal(line.tax_rate_percent, "0"),
    )


def _to_proto_line(line: TriggerLine) -> pb.TriggerLine:
    return pb.TriggerLine(
        description=line.description,
        quantity=to_proto_decimal(line.quantity),
        quantity_field=line.quantity_field,
        unit_price=None if line.unit_price is None else to_proto_money(line.unit_price),
        unit_price_field=line.unit_price_field,
        tax_rate_percent=to_proto_decimal(line.tax_rate_percent),
    )

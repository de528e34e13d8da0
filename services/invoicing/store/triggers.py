"""Triggers, and the events that set them off."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sqlalchemy import Row, insert, select, text, update

from chassis.database import ReadTx, WriteTx
from chassis.errors import not_found
from chassis.money import Money
from services.invoicing.domain.trigger import Trigger, TriggerLine
from services.invoicing.tables.schedules import invoice_triggers, trigger_events


@dataclass(frozen=True, slots=True)
class ReportedEvent:
    """An event as it was reported first, and the invoices it made."""

    event_name: str
    fields: Mapping[str, str]
    invoice_ids: Sequence[str]


async def insert_trigger(tx: WriteTx, trigger: Trigger) -> None:
    """Add a trigger."""
    await tx.execute(
        insert(invoice_triggers).values(
            organization_id=tx.organization_id,
            trigger_id=trigger.trigger_id,
            name=trigger.name,
            event_name=trigger.event_name,
            customer_id=trigger.customer_id,
            customer_field=trigger.customer_field,
            lines=[_document(line) for line in trigger.lines],
            review=trigger.review,
            enabled=trigger.enabled,
            created_at=trigger.created_at,
        )
    )


async def set_enabled(tx: WriteTx, trigger_id: str, *, enabled: bool) -> Trigger:
    """Turn a trigger off or on; TRIGGER_NOT_FOUND."""
    rows = await tx.execute(
        update(invoice_triggers)
        .where(invoice_triggers.c.organization_id == tx.organization_id)
        .where(invoice_triggers.c.trigger_id == trigger_id)
        .values(enabled=enabled)
        .returning(*invoice_triggers.c)
    )
    row = rows.first()
    if row is None:
        raise not_found("trigger")
    return _trigger(row)


async def list_triggers(tx: ReadTx, *, event_name: str = "") -> list[Trigger]:
    """All triggers by event name; with a name those that its events set off."""
    query = select(invoice_triggers).where(invoice_triggers.c.organization_id == tx.organization_id)
    if event_name:
        query = query.where(invoice_triggers.c.event_name == event_name, invoice_triggers.c.enabled)
    order = (invoice_triggers.c.event_name, invoice_triggers.c.trigger_id)
    return [_trigger(row) for row in await tx.execute(query.order_by(*order))]


async def claim_event(tx: WriteTx, external_id: str, event_name: str, fields: Mapping[str, str]) -> bool:
    """Whether the event is new; who reports it at the same time waits until this transaction ends."""
    rows = await tx.execute(
        _CLAIM,
        {
            "organization_id": tx.organization_id,
            "external_id": external_id,
            "event_name": event_name,
            "now": tx.now(),
        },
    )
    if rows.first() is None:
        return False
    await tx.execute(_of(external_id, tx).values(fields=dict(fields)))
    return True


async def keep_invoices(tx: WriteTx, external_id: str, invoice_ids: Sequence[str]) -> None:
    """What the event made."""
    await tx.execute(_of(external_id, tx).values(invoice_ids=list(invoice_ids)))


async def get_event(tx: ReadTx, external_id: str) -> ReportedEvent:
    """An event that is known."""
    query = select(trigger_events).where(
        trigger_events.c.organization_id == tx.organization_id, trigger_events.c.external_id == external_id
    )
    row = (await tx.execute(query)).one()
    return ReportedEvent(row.event_name, row.fields, row.invoice_ids)


def _of(external_id: str, tx: WriteTx) -> Any:
    return (
        update(trigger_events)
        .where(trigger_events.c.organization_id == tx.organization_id)
        .where(trigger_events.c.external_id == external_id)
    )


def _trigger(row: Row[Any]) -> Trigger:
    return Trigger(
        trigger_id=row.trigger_id,
        name=row.name,
        event_name=row.event_name,
        customer_id=row.customer_id,
        customer_field=row.customer_field,
        lines=tuple(_line(document) for document in row.lines),
        review=row.review,
        enabled=row.enabled,
        created_at=row.created_at,
    )


def _document(line: TriggerLine) -> dict[str, Any]:
    price = line.unit_price
    return {
        "description": line.description,
        "quantity": str(line.quantity),
        "quantity_field": line.quantity_field,
        "unit_price": None if price is None else [price.minor_units, price.currency],
        "unit_price_field": line.unit_price_field,
        "tax_rate_percent": str(line.tax_rate_percent),
    }


def _line(document: Mapping[str, Any]) -> TriggerLine:
    price = document["unit_price"]
    return TriggerLine(
        description=document["description"],
        quantity=Decimal(document["quantity"]),
        quantity_field=document["quantity_field"],
        unit_price=None if price is None else Money(*price),
        unit_price_field=document["unit_price_field"],
        tax_rate_percent=Decimal(document["tax_rate_percent"]),
    )


_CLAIM = text("""
    INSERT INTO trigger_events (organization_id, external_id, event_name, fields, invoice_ids, reported_at)
    VALUES (:organization_id, :external_id, :event_name, '{}', '{}', :now)
    ON CONFLICT DO NOTHING RETURNING external_id
""")

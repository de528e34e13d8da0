"""Triggers, and the events that set them off."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Row, insert, select, text, tuple_, update

from chassis.database import ReadTx, WriteTx
from chassis.errors import not_found
from chassis.money import Money
from services.invoicing.domain.trigger import Trigger, TriggerLine
from services.invoicing.store.pages import decode_page_token, moment_of, page_of
from services.invoicing.tables.schedules import invoice_triggers, trigger_events

_EVENTS = "trigger_events"


@dataclass(frozen=True, slots=True)
class ReportedEvent:
    """An event as it was reported first, and the invoices it made."""

    external_id: str
    event_name: str
    fields: Mapping[str, str]
    invoice_ids: Sequence[str]
    reported_at: datetime


async def insert_trigger(tx: WriteTx, trigger: Trigger) -> None:
    """Add a trigger."""
    await tx.execute(
        insert(invoice_triggers).values(
            organization_id=tx.organization_id, trigger_id=trigger.trigger_id,
            enabled=trigger.enabled, created_at=trigger.created_at, **_values(trigger),
        )
    )  # fmt: skip


async def lock_trigger(tx: WriteTx, trigger_id: str) -> Trigger:
    """A trigger, locked; TRIGGER_NOT_FOUND."""
    query = (
        select(invoice_triggers)
        .where(invoice_triggers.c.organization_id == tx.organization_id)
        .where(invoice_triggers.c.trigger_id == trigger_id)
        .with_for_update()
    )
    row = (await tx.execute(query)).first()
    if row is None:
        raise not_found("trigger")
    return _trigger(row)


async def replace_trigger(tx: WriteTx, trigger: Trigger) -> None:
    """Write back a trigger that is locked."""
    await tx.execute(
        update(invoice_triggers)
        .where(invoice_triggers.c.organization_id == tx.organization_id)
        .where(invoice_triggers.c.trigger_id == trigger.trigger_id)
        .values(**_values(trigger))
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
    return _event(row)


async def list_events(
    tx: ReadTx, *, event_name: str, page_size: int, page_token: str
) -> tuple[list[ReportedEvent], str]:
    """A page, the newest first, and the token of the next one."""
    query = select(trigger_events).where(trigger_events.c.organization_id == tx.organization_id)
    if event_name:
        query = query.where(trigger_events.c.event_name == event_name)
    after = decode_page_token(page_token, _EVENTS)
    if after is not None:
        place = tuple_(trigger_events.c.reported_at, trigger_events.c.external_id)
        query = query.where(place < tuple_(moment_of(after[0]), after[1]))
    order = (trigger_events.c.reported_at.desc(), trigger_events.c.external_id.desc())
    rows = (await tx.execute(query.order_by(*order).limit(page_size + 1))).all()
    rows, token = page_of(
        rows, page_size, _EVENTS, lambda last: (last.reported_at.isoformat(), last.external_id)
    )
    return [_event(row) for row in rows], token


def _event(row: Row[Any]) -> ReportedEvent:
    return ReportedEvent(row.external_id, row.event_name, row.fields, row.invoice_ids, row.reported_at)


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


def _values(trigger: Trigger) -> dict[str, Any]:
    """What can be changed about it."""
    return {
        "name": trigger.name,
        "event_name": trigger.event_name,
        "customer_id": trigger.customer_id,
        "customer_field": trigger.customer_field,
        "lines": [_document(line) for line in trigger.lines],
        "review": trigger.review,
    }


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

"""Schedules: reading, locking, writing back, and the record of what they made."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Row, func, insert, select, text, tuple_, update
from sqlalchemy.exc import IntegrityError

from chassis.database import ReadTx, WriteTx, violated_constraint
from chassis.errors import Kind, ServiceError, not_found
from chassis.money import Money
from services.invoicing.domain.customer import Customer
from services.invoicing.domain.schedule import Recurrence, Timeline, Timing, Unit
from services.invoicing.domain.schedule_billing import (
    Change,
    ChangeKind,
    Credit,
    Position,
    ScheduleLine,
    Terms,
    Tier,
)
from services.invoicing.domain.subscription import Outcome, Schedule, Status
from services.invoicing.store.customer_rows import customer_of
from services.invoicing.store.pages import decode_page_token, page_of
from services.invoicing.store.rows import insert_rows
from services.invoicing.tables.customers import customers
from services.invoicing.tables.schedules import (
    schedule_changes,
    schedule_lines,
    scheduled_invoices,
    schedules,
)

_SCOPE = "schedules"


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduledInvoice:
    """What became of a period; days are inclusive. A period in which nothing was left ends on its first day."""

    period_start: date
    period_end: date
    number: int
    invoice_on: date
    outcome: Outcome
    invoice_id: str | None
    made_at: datetime


async def insert_schedule(tx: WriteTx, schedule: Schedule) -> None:
    """Add a schedule with its lines; ALREADY_EXISTS for an external id that is taken."""
    try:
        await insert_rows(tx, schedules, [_values(schedule)])
    except IntegrityError as error:
        if violated_constraint(error) == "uq_schedules_external_id":
            raise ServiceError(
                Kind.ALREADY_EXISTS, "SCHEDULE_EXTERNAL_ID_TAKEN", "Another schedule has this external id."
            ) from error
        raise
    await insert_rows(tx, schedule_lines, [_line_values(schedule, line) for line in schedule.terms.lines])


async def update_schedule(tx: WriteTx, schedule: Schedule, *, wake_at: datetime | None = None) -> None:
    """Write a schedule that was locked. It wakes when there is something to do, or at `wake_at` after a failure."""
    values = _values(schedule)
    if wake_at is not None:
        values["wake_at"] = wake_at
    await tx.execute(
        update(schedules)
        .where(schedules.c.organization_id == tx.organization_id)
        .where(schedules.c.schedule_id == schedule.schedule_id)
        .values(**values)
    )


async def insert_change(tx: WriteTx, schedule: Schedule, actor: str) -> None:
    """Keep the last change of a schedule."""
    change = schedule.terms.changes[-1]
    await tx.execute(
        insert(schedule_changes).values(
            organization_id=tx.organization_id,
            schedule_id=schedule.schedule_id,
            change_no=len(schedule.terms.changes),
            kind=change.kind.value,
            line_no=change.line_no,
            effective_on=change.effective_on,
            quantity=change.quantity,
            unit_price_minor_units=change.unit_price.minor_units if change.unit_price else None,
            actor=actor,
            made_at=tx.now(),
        )
    )


async def insert_scheduled_invoice(tx: WriteTx, schedule_id: str, made: ScheduledInvoice) -> None:
    """Note what became of a period. The primary key lets it be noted once."""
    await tx.execute(
        insert(scheduled_invoices).values(
            organization_id=tx.organization_id,
            schedule_id=schedule_id,
            period_start=made.period_start,
            period_end=made.period_end,
            number=made.number,
            invoice_on=made.invoice_on,
            outcome=made.outcome.value,
            invoice_id=made.invoice_id,
            made_at=made.made_at,
        )
    )


async def get_schedule(tx: ReadTx, schedule_id: str) -> Schedule:
    """SCHEDULE_NOT_FOUND for one of another organization or none."""
    query = select(schedules).where(
        schedules.c.organization_id == tx.organization_id, schedules.c.schedule_id == schedule_id
    )
    found = await _whole(tx, (await tx.execute(query)).all())
    if not found:
        raise not_found("schedule")
    return found[0]


async def lock_schedule(tx: WriteTx, schedule_id: str, *, skip: bool = False) -> Schedule | None:
    """The same, locked; with `skip` None while somebody else has it."""
    query = (
        select(schedules)
        .where(schedules.c.organization_id == tx.organization_id, schedules.c.schedule_id == schedule_id)
        .with_for_update(skip_locked=skip)
    )
    found = await _whole(tx, (await tx.execute(query)).all())
    if not found and not skip:
        raise not_found("schedule")
    return found[0] if found else None


async def list_schedules(
    tx: ReadTx, *, page_size: int, page_token: str, customer_id: str | None, status: Status | None,
    external_id: str,
) -> tuple[list[Schedule], str]:  # fmt: skip
    """A page, the newest first, and the token of the next one."""
    query = select(schedules).where(schedules.c.organization_id == tx.organization_id)
    if customer_id:
        query = query.where(schedules.c.customer_id == customer_id)
    if status is not None:
        query = query.where(schedules.c.status == status.value)
    if external_id:
        query = query.where(schedules.c.external_id == external_id)
    after = decode_page_token(page_token, _SCOPE)
    if after is not None:
        query = query.where(tuple_(schedules.c.schedule_id) < tuple_(after[0]))
    rows = (await tx.execute(query.order_by(schedules.c.schedule_id.desc()).limit(page_size + 1))).all()
    rows, token = page_of(rows, page_size, _SCOPE, lambda last: (last.schedule_id, ""))
    return await _whole(tx, rows), token


async def due_before(tx: ReadTx, moment: datetime, *, limit: int) -> list[Schedule]:
    """Schedules whose next billing is before a moment, the earliest first."""
    query = (
        select(schedules)
        .where(schedules.c.organization_id == tx.organization_id, schedules.c.next_due_at < moment)
        .order_by(schedules.c.next_due_at, schedules.c.schedule_id)
        .limit(limit)
    )
    return await _whole(tx, (await tx.execute(query)).all())


async def customers_of(tx: ReadTx, found: Sequence[Schedule]) -> Mapping[str, Customer]:
    """The customers of schedules, by id."""
    query = select(customers).where(
        customers.c.organization_id == tx.organization_id,
        customers.c.customer_id == func.any([schedule.customer_id for schedule in found]),
    )
    return {row.customer_id: customer_of(row) for row in await tx.execute(query)}


async def awake(tx: ReadTx, *, limit: int) -> list[tuple[str, str]]:
    """Organization and id of schedules that have something to do now, of all organizations in the sweep."""
    rows = await tx.execute(_AWAKE, {"now": tx.now(), "limit": limit})
    return [(row.organization_id, row.schedule_id) for row in rows]


async def list_scheduled_invoices(tx: ReadTx, schedule_id: str, *, limit: int) -> list[ScheduledInvoice]:
    """What a schedule has made, the newest first."""
    query = (
        select(scheduled_invoices)
        .where(
            scheduled_invoices.c.organization_id == tx.organization_id,
            scheduled_invoices.c.schedule_id == schedule_id,
        )
        .order_by(scheduled_invoices.c.period_start.desc())
        .limit(limit)
    )
    return [
        ScheduledInvoice(
            period_start=row.period_start,
            period_end=row.period_end,
            number=row.number,
            invoice_on=row.invoice_on,
            outcome=Outcome(row.outcome),
            invoice_id=row.invoice_id,
            made_at=row.made_at,
        )
        for row in await tx.execute(query)
    ]


async def _whole(tx: ReadTx, rows: Sequence[Row[Any]]) -> list[Schedule]:
    if not rows:
        return []
    ids = {"organization_id": tx.organization_id, "schedule_ids": [row.schedule_id for row in rows]}
    lines: dict[str, list[Row[Any]]] = {}
    for line in await tx.execute(_LINES, ids):
        lines.setdefault(line.schedule_id, []).append(line)
    changes: dict[str, list[Row[Any]]] = {}
    for change in await tx.execute(_CHANGES, ids):
        changes.setdefault(change.schedule_id, []).append(change)
    return [_schedule(row, lines.get(row.schedule_id, []), changes.get(row.schedule_id, [])) for row in rows]


def _schedule(row: Row[Any], lines: Sequence[Row[Any]], changes: Sequence[Row[Any]]) -> Schedule:
    timeline = Timeline(
        recurrence=Recurrence(
            Unit(row.unit), row.every, row.anchor_day, row.anchor_weekday, row.anchor_month
        ),
        starts_on=row.starts_on,
        trial_days=row.trial_days,
        last_day=row.last_day,
        max_periods=row.max_periods,
        canceled_from=row.canceled_from,
    )
    terms = Terms(
        timeline=timeline,
        timing=Timing(row.timing),
        currency=row.currency,
        lines=tuple(_line(line, row.currency) for line in lines),
        changes=tuple(_change(change, row.currency) for change in changes),
    )
    return Schedule(
        schedule_id=row.schedule_id,
        customer_id=row.customer_id,
        name=row.name,
        status=Status(row.status),
        terms=terms,
        position=Position(
            number=row.next_number,
            billed={int(line_no): amount for line_no, amount in row.billed.items()},
            credits=tuple(_credit(credit) for credit in row.credits),
        ),
        review=row.review,
        time_zone=row.time_zone,
        upcoming_notice_days=row.upcoming_notice_days,
        price_notice_days=row.price_notice_days,
        customer_may_cancel=row.customer_may_cancel,
        purchase_order_number=row.purchase_order_number,
        memo=row.memo,
        external_id=row.external_id,
        created_at=row.created_at,
        cancel_reason=row.cancel_reason,
        noticed_number=row.noticed_number,
        failure=row.failure,
        failures=row.failures,
        version=row.version,
        event_version=row.event_version,
    )


def _values(schedule: Schedule) -> dict[str, Any]:
    timeline, position = schedule.timeline, schedule.position
    return {
        "schedule_id": schedule.schedule_id,
        "customer_id": schedule.customer_id,
        "name": schedule.name,
        "status": schedule.status.value,
        "currency": schedule.terms.currency,
        "unit": timeline.recurrence.unit.value,
        "every": timeline.recurrence.every,
        "anchor_day": timeline.recurrence.anchor_day,
        "anchor_weekday": timeline.recurrence.anchor_weekday,
        "anchor_month": timeline.recurrence.anchor_month,
        "starts_on": timeline.starts_on,
        "trial_days": timeline.trial_days,
        "last_day": timeline.last_day,
        "max_periods": timeline.max_periods,
        "canceled_from": timeline.canceled_from,
        "cancel_reason": schedule.cancel_reason,
        "timing": schedule.terms.timing.value,
        "review": schedule.review,
        "time_zone": schedule.time_zone,
        "upcoming_notice_days": schedule.upcoming_notice_days,
        "price_notice_days": schedule.price_notice_days,
        "customer_may_cancel": schedule.customer_may_cancel,
        "purchase_order_number": schedule.purchase_order_number,
        "memo": schedule.memo,
        "external_id": schedule.external_id,
        "next_number": position.number,
        "noticed_number": schedule.noticed_number,
        "billed": {str(line_no): amount for line_no, amount in position.billed.items()},
        "credits": [
            {
                "line_no": credit.line_no,
                "minor_units": credit.minor_units,
                "period_start": credit.period_start.isoformat(),
                "period_end": credit.period_end.isoformat(),
            }
            for credit in position.credits
        ],
        "next_due_at": schedule.due_at,
        "wake_at": schedule.wake_at,
        "failure": schedule.failure,
        "failures": schedule.failures,
        "version": schedule.version,
        "event_version": schedule.event_version,
        "created_at": schedule.created_at,
    }


def _line_values(schedule: Schedule, line: ScheduleLine) -> Mapping[str, Any]:
    return {
        "schedule_id": schedule.schedule_id,
        "line_no": line.line_no,
        "item_id": line.item_id,
        "description": line.description,
        "metered": line.metered,
        "quantity": line.quantity,
        "unit_price_minor_units": line.unit_price.minor_units,
        "tax_rate_percent": line.tax_rate_percent,
        "tiers": [
            {
                "up_to": None if tier.up_to is None else str(tier.up_to),
                "minor_units": tier.unit_price.minor_units,
            }
            for tier in line.tiers
        ],
    }


def _line(row: Row[Any], currency: str) -> ScheduleLine:
    return ScheduleLine(
        line_no=row.line_no,
        description=row.description,
        unit_price=Money(row.unit_price_minor_units, currency),
        tax_rate_percent=row.tax_rate_percent,
        quantity=row.quantity,
        item_id=row.item_id,
        metered=row.metered,
        tiers=tuple(
            Tier(
                None if tier["up_to"] is None else Decimal(tier["up_to"]),
                Money(tier["minor_units"], currency),
            )
            for tier in row.tiers
        ),
    )


def _change(row: Row[Any], currency: str) -> Change:
    price = row.unit_price_minor_units
    return Change(
        kind=ChangeKind(row.kind),
        effective_on=row.effective_on,
        line_no=row.line_no,
        quantity=row.quantity,
        unit_price=None if price is None else Money(price, currency),
    )


def _credit(value: Mapping[str, Any]) -> Credit:
    return Credit(
        line_no=value["line_no"],
        minor_units=value["minor_units"],
        period_start=date.fromisoformat(value["period_start"]),
        period_end=date.fromisoformat(value["period_end"]),
    )


_AWAKE = text("""
    SELECT organization_id, schedule_id FROM schedules
    WHERE wake_at <= :now ORDER BY wake_at, schedule_id LIMIT :limit
""")
_LINES = text("""
    SELECT * FROM schedule_lines
    WHERE organization_id = :organization_id AND schedule_id = ANY(CAST(:schedule_ids AS text[]))
    ORDER BY schedule_id, line_no
""")
_CHANGES = text("""
    SELECT * FROM schedule_changes
    WHERE organization_id = :organization_id AND schedule_id = ANY(CAST(:schedule_ids AS text[]))
    ORDER BY schedule_id, change_no
""")

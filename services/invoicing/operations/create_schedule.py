"""Create a schedule."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal

from chassis import audit
from chassis.database import Database, WriteTx
from chassis.errors import ServiceError, invalid
from chassis.idempotency import once
from chassis.ids import new_id
from chassis.money import Money
from services.invoicing.domain.invoice_draft import LineDraft, fill_lines
from services.invoicing.domain.item import Item
from services.invoicing.domain.schedule import Recurrence, Timeline, Timing, date_of
from services.invoicing.domain.schedule_billing import ScheduleLine, Terms, Tier, first_position
from services.invoicing.domain.subscription import Schedule, Status, must_make_sense, tiers_must_rise
from services.invoicing.domain.taxation import Taxation
from services.invoicing.operations.issue_invoice import taxation_of
from services.invoicing.store.customers import get_customer
from services.invoicing.store.items import get_items
from services.invoicing.store.organizations import get_organization
from services.invoicing.store.schedules import insert_schedule
from services.invoicing.translate.schedule_events import schedule_changed
from services.invoicing.translate.schedules import Shown, to_proto_schedule
from tallyport.invoicing.v1 import events_pb2
from tallyport.invoicing.v1 import schedules_pb2 as pb


@dataclass(frozen=True, slots=True, kw_only=True)
class LineWish:
    """A line to be; what is empty comes from the item."""

    line: LineDraft
    metered: bool
    tiers: tuple[Tier, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleWish:
    """A schedule to be. Without `starts_on` it begins today; without a zone it has the customer's."""

    customer_id: str
    name: str
    recurrence: Recurrence
    starts_on: date | None
    trial_days: int
    last_day: date | None
    max_periods: int | None
    lines: tuple[LineWish, ...]
    timing: Timing
    review: bool
    time_zone: str
    upcoming_notice_days: int
    price_notice_days: int
    customer_may_cancel: bool
    purchase_order_number: str
    memo: str
    external_id: str | None


async def create_schedule(db: Database, wish: ScheduleWish) -> pb.Schedule:
    """The new schedule. Its first invoice is made by the scheduler when it is due. CUSTOMER_ON_HOLD."""

    async def work(tx: WriteTx) -> pb.Schedule:
        customer = await get_customer(tx, wish.customer_id)
        customer.must_take_invoices()
        organization = await get_organization(tx)
        zone = wish.time_zone or customer.time_zone or organization.time_zone
        today = date_of(tx.now(), zone)
        named = {one.line.item_id for one in wish.lines if one.line.item_id}
        taxes = await taxation_of(tx, organization, customer, today)
        lines = _lines(wish, await get_items(tx, named), customer.currency, taxes)
        schedule = _schedule(wish, lines, zone=zone, now=tx.now(), currency=customer.currency)
        must_make_sense(schedule.timeline, today)
        schedule = schedule_changed(
            tx, schedule, customer, events_pb2.SCHEDULE_CHANGE_KIND_CREATED,
            effective_on=schedule.timeline.starts_on,
        )  # fmt: skip
        await insert_schedule(tx, schedule)
        answer = to_proto_schedule(Shown(schedule, customer.name, today))
        audit.record(
            tx, "schedule.created", schedule.schedule_id, after=answer.SerializeToString(deterministic=True)
        )
        return answer

    return await once(db, pb.Schedule, work)


def _schedule(
    wish: ScheduleWish, lines: tuple[ScheduleLine, ...], *, zone: str, now: datetime, currency: str
) -> Schedule:
    timeline = Timeline(
        recurrence=wish.recurrence,
        starts_on=wish.starts_on or date_of(now, zone),
        trial_days=wish.trial_days,
        last_day=wish.last_day,
        max_periods=wish.max_periods,
    )
    return Schedule(
        schedule_id=new_id("sch"),
        customer_id=wish.customer_id,
        name=wish.name,
        status=Status.ACTIVE,
        terms=Terms(timeline=timeline, timing=wish.timing, currency=currency, lines=lines),
        position=first_position(wish.timing),
        review=wish.review,
        time_zone=zone,
        upcoming_notice_days=wish.upcoming_notice_days,
        price_notice_days=wish.price_notice_days,
        customer_may_cancel=wish.customer_may_cancel,
        purchase_order_number=wish.purchase_order_number,
        memo=wish.memo,
        external_id=wish.external_id,
        created_at=now,
    )


def _lines(
    wish: ScheduleWish, items: Mapping[str, Item], currency: str, taxation: Taxation
) -> tuple[ScheduleLine, ...]:
    """Lines with everything that items tell, as they are now."""
    drafts = [
        replace(one.line, unit_price=one.line.unit_price or one.tiers[0].unit_price)
        if one.tiers
        else one.line
        for one in wish.lines
    ]
    filled = fill_lines(drafts, items, currency, taxation)
    lines = []
    for at, (line, one) in enumerate(zip(filled, wish.lines, strict=True)):
        if line.unit_price.minor_units < 0:
            raise invalid(f"lines[{at}].unit_price", "negative", "A price is not below nothing.")
        _tiers_must_fit(at, one, currency)
        schedule_line = ScheduleLine(
            line_no=at + 1,
            description=line.description,
            unit_price=line.unit_price,
            tax_rate_percent=one.line.tax_rate_percent,
            quantity=Decimal(0) if one.metered else line.quantity,
            item_id=line.item_id,
            metered=one.metered,
            tiers=one.tiers,
        )
        tiers_must_rise(schedule_line, f"lines[{at}]")
        lines.append(schedule_line)
    return tuple(lines)


def _tiers_must_fit(at: int, wish: LineWish, currency: str) -> None:
    if wish.tiers and not wish.metered:
        raise _wrong_tiers(at, "metered", "Only metered lines have tiers.")
    for tier in wish.tiers:
        if tier.unit_price.currency != currency or tier.unit_price < Money.zero(currency):
            raise _wrong_tiers(at, "unit_price", f"Prices are in {currency} and not below nothing.")


def _wrong_tiers(at: int, code: str, message: str) -> ServiceError:
    return invalid(f"lines[{at}].tiers", code, message)

"""Show the invoices to come: of one schedule, and of all of them as a calendar."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import islice

from chassis.caller import current_call
from chassis.database import Database, ReadTx
from chassis.errors import invalid
from services.invoicing.domain.customer import Customer
from services.invoicing.domain.invoice_draft import fill_lines
from services.invoicing.domain.item import Item
from services.invoicing.domain.pricing import Line, Totals, totals
from services.invoicing.domain.schedule import start_of
from services.invoicing.domain.schedule_billing import PlannedInvoice, upcoming
from services.invoicing.domain.subscription import Schedule
from services.invoicing.domain.taxation import TaxDesk
from services.invoicing.formats.schedule_texts import line_drafts
from services.invoicing.operations.find_schedule import find_schedule
from services.invoicing.operations.tax_desk import tax_desk
from services.invoicing.store import schedules, usage
from services.invoicing.store.items import get_items
from services.invoicing.store.organizations import get_organization
from services.invoicing.store.pages import decode_page_token, encode_page_token

DEFAULT_COUNT = 3
DEFAULT_CALENDAR = timedelta(days=30)
LONGEST_CALENDAR = timedelta(days=400)
DEFAULT_CALENDAR_SIZE = 100
MOST_SCHEDULES = 5_000
"""So many schedules one calendar looks at, the earliest due first."""
_SCOPE = "upcoming"


@dataclass(frozen=True, slots=True)
class Prices:
    """What decides the taxes of invoices to come."""

    items: Mapping[str, Item]
    desk: TaxDesk

    def lines(self, schedule: Schedule, planned: PlannedInvoice, customer: Customer) -> list[Line]:
        """The lines as they will be filled in on the day."""
        taxes = self.desk.taxation(customer, planned.invoice_on)
        drafts = line_drafts(planned, customer.locale)
        return fill_lines(drafts, self.items, schedule.terms.currency, taxes)

    def sums(self, schedule: Schedule, planned: PlannedInvoice, customer: Customer) -> Totals:
        """What the invoice will come to."""
        return totals(self.lines(schedule, planned, customer), schedule.terms.currency)


@dataclass(frozen=True, slots=True)
class Upcoming:
    """An invoice to come."""

    schedule: Schedule
    customer: Customer
    planned: PlannedInvoice
    lines: Sequence[Line]

    @property
    def sums(self) -> Totals:
        return totals(self.lines, self.schedule.terms.currency)


async def preview_upcoming(db: Database, schedule_id: str, *, count: int) -> list[Upcoming]:
    """The next invoices if nothing changes, the earliest first; none once the schedule is over."""
    async with db.read(current_call().organization_id) as tx:
        found = await find_schedule(tx, schedule_id)
        schedule = found.schedule
        if not schedule.is_live:
            return []
        used = await usage.unbilled(tx, schedule_id)
        prices = await prices_for(tx, [schedule])
    planned = islice(upcoming(schedule.terms, schedule.position, used), count or DEFAULT_COUNT)
    return [
        Upcoming(schedule, found.customer, one, prices.lines(schedule, one, found.customer))
        for one in planned
    ]


async def list_upcoming(
    db: Database, *, until: date | None, page_size: int, page_token: str
) -> tuple[list[Upcoming], str]:
    """What all schedules make until a day, the earliest first, and the token of the next page."""
    after = decode_page_token(page_token, _SCOPE)
    async with db.read(current_call().organization_id) as tx:
        entries = await _calendar(tx, until)
        if after is not None:
            entries = [entry for entry in entries if _place(*entry) > (after[0], after[1])]
        size = page_size or DEFAULT_CALENDAR_SIZE
        token = encode_page_token(_SCOPE, *_place(*entries[size - 1])) if len(entries) > size else ""
        page = entries[:size]
        prices = await prices_for(tx, [schedule for schedule, _ in page])
        customers = await schedules.customers_of(tx, [schedule for schedule, _ in page])
    return [
        Upcoming(schedule, customer, planned, prices.lines(schedule, planned, customer))
        for schedule, planned in page
        for customer in (customers[schedule.customer_id],)
    ], token


async def prices_for(tx: ReadTx, found: Sequence[Schedule]) -> Prices:
    """All that the taxes of these schedules follow from."""
    named = {line.item_id for schedule in found for line in schedule.terms.lines if line.item_id}
    return Prices(await get_items(tx, named), await tax_desk(tx, await get_organization(tx)))


async def _calendar(tx: ReadTx, until: date | None) -> list[tuple[Schedule, PlannedInvoice]]:
    organization = await get_organization(tx)
    today = organization.date_of(tx.now())
    last = until or today + DEFAULT_CALENDAR
    if last > today + LONGEST_CALENDAR:
        raise invalid("until", "range", "This day is too far away.")
    # A day of the organization may be the next one in a schedule's zone.
    moment = organization.start_of(last + timedelta(days=2))
    live = await schedules.due_before(tx, moment, limit=MOST_SCHEDULES)
    metered = [schedule.schedule_id for schedule in live if schedule.terms.is_metered]
    used = await usage.unbilled_of(tx, metered)
    entries = [
        (schedule, planned)
        for schedule in live
        for planned in upcoming(
            schedule.terms, schedule.position, used.get(schedule.schedule_id, []), until=last
        )
    ]
    return sorted(entries, key=lambda entry: _place(*entry))


def due_at(schedule: Schedule, planned: PlannedInvoice) -> datetime:
    """When the scheduler makes an invoice."""
    return start_of(planned.invoice_on, schedule.time_zone)


def _place(schedule: Schedule, planned: PlannedInvoice) -> tuple[str, str]:
    return due_at(schedule, planned).isoformat(), schedule.schedule_id

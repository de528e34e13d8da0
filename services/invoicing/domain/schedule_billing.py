"""What a schedule bills: charges by period, corrections by days, usage. One rule for making and for previewing.

What a line costs in a period is its price times the sum of its quantity on each day of service, divided by the days
of the whole period, rounded once. A correction is what the period costs as it is known now less what was billed for
it, so that however often a quantity changes, what is billed comes to what is owed, to the cent.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from itertools import pairwise

from chassis.money import Money
from services.invoicing.domain.schedule import Timeline, Timing

_MOST_SILENT_PERIODS = 500
"""A preview looks so far ahead for something to charge, not for ever."""


class ChangeKind(StrEnum):
    """What changes on a day."""

    QUANTITY = "quantity"
    PRICE = "price"
    PAUSE = "pause"
    RESUME = "resume"


class NoteKind(StrEnum):
    """What there is to say about a line besides its description."""

    NONE = ""
    PRORATED = "prorated"
    CORRECTION = "correction"
    CREDIT = "credit"
    USAGE = "usage"


@dataclass(frozen=True, slots=True)
class Tier:
    """A price for what lies between the tier before and `up_to`; None: all above."""

    up_to: Decimal | None
    unit_price: Money


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleLine:
    """A line of every invoice. Metered ones bill usage and have no quantity.

    Without a tax rate its item says on the day of the invoice how it is taxed.
    """

    line_no: int
    description: str
    unit_price: Money
    tax_rate_percent: Decimal | None = None
    quantity: Decimal = Decimal(1)
    item_id: str | None = None
    metered: bool = False
    tiers: tuple[Tier, ...] = ()

    @property
    def taxed_as(self) -> tuple[Decimal | None, str | None]:
        """Lines that are surely taxed alike have the same."""
        return self.tax_rate_percent, self.item_id if self.tax_rate_percent is None else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A change from a day on. A price counts for periods that begin on that day or later."""

    kind: ChangeKind
    effective_on: date
    line_no: int = 0
    quantity: Decimal | None = None
    unit_price: Money | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """All that decides what is billed. Of changes on one day the later made counts."""

    timeline: Timeline
    timing: Timing
    currency: str
    lines: tuple[ScheduleLine, ...]
    changes: tuple[Change, ...] = ()

    @property
    def is_metered(self) -> bool:
        return any(line.metered for line in self.lines)


@dataclass(frozen=True, slots=True, kw_only=True)
class Credit:
    """What a line was billed too much for a period: more than 0 minor units, waiting for an invoice."""

    line_no: int
    minor_units: int
    period_start: date
    period_end: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """How far billing has come: the next billing, and what the period before it was billed by line."""

    number: int
    billed: Mapping[int, int] = field(default_factory=dict)
    credits: tuple[Credit, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedLine:
    """A line to be invoiced; days are inclusive. `part_days` of `whole_days` are charged or corrected."""

    line: ScheduleLine
    quantity: Decimal
    unit_price: Money
    period_start: date
    period_end: date
    note: NoteKind = NoteKind.NONE
    part_days: int = 0
    whole_days: int = 0

    @property
    def minor_units(self) -> int:
        return _rounded(Fraction(self.quantity) * self.unit_price.minor_units)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedInvoice:
    """One billing. Where it comes to nothing there is no invoice. `after` is where billing stands then."""

    number: int
    invoice_on: date
    period_start: date
    period_end: date
    lines: tuple[PlannedLine, ...]
    after: Position
    is_last: bool

    @property
    def subtotal_minor_units(self) -> int:
        return sum(line.minor_units for line in self.lines)

    @property
    def is_charged(self) -> bool:
        return self.subtotal_minor_units > 0


@dataclass(frozen=True, slots=True)
class Cost:
    """What a line costs in a period. `quantity` is None where it is not the same on all days of it."""

    minor_units: int
    days: int
    quantity: Decimal | None


@dataclass(frozen=True, slots=True)
class Usage:
    """Usage of a line on a day that is not billed yet."""

    line_no: int
    used_on: date
    quantity: Decimal


def first_position(timing: Timing) -> Position:
    """Where billing begins: at the first day, or when the first period is over."""
    return Position(number=0 if timing is Timing.ADVANCE else 1)


def price_of(terms: Terms, line: ScheduleLine, number: int) -> Money:
    """The price of a line in a period."""
    begins, found = terms.timeline.boundary(number), line.unit_price
    for change in _changes(terms, ChangeKind.PRICE, line.line_no):
        if change.effective_on <= begins and change.unit_price is not None:
            found = change.unit_price
    return found


def quantity_on(terms: Terms, line: ScheduleLine, day: date) -> Decimal:
    """The quantity of a line on a day, pauses aside."""
    found = line.quantity
    for change in _changes(terms, ChangeKind.QUANTITY, line.line_no):
        if change.effective_on <= day and change.quantity is not None:
            found = change.quantity
    return found


def is_paused_on(terms: Terms, day: date) -> bool:
    """Whether a day lies in a pause."""
    paused = False
    for change in sorted(terms.changes, key=lambda one: one.effective_on):
        if change.effective_on <= day and change.kind in (ChangeKind.PAUSE, ChangeKind.RESUME):
            paused = change.kind is ChangeKind.PAUSE
    return paused


def cost_of(terms: Terms, line: ScheduleLine, number: int) -> Cost:
    """What a line costs in a period as far as is known."""
    timeline = terms.timeline
    begins, ends = timeline.boundary(number), timeline.boundary(number + 1)
    if timeline.ends_before is not None:
        ends = max(begins, min(ends, timeline.ends_before))
    cuts = {change.effective_on for change in terms.changes if begins < change.effective_on < ends}
    edges = [begins, *sorted(cuts), ends]
    quantity_days, days, quantities = Fraction(0), 0, set[Decimal]()
    for start, end in pairwise(edges):
        if start == end or is_paused_on(terms, start):
            continue
        quantity = quantity_on(terms, line, start)
        quantity_days += Fraction(quantity) * (end - start).days
        days += (end - start).days
        quantities.add(quantity)
    price = price_of(terms, line, number).minor_units
    cost = _rounded(quantity_days * price / timeline.days(number))
    return Cost(cost, days, quantities.pop() if len(quantities) == 1 else None)


def plan_invoice(terms: Terms, position: Position, usage: Mapping[int, Decimal]) -> PlannedInvoice:
    """The billing at a position. `usage` is by line all that was used before its day and is not billed yet."""
    number, timeline = position.number, terms.timeline
    is_last = timeline.is_closing(number)
    in_advance = terms.timing is Timing.ADVANCE
    charged = number if in_advance else number - 1
    charges, billed = [], dict[int, int]()
    if not (in_advance and is_last):
        charges = [line for one in terms.lines if not one.metered for line in _charge(terms, one, charged)]
        billed = {
            one.line_no: cost_of(terms, one, charged).minor_units for one in terms.lines if not one.metered
        }
    corrections, credits_ = _corrections(terms, position) if in_advance else ([], [])
    used = [line for one in terms.lines if one.metered for line in _used(terms, one, number, usage)]
    charges += corrections + used
    taken, left = _take(terms, [*position.credits, *credits_], charges)
    return PlannedInvoice(
        number=number,
        invoice_on=timeline.billing_day(number),
        period_start=timeline.boundary(charged),
        period_end=max(timeline.boundary(charged), timeline.last_day_of(charged)),
        lines=(*charges, *taken),
        after=Position(number=number + 1, billed=billed if in_advance else {}, credits=tuple(left)),
        is_last=is_last,
    )


def upcoming(
    terms: Terms, position: Position, usage: Sequence[Usage], *, until: date = date.max
) -> Iterator[PlannedInvoice]:
    """All billings to come until a day that charge something, if nothing changes."""
    waiting, silent = list(usage), 0
    while silent < _MOST_SILENT_PERIODS:
        day = terms.timeline.billing_day(position.number)
        if day > until:
            return
        planned = plan_invoice(terms, position, used_before(waiting, day, since=terms.timeline.begins_on))
        waiting = [one for one in waiting if one.used_on >= day]
        if planned.is_charged:
            silent = 0
            yield planned
        silent += 1
        if planned.is_last:
            return
        position = planned.after


def used_before(usage: Sequence[Usage], day: date, *, since: date) -> dict[int, Decimal]:
    """Sums by line of what was used before a day and not in the trial."""
    sums: dict[int, Decimal] = {}
    for one in usage:
        if since <= one.used_on < day:
            sums[one.line_no] = sums.get(one.line_no, Decimal(0)) + one.quantity
    return sums


def _charge(terms: Terms, line: ScheduleLine, number: int) -> list[PlannedLine]:
    cost, whole = cost_of(terms, line, number), terms.timeline.days(number)
    start = terms.timeline.boundary(number)
    if cost.days == 0 or cost.quantity == 0:
        return []
    end = terms.timeline.last_day_of(number)
    if cost.days == whole and cost.quantity is not None:
        price = price_of(terms, line, number)
        return [_line(line, cost.quantity, price, start, end)]
    amount = Money(cost.minor_units, terms.currency)
    return [
        PlannedLine(
            line=line, quantity=Decimal(1), unit_price=amount, period_start=start, period_end=end,
            note=NoteKind.PRORATED, part_days=cost.days, whole_days=whole,
        )
    ]  # fmt: skip


def _corrections(terms: Terms, position: Position) -> tuple[list[PlannedLine], list[Credit]]:
    """What the period before costs more than it was billed, and credit for what it costs less."""
    more, less = [], []
    if not position.billed:
        return [], []
    number = position.number - 1
    start, whole = terms.timeline.boundary(number), terms.timeline.days(number)
    end = terms.timeline.boundary(number + 1) - timedelta(days=1)
    for line in terms.lines:
        if line.metered:
            continue
        cost = cost_of(terms, line, number)
        difference = cost.minor_units - position.billed.get(line.line_no, 0)
        if difference > 0:
            more.append(
                PlannedLine(
                    line=line, quantity=Decimal(1), unit_price=Money(difference, terms.currency),
                    period_start=start, period_end=end, note=NoteKind.CORRECTION,
                    part_days=cost.days, whole_days=whole,
                )
            )  # fmt: skip
        elif difference < 0:
            less.append(
                Credit(line_no=line.line_no, minor_units=-difference, period_start=start, period_end=end)
            )
    return more, less


def _used(terms: Terms, line: ScheduleLine, number: int, usage: Mapping[int, Decimal]) -> list[PlannedLine]:
    """Usage up to a billing, at the prices of the period before it, each tier a line."""
    quantity, before = usage.get(line.line_no, Decimal(0)), max(0, number - 1)
    start = terms.timeline.boundary(before)
    end = max(start, terms.timeline.billing_day(number) - timedelta(days=1))
    tiers = line.tiers or (Tier(None, price_of(terms, line, before)),)
    lines, floor = [], Decimal(0)
    for tier in tiers:
        ceiling = quantity if tier.up_to is None else min(quantity, tier.up_to)
        if ceiling > floor:
            lines.append(_line(line, ceiling - floor, tier.unit_price, start, end, NoteKind.USAGE))
            floor = ceiling
    return lines


def _take(
    terms: Terms, credits_: Sequence[Credit], charges: Sequence[PlannedLine]
) -> tuple[list[PlannedLine], list[Credit]]:
    """Credit that charges take which are taxed alike, the oldest first, so that no sum falls below nothing."""
    by_no = {line.line_no: line for line in terms.lines}
    room: dict[tuple[Decimal | None, str | None], int] = {}
    for charge in charges:
        key = charge.line.taxed_as
        room[key] = room.get(key, 0) + charge.minor_units
    taken, left = [], []
    for credit in credits_:
        line = by_no[credit.line_no]
        part = min(credit.minor_units, room.get(line.taxed_as, 0))
        if part:
            room[line.taxed_as] -= part
            amount = Money(part, terms.currency)
            taken.append(
                _line(line, Decimal(-1), amount, credit.period_start, credit.period_end, NoteKind.CREDIT)
            )
        if credit.minor_units > part:
            left.append(
                Credit(
                    line_no=credit.line_no, minor_units=credit.minor_units - part,
                    period_start=credit.period_start, period_end=credit.period_end,
                )
            )  # fmt: skip
    return taken, left


def _line(
    line: ScheduleLine,
    quantity: Decimal,
    price: Money,
    start: date,
    end: date,
    note: NoteKind = NoteKind.NONE,
) -> PlannedLine:
    return PlannedLine(
        line=line, quantity=quantity, unit_price=price, period_start=start, period_end=end, note=note
    )


def _changes(terms: Terms, kind: ChangeKind, line_no: int) -> list[Change]:
    """In the order of their days; sorting keeps the order in which they were made."""
    found = [change for change in terms.changes if change.kind is kind and change.line_no == line_no]
    return sorted(found, key=lambda change: change.effective_on)


def _rounded(value: Fraction) -> int:
    """Half away from zero."""
    whole = (abs(value) + Fraction(1, 2)).__floor__()
    return whole if value >= 0 else -whole

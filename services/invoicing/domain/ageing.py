"""How old what is owed is: one rule for statements, summaries and the overview of receivables.

What is in dispute has no age. Invoices under a plan that is kept are as old as its instalments are, all others as
their due dates say.
"""

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from chassis.money import Money
from services.invoicing.domain.instalment_plan import InstalmentPlan, PlanInvoice
from services.invoicing.domain.receivables import AGING_BUCKETS

_LIMITS_DAYS = (0, 30, 60, 90)


@dataclass(frozen=True, slots=True)
class Aged:
    """A part of what is owed of an invoice, and when it is due."""

    invoice_id: str
    amount: Money
    due_on: date


def bucket_of(due_on: date, day: date) -> int:
    """Place among AGING_BUCKETS of what is due on a day, seen from another."""
    days_late = (day - due_on).days
    last = len(AGING_BUCKETS) - 1
    return next((at for at, limit in enumerate(_LIMITS_DAYS) if days_late <= limit), last)


def by_due_date(plan: InstalmentPlan) -> list[Aged]:
    """What is owed of a plan's invoices, as if there were no plan."""
    return [
        Aged(one.invoice_id, room, one.due_date)
        for one in _oldest_first(plan)
        if (room := _undisputed(one)).minor_units > 0
    ]


def by_instalments(plan: InstalmentPlan) -> list[Aged]:
    """The same with the days of the instalments that are not paid, spread over the invoices, the oldest first."""
    waiting = deque(
        (one.instalment.due_on, one.instalment.amount - one.paid)
        for one in plan.schedule.standings(plan.paid, date.min)
        if one.paid < one.instalment.amount
    )
    last_day, parts = plan.schedule.instalments[-1].due_on, []
    for one in by_due_date(plan):
        room = one.amount
        while room.minor_units > 0:
            due_on, left = waiting.popleft() if waiting else (last_day, room)
            takes = min(room, left)
            parts.append(Aged(one.invoice_id, takes, due_on))
            room -= takes
            if takes < left:
                waiting.appendleft((due_on, left - takes))
    return parts


def late(parts: Iterable[Aged], day: date, currency: str) -> Money:
    """What of it was due before the day."""
    return sum((one.amount for one in parts if one.due_on < day), Money.zero(currency))


def planned_difference(plans: Sequence[InstalmentPlan], day: date, currency: str) -> Money:
    """How much more, or less, is overdue by the instalments of plans than by the due dates of their invoices."""
    found = Money.zero(currency)
    for plan in plans:
        if plan.currency == currency:
            found += late(by_instalments(plan), day, currency) - late(by_due_date(plan), day, currency)
    return found


def _oldest_first(plan: InstalmentPlan) -> list[PlanInvoice]:
    return sorted(plan.invoices, key=lambda one: (one.due_date, one.invoice_id))


def _undisputed(one: PlanInvoice) -> Money:
    return one.due - min(one.disputed, one.due)

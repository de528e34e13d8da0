"""Autopay: what a payer lets us do by itself, and when. Pure rules; the clock and the money are elsewhere.

Days are those of the organization's zone. Nothing is charged that was not announced, and never more than that.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Final

from chassis.errors import Kind, ServiceError
from chassis.money import Money
from services.payments.domain.due_item import DueItem

START_HOUR: Final = 9
"""When automatic payments start on their day: people are awake and can still turn them off before."""
RETRY_DAYS: Final = (1, 3, 7)
"""After the first try. Four tries are far below what card schemes allow (Visa 15 repetitions of a declined charge in
30 days, 20 since May 2025; Mastercard 35 in 30 days and 10 in one), and more than these rarely help."""
MAX_TRIES: Final = 1 + len(RETRY_DAYS)
TRIED_WITHIN: Final = timedelta(days=30)
PAY_DAYS_OF_MONTH: Final = (1, 15)
FRIDAY: Final = 4

HARD_DECLINES: Final = frozenset(
    {
        "stolen_card",
        "lost_card",
        "pickup_card",
        "fraudulent",
        "account_closed",
        "invalid_account",
        "incorrect_number",
        "expired_card",
        "mandate_revoked",
        "revocation_of_authorization",
        "restricted_card",
        "card_not_supported",
        "authentication_required",
        "payment_method_not_usable",
        "payment_method_not_found",
        "payment_method_gone",
        "currency_not_supported",
        "method_not_allowed",
        "amount_not_allowed",
        "spending_limit_exceeded",
    }
)
"""Trying again cannot help, and for most of these the schemes forbid it: the payer must act."""


class Scope(StrEnum):
    """Which invoices."""

    ALL = "all"
    CHOSEN = "chosen"


class RunStatus(StrEnum):
    """Where a planned payment stands."""

    PLANNED = "planned"
    NEEDS_CONFIRMATION = "needs_confirmation"
    SKIPPED = "skipped"
    STARTED = "started"
    RETRYING = "retrying"
    FAILED = "failed"
    CANCELED = "canceled"

    @property
    def waits(self) -> bool:
        """Nothing is under way and it may still start, or be skipped."""
        return self in (RunStatus.PLANNED, RunStatus.NEEDS_CONFIRMATION, RunStatus.RETRYING)


@dataclass(frozen=True, slots=True, kw_only=True)
class AutopaySettings:
    """What a customer agreed to. Version 0: never set."""

    customer_id: str
    enabled: bool = False
    payment_method_id: str = ""
    scope: Scope = Scope.ALL
    prefixes: tuple[str, ...] = ()
    days_before_due: int = 0
    day_of_month: int = 0
    cap: Money | None = None
    notice_days: int = 0
    paused_until: date | None = None
    terms: str = ""
    agreed_at: datetime | None = None
    agreed_by: str = ""
    agreed_by_id: str = ""
    version: int = 0

    def is_on(self, today: date) -> bool:
        """Whether payments may start today."""
        return self.enabled and (self.paused_until is None or today >= self.paused_until)

    def covers(self, item: DueItem) -> bool:
        """Whether an invoice is one that the payer meant."""
        if self.scope is Scope.ALL:
            return True
        names = (item.number.casefold(), item.purchase_order_number.casefold())
        return any(name.startswith(prefix.casefold()) for prefix in self.prefixes for name in names if name)

    def needs_confirmation(self, amount: Money, *, approval_above: Money | None = None) -> bool:
        """Whether a sum is over the cap or the company's own limit. Other currencies cannot be compared: ask."""
        limits = [limit for limit in (self.cap, approval_above) if limit is not None]
        return any(limit.currency != amount.currency or amount > limit for limit in limits)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunInvoice:
    """An invoice of a run, and how much of it at most."""

    invoice_id: str
    number: str
    amount: Money
    paid: Money | None = None
    """What its payment has paid of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """A planned payment. `amount` is the sum that is announced; what is due on the day is paid, never more.

    `act_at` is when the clock looks at it next; `version` counts changes, `events` news.
    """

    run_id: str
    customer_id: str
    invoices: tuple[RunInvoice, ...]
    amount: Money
    pay_on: date
    created_at: datetime
    status: RunStatus = RunStatus.PLANNED
    confirmed_by: tuple[str, ...] = ()
    payment_id: str = ""
    failure_code: str = ""
    tries: int = 0
    first_tried_at: datetime | None = None
    next_try_on: date | None = None
    noticed_at: datetime | None = None
    act_at: datetime | None = None
    version: int = 1
    events: int = 0
    paid: Money | None = None
    """What its payment took, once that has succeeded."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """Invoices that one payment of one day will pay."""

    pay_on: date
    invoices: tuple[RunInvoice, ...]

    @property
    def amount(self) -> Money:
        """Their sum."""
        return sum_of(self.invoices)


def pay_day(settings: AutopaySettings, due_date: date, *, today: date) -> date:
    """The day on which an invoice is paid: as the payer set it, and never before they could be told in time."""
    earliest = today + timedelta(days=settings.notice_days)
    if settings.day_of_month:
        return _day_of_month(max(earliest, due_date), settings.day_of_month)
    return max(earliest, due_date - timedelta(days=settings.days_before_due))


def plan(settings: AutopaySettings, items: Iterable[DueItem], *, today: date) -> list[Planned]:
    """One payment for each day and currency, the earliest first. Planned as soon as the invoice is there."""
    by_day: dict[tuple[date, str], list[RunInvoice]] = {}
    for item in items:
        if not settings.covers(item) or item.amount_due.minor_units <= 0:
            continue
        day = pay_day(settings, item.due_date, today=today)
        invoice = RunInvoice(invoice_id=item.invoice_id, number=item.number, amount=item.amount_due)
        by_day.setdefault((day, item.amount_due.currency), []).append(invoice)
    return [
        Planned(pay_on=day, invoices=tuple(invoices))
        for (day, _), invoices in sorted(by_day.items(), key=lambda entry: entry[0])
    ]


def notice_day(run: Run, settings: AutopaySettings) -> date:
    """The day on which the payer is told of a run."""
    return run.pay_on - timedelta(days=settings.notice_days)


def day_after_notice(run: Run, settings: AutopaySettings, *, today: date) -> date:
    """When a run that is announced today may start: late news make a late payment."""
    return max(run.pay_on, today + timedelta(days=settings.notice_days))


def payable_at(run: Run, items: Iterable[DueItem], moment: datetime) -> tuple[RunInvoice, ...]:
    """What the run pays at a moment of what is due: its own invoices, less where that is early enough."""
    due = {item.invoice_id: item.due_at(moment) for item in items if item.customer_id == run.customer_id}
    payable = []
    for invoice in run.invoices:
        amount = due.get(invoice.invoice_id)
        if amount is not None and amount.currency == invoice.amount.currency and amount.minor_units > 0:
            payable.append(replace(invoice, amount=min(amount, invoice.amount)))
    return tuple(payable)


def is_hard(failure_code: str) -> bool:
    """Whether a charge that failed so must not be tried again."""
    return failure_code in HARD_DECLINES


def next_try_on(failure_code: str, *, tries: int, first_tried_on: date, today: date) -> date | None:
    """The day of the next try; None when it is given up. `tries` counts the one that has just failed.

    Without money on the account the next try waits for a day on which people are paid.
    """
    if is_hard(failure_code) or tries >= MAX_TRIES:
        return None
    day = max(first_tried_on + timedelta(days=RETRY_DAYS[max(tries, 1) - 1]), today + timedelta(days=1))
    if failure_code == "insufficient_funds":
        while not is_pay_day(day):
            day += timedelta(days=1)
    return day if day - first_tried_on <= TRIED_WITHIN else None


def is_pay_day(day: date) -> bool:
    """Whether wages usually come on this day: the 1st, the 15th, Fridays."""
    return day.day in PAY_DAYS_OF_MONTH or day.weekday() == FRIDAY


def check_may_skip(run: Run) -> None:
    """Raises AUTOPAY_RUN_CLOSED once a payment was started or the run is over."""
    if not (run.status.waits or run.status is RunStatus.SKIPPED):
        raise _closed()


def check_may_confirm(run: Run) -> None:
    """Raises AUTOPAY_RUN_CLOSED for a run that asks for nothing."""
    if run.status is not RunStatus.NEEDS_CONFIRMATION:
        raise _closed()


def sum_of(invoices: Sequence[RunInvoice]) -> Money:
    """The sum of what is paid of invoices, of which there is at least one."""
    return sum((one.amount for one in invoices), Money.zero(invoices[0].amount.currency))


def _closed() -> ServiceError:
    return ServiceError(
        Kind.FAILED_PRECONDITION,
        "AUTOPAY_RUN_CLOSED",
        "This automatic payment was started or is over. Please look at it again.",
    )


def _day_of_month(earliest: date, day: int) -> date:
    """The first date on or after `earliest` that is this day of its month (1 to 28)."""
    if earliest.day <= day:
        return earliest.replace(day=day)
    return date(earliest.year + earliest.month // 12, earliest.month % 12 + 1, day)

"""Fees for paying late: when they are charged and how much, by policy and within what the law allows."""

from calendar import monthrange
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum

from chassis.money import Money
from services.invoicing.domain.invoice import Invoice
from services.invoicing.domain.legal_rates import LegalRates
from services.invoicing.domain.pricing import round_half_up, share_of

_DAYS_OF_YEAR = 365
_NEXT_DAY = timedelta(days=1)


class PercentPer(StrEnum):
    """What a percentage is for."""

    YEAR = "year"
    PERIOD = "period"


class Repeat(StrEnum):
    """What periods are made of."""

    ONCE = "once"
    DAYS = "days"
    MONTHS = "months"


class LateFeeOutcome(StrEnum):
    """What became of a period."""

    CHARGED = "charged"
    SKIPPED = "skipped"


class SkipReason(StrEnum):
    """Why no fee was charged."""

    DISPUTED = "disputed"
    EINVOICE_REJECTED = "einvoice_rejected"
    ON_PLAN = "on_plan"
    PROMISED = "promised"
    ON_HOLD = "on_hold"
    IN_GRACE = "in_grace"
    NO_POLICY = "no_policy"
    BELOW_MINIMUM = "below_minimum"
    LEGAL_CAP = "legal_cap"
    CAP_REACHED = "cap_reached"


EXCUSING = frozenset(
    {
        SkipReason.DISPUTED,
        SkipReason.EINVOICE_REJECTED,
        SkipReason.ON_PLAN,
        SkipReason.PROMISED,
        SkipReason.ON_HOLD,
    }
)
"""Days on which one of these holds bear no interest, later neither."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LateFeePolicy:
    """For customers with the label `segment`, all others when it is empty, and invoices in the currency of `flat`."""

    policy_id: str
    name: str
    segment: str
    flat: Money
    percent: Decimal
    percent_per: PercentPer
    grace_days: int
    cap: Money | None
    cap_percent: Decimal | None
    min_due: Money
    repeat_every: int
    repeat: Repeat
    is_active: bool
    reference_rate: str = ""
    """A rate by law that a percentage of a year is added to; none when empty."""

    def first_day(self, due_date: date) -> date:
        """The first day on which a fee is charged."""
        return due_date + timedelta(days=self.grace_days) + _NEXT_DAY

    def next_day(self, due_date: date, today: date) -> date | None:
        """The first day after today on which a period begins; None when a fee is charged once.

        Periods that passed unseen are not made up for.
        """
        first = self.first_day(due_date)
        if self.repeat is Repeat.ONCE:
            return None
        if self.repeat is Repeat.DAYS:
            passed = max(0, (today - first).days) // self.repeat_every + 1
            return first + timedelta(days=passed * self.repeat_every)
        months = self.repeat_every
        while (day := _months_on(first, months)) <= today:
            months += self.repeat_every
        return day


@dataclass(frozen=True, slots=True)
class LateFeeCap:
    """What the law of a customer's country allows: interest in percent a year, and a flat fee for each period."""

    country: str
    annual_percent: Decimal
    flat: Money | None
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LateFee:
    """What became of a period of an invoice. A period that was skipped is looked at again on `next_on`."""

    invoice_id: str
    period_no: int
    decided_on: date
    outcome: LateFeeOutcome
    reason: SkipReason | None
    fee_invoice_id: str
    amount: Money
    policy_id: str
    next_on: date | None
    decided_at: datetime


def policy_for(
    policies: Sequence[LateFeePolicy], segments: Collection[str], currency: str
) -> LateFeePolicy | None:
    """The policy of the customer's first label that has one, else the one for all."""
    mine = {one.segment: one for one in policies if one.is_active and one.flat.currency == currency}
    return next((mine[segment] for segment in (*segments, "") if segment in mine), None)


def interest_since(invoice: Invoice, before: Sequence[LateFee], today: date) -> date:
    """The day from which interest has not been charged, nor excused: an excuse holds until it is looked at again."""
    days = [
        one.decided_on for one in before
        if one.outcome is LateFeeOutcome.CHARGED or one.reason in EXCUSING
    ]  # fmt: skip
    if before and before[-1].reason in EXCUSING:
        days.append(today - _NEXT_DAY)
    return max([invoice.due_date, *days])


def fee_of(
    invoice: Invoice,
    policy: LateFeePolicy,
    *,
    cap: LateFeeCap | None,
    before: Sequence[LateFee],
    today: date,
    rates: LegalRates | None = None,
) -> Money | SkipReason:
    """The fee for a period that begins, or why there is none. What is in dispute bears no fee."""
    zero = Money.zero(invoice.currency)
    base = invoice.due - invoice.in_dispute
    if base < policy.min_due or base.minor_units <= 0:
        return SkipReason.BELOW_MINIMUM
    since = interest_since(invoice, before, today)
    days = (today - since).days
    interest = share_of(base, policy.percent)
    if policy.percent_per is PercentPer.YEAR:
        interest = _interest_by_year(base, policy, since, today, rates or LegalRates())
    wanted = policy.flat + interest
    allowed = _within_law(
        policy.flat, interest, cap, _interest(base, cap.annual_percent, days) if cap else zero
    )
    left = _left_by_caps(invoice, policy, sum((one.amount for one in before), zero))
    fee = allowed if left is None else min(allowed, left)
    if fee.minor_units > 0:
        return fee
    if left is not None and left.minor_units <= 0:
        return SkipReason.CAP_REACHED
    return SkipReason.LEGAL_CAP if wanted.minor_units > 0 else SkipReason.BELOW_MINIMUM


def _within_law(flat: Money, interest: Money, cap: LateFeeCap | None, most_interest: Money) -> Money:
    if cap is None:
        return flat + interest
    if cap.flat is not None and cap.flat.currency == flat.currency:
        flat = min(flat, cap.flat)
    return flat + min(interest, most_interest)


def _left_by_caps(invoice: Invoice, policy: LateFeePolicy, charged: Money) -> Money | None:
    limits = []
    if policy.cap is not None:
        limits.append(policy.cap)
    if policy.cap_percent is not None:
        limits.append(share_of(invoice.total, policy.cap_percent))
    return min(limits) - charged if limits else None


def _interest(base: Money, percent: Decimal, days: int) -> Money:
    return round_half_up(base.minor_units * percent * max(0, days) / (100 * _DAYS_OF_YEAR), base.currency)


def _interest_by_year(
    base: Money, policy: LateFeePolicy, since: date, today: date, rates: LegalRates
) -> Money:
    """For the days after `since`; where there is a rate by law, day by day as it was in force."""
    if not policy.reference_rate:
        return _interest(base, policy.percent, (today - since).days)
    spans = rates.spans(policy.reference_rate, since + _NEXT_DAY, today)
    percent_days = sum((max(Decimal(0), rate + policy.percent) * days for days, rate in spans), Decimal(0))
    return round_half_up(base.minor_units * percent_days / (100 * _DAYS_OF_YEAR), base.currency)


def _months_on(day: date, months: int) -> date:
    year, month = divmod(day.month - 1 + months, 12)
    year += day.year
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))

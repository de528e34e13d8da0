"""What may be paid in parts: the rules of a policy, and what they allow for a debt."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, timedelta

from chassis.money import Money

BASIS_POINTS = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanRules:
    """The rules; amounts are minor units of the policy's currency, 0 means no limit where there can be one."""

    currency: str
    max_months: int = 6
    min_instalment_minor_units: int = 0
    min_debt_minor_units: int = 0
    max_debt_minor_units: int = 0
    auto_approve_minor_units: int = 0
    grace_days: int = 5
    missed_to_break: int = 1
    notice_days: int = 3
    max_hold_days: int = 45
    discount_basis_points: int = 0
    stops_dunning: bool = True
    stops_late_fees: bool = True
    stops_autopay: bool = False
    max_open_promises: int = 2
    max_promise_days: int = 30

    def allows_debt(self, total: Money) -> str:
        """Empty, or why a debt cannot be paid in parts."""
        if total.minor_units < max(1, self.min_debt_minor_units):
            return "PLAN_DEBT_TOO_SMALL"
        if self.max_debt_minor_units and total.minor_units > self.max_debt_minor_units:
            return "PLAN_DEBT_TOO_LARGE"
        return ""

    def is_decided_at_once(self, total: Money) -> bool:
        """Whether staff need not look at it."""
        return total.minor_units <= self.auto_approve_minor_units

    def most_discount(self, total: Money) -> Money:
        """The largest hardship discount, in whole minor units, rounded down."""
        return Money(total.minor_units * self.discount_basis_points // BASIS_POINTS, total.currency)

    def most_instalments(self, total: Money, *, days_between: int | None) -> int:
        """So many at most, by time and by the least amount; at least one. None stands for months."""
        by_time = self.max_months if days_between is None else max(1, self.max_months * 30 // days_between)
        by_amount = total.minor_units // max(1, self.min_instalment_minor_units)
        return max(1, min(by_time, by_amount, 60))

    def latest_first_on(self, today: date) -> date:
        """Last day that the first instalment may be due on."""
        return today + timedelta(days=self.max_hold_days)


def default_rules(currency: str) -> PlanRules:
    """What holds where nobody wrote a policy: staff decide, half a year at most, no discount."""
    one = 10 ** Money.zero(currency).exponent
    return PlanRules(currency=currency, min_instalment_minor_units=20 * one, min_debt_minor_units=50 * one)


def chosen_segment(segments: Collection[str], written: Collection[str]) -> str:
    """The policy that is a customer's: that of the first of their segments, by name, that has one; else everybody's."""
    return next((one for one in sorted(segments) if one and one in written), "")


@dataclass(frozen=True, slots=True)
class Signs:
    """What was seen of a customer in the last months."""

    failed_payments: int
    late_invoices: int
    part_payments: int
    broken_promises: int

    def as_pairs(self) -> list[tuple[str, int]]:
        """Those that were seen."""
        pairs = [
            ("failed_payments", self.failed_payments),
            ("late_invoices", self.late_invoices),
            ("part_payments", self.part_payments),
            ("broken_promises", self.broken_promises),
        ]
        return [(kind, count) for kind, count in pairs if count]

    @property
    def suggest_help(self) -> bool:
        """Two failed payments, two late invoices, or a late one with something else that points the same way.

        A single slip is none: being offered help without need is no kindness.
        """
        others = self.failed_payments + self.part_payments + self.broken_promises
        return (
            self.failed_payments >= 2 or self.late_invoices >= 2 or (self.late_invoices >= 1 and others >= 1)
        )

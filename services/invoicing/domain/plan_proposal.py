"""What a policy allows for a debt, and the instalments of one choice."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

from chassis.errors import Kind, ServiceError, invalid
from chassis.money import Money
from services.invoicing.domain.instalment_plan import (
    Choice,
    Instalment,
    Interval,
    PlanInvoice,
    instalments_of,
)
from services.invoicing.domain.plan_policy import PlanRules

FEWEST = 2
SUGGESTED = 3
SUGGESTED_FIRST_DAYS = 14
MOST_BY_STAFF = 60
LATEST_BY_STAFF_DAYS = 366
_DAYS_BETWEEN = {Interval.WEEK: 7, Interval.TWO_WEEKS: 14, Interval.MONTH: None}


@dataclass(frozen=True, slots=True)
class Option:
    """One possible number of instalments; `amount` is the largest of them."""

    instalments: int
    amount: Money
    last_due_on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """What is possible. `refusal` is empty or the reason for which there can be no plan within the policy."""

    customer_id: str
    invoices: tuple[PlanInvoice, ...]
    total: Money
    rules: PlanRules
    options: tuple[Option, ...]
    choice: Choice
    instalments: tuple[Instalment, ...]
    refusal: str
    within_policy: bool
    earliest_first_on: date
    latest_first_on: date

    @property
    def decided_at_once(self) -> bool:
        """Whether staff need not look at it."""
        return self.within_policy and self.rules.is_decided_at_once(self.total)

    def must_be_possible(self) -> None:
        """PLAN_NOT_ALLOWED when the policy has no plan for this debt."""
        if self.refusal:
            raise ServiceError(
                Kind.FAILED_PRECONDITION, "PLAN_NOT_ALLOWED",
                "This cannot be paid in instalments.", why=self.refusal,
            )  # fmt: skip

    def must_be_within_policy(self) -> None:
        """PLAN_NOT_ALLOWED, or PLAN_TERMS_NOT_ALLOWED when only this choice is not possible."""
        self.must_be_possible()
        if not self.within_policy:
            raise ServiceError(
                Kind.FAILED_PRECONDITION, "PLAN_TERMS_NOT_ALLOWED",
                "These instalments are not possible. Please choose others.",
            )  # fmt: skip


def propose(
    customer_id: str,
    invoices: Sequence[PlanInvoice],
    rules: PlanRules,
    choice: Choice,
    *,
    today: date,
    discount: Money | None = None,
) -> Proposal:
    """Everything that is possible for these invoices, less the discount, and the instalments of the choice."""
    nothing = Money.zero(rules.currency)
    debt = sum((one.due for one in invoices), nothing)
    total = debt - (discount or nothing)
    most = rules.most_instalments(total, days_between=_DAYS_BETWEEN[choice.interval])
    latest = rules.latest_first_on(today)
    first = choice.first_due_on or min(today + timedelta(days=SUGGESTED_FIRST_DAYS), latest)
    count = choice.instalments or max(1, min(SUGGESTED, most))
    _must_be_sane(count, first, today)
    chosen = replace(choice, instalments=count, first_due_on=first)
    refusal = rules.allows_debt(debt) or ("" if most >= FEWEST else "PLAN_DEBT_TOO_SMALL")
    options = tuple(_option(total, chosen, number, first) for number in range(FEWEST, most + 1))
    return Proposal(
        customer_id=customer_id,
        invoices=tuple(invoices),
        total=total,
        rules=rules,
        options=() if refusal else options,
        choice=chosen,
        instalments=instalments_of(total, chosen, first_due_on=first) if total.minor_units >= count else (),
        refusal=refusal,
        within_policy=not refusal and FEWEST <= count <= most and today <= first <= latest,
        earliest_first_on=today,
        latest_first_on=latest,
    )


def spread_discount(invoices: Sequence[PlanInvoice], discount: Money) -> list[PlanInvoice]:
    """The invoices with their parts of a discount, by what is due on them."""
    if discount.is_zero:
        return [replace(one, discount=discount) for one in invoices]
    parts = discount.allocate([one.due.minor_units for one in invoices])
    return [replace(one, discount=part) for one, part in zip(invoices, parts, strict=True)]


def _option(total: Money, choice: Choice, number: int, first: date) -> Option:
    parts = instalments_of(total, replace(choice, instalments=number), first_due_on=first)
    return Option(number, parts[0].amount, parts[-1].due_on)


def _must_be_sane(count: int, first: date, today: date) -> None:
    if not 1 <= count <= MOST_BY_STAFF:
        raise invalid("choice.instalments", "range", f"Between 1 and {MOST_BY_STAFF} instalments.")
    if not today <= first <= today + timedelta(days=LATEST_BY_STAFF_DAYS):
        raise invalid("choice.first_due_on", "range", "The first instalment is due today or within a year.")

"""What a paying company decided about its own people's payments."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from chassis.errors import Kind, ServiceError, invalid
from chassis.money import Money


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonLimit:
    """Most that one person may start; None: no limit."""

    person_id: str
    per_payment: Money | None = None
    per_month: Money | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PayerRuleSet:
    """The rules of a customer. Version 0: never set."""

    customer_id: str
    approval_above: Money | None = None
    approvals_needed: int = 0
    person_limits: tuple[PersonLimit, ...] = ()
    version: int = 0

    def approvals_for(self, amount: Money) -> int:
        """How many others must agree. A sum in another currency than the limit's cannot be compared: they must."""
        if self.approval_above is None or amount.is_zero:
            return 0
        is_below = amount.currency == self.approval_above.currency and amount <= self.approval_above
        return 0 if is_below else self.approvals_needed

    def limit_of(self, person_id: str) -> PersonLimit | None:
        """A person's limits, if the company set any."""
        return next((limit for limit in self.person_limits if limit.person_id == person_id), None)


def check_rules(rules: PayerRuleSet) -> None:
    """Raises INVALID_ARGUMENT for rules that mean nothing."""
    if rules.approval_above is not None:
        if rules.approval_above.is_negative:
            raise invalid("approval_above", "negative", "The limit must not be below zero.")
        if rules.approvals_needed < 1:
            raise invalid("approvals_needed", "required", "Say how many people must approve: one or two.")
    people = [limit.person_id for limit in rules.person_limits]
    if len(set(people)) != len(people):
        raise invalid("person_limits", "repeated_person", "Each person may be named once only.")
    for index, limit in enumerate(rules.person_limits):
        for name, money in (("per_payment", limit.per_payment), ("per_month", limit.per_month)):
            if money is not None and money.is_negative:
                raise invalid(f"person_limits[{index}].{name}", "negative", "A limit must not be below zero.")


def check_people(rules: PayerRuleSet, colleagues: Collection[str], before: PayerRuleSet) -> None:
    """Raises INVALID_ARGUMENT for somebody who neither belongs to the company nor was in its rules before."""
    known = {*colleagues, *(limit.person_id for limit in before.person_limits)}
    for index, limit in enumerate(rules.person_limits):
        if limit.person_id not in known:
            raise invalid(
                f"person_limits[{index}].person_id", "unknown", "Nobody of your company has this id."
            )


def check_limit(limit: PersonLimit, amount: Money, spent_this_month: Sequence[Money]) -> None:
    """Raises SPENDING_LIMIT_EXCEEDED. Other currencies than the limit's have no limit to be within."""
    _check(limit.per_payment, amount, "per_payment", "for one payment")
    if limit.per_month is not None:
        same = [money for money in spent_this_month if money.currency == amount.currency]
        _check(limit.per_month, sum(same, amount), "per_month", "for this month")


def _check(limit: Money | None, amount: Money, name: str, words: str) -> None:
    if limit is None or (limit.currency == amount.currency and amount <= limit):
        return
    raise ServiceError(
        Kind.FAILED_PRECONDITION,
        "SPENDING_LIMIT_EXCEEDED",
        f"This is more than your company allows you {words}. Please ask a colleague to pay.",
        limit=name,
    )

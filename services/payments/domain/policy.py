"""What an organization allows: ways to pay, limits and charges, for all customers or a segment of them."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from chassis.errors import Kind, ServiceError, invalid
from chassis.money import Money
from services.payments.domain.payment import Method
from services.payments.domain.surcharge import HUNDRED, Charge, ChargeKind

OFFERED = (
    Method.CARD,
    Method.WALLET,
    Method.BANK_DEBIT,
    Method.REDIRECT,
    Method.STABLECOIN,
    Method.BANK_TRANSFER,
    Method.CREDIT,
)
"""Ways that payers can choose, in the order in which they are shown; what staff record is not bound by policy."""
HIGHEST_PERCENT = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class MethodRule:
    """A rule for a method. Limits bind only payments in their currency; the surcharge is not counted."""

    method: Method
    segment: str = ""
    """Customers to whom it applies; empty for all."""
    allowed: bool = True
    minimum: Money | None = None
    maximum: Money | None = None
    charge: Charge = field(default_factory=Charge)

    def refusal_of(self, net: Money) -> str:
        """Why this sum cannot be paid so, for programs; empty if it can."""
        for limit, reason in ((self.minimum, "below_minimum"), (self.maximum, "above_maximum")):
            if limit is None or limit.currency != net.currency:
                continue
            if (net < limit) if reason == "below_minimum" else (net > limit):
                return reason
        return ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentPolicy:
    """The whole of it. Of a method's rules the first for a segment of the customer applies, else the first for all.

    Without either it is not offered.
    """

    rules: tuple[MethodRule, ...]
    allow_part_payment: bool = True
    min_part_payment: Money | None = None
    allow_prepayment: bool = True
    refund_window_days: int = 0
    return_fee: Money | None = None
    provider: str = ""
    """Who takes new payments; empty: whoever the service is set up with."""
    bank_change_cooling_off_hours: int = 24
    version: int = 0

    def rule_for(self, method: Method, segments: Collection[str]) -> MethodRule | None:
        """The rule that applies to a customer of these segments, if the method is allowed."""
        mine = [rule for rule in self.rules if rule.method is method]
        for rule in sorted(mine, key=lambda rule: not rule.segment):
            if not rule.segment or rule.segment in segments:
                return rule if rule.allowed else None
        return None

    def offered(self, segments: Collection[str]) -> list[MethodRule]:
        """Rules of the methods that a customer of these segments can use, in the order in which they are shown."""
        rules = (self.rule_for(method, segments) for method in OFFERED)
        return [rule for rule in rules if rule is not None]

    @property
    def limits_parts(self) -> bool:
        """Whether it matters how much is due of what is paid."""
        return not self.allow_part_payment or self.min_part_payment is not None


@dataclass(frozen=True, slots=True)
class Terms:
    """The policy as it applies to one customer."""

    policy: PaymentPolicy
    segments: frozenset[str] = frozenset()
    """Labels of the customer in invoicing, and the segment that was set here."""

    def find(self, method: Method) -> MethodRule | None:
        """The rule for a method, if it is allowed."""
        return self.policy.rule_for(method, self.segments)

    def rule(self, method: Method) -> MethodRule:
        """The rule for a method; PAYMENT_METHOD_NOT_ALLOWED."""
        rule = self.find(method)
        if rule is None:
            raise ServiceError(
                Kind.FAILED_PRECONDITION,
                "PAYMENT_METHOD_NOT_ALLOWED",
                "This way to pay is not offered. Please choose another.",
            )
        return rule

    def check_amount(self, rule: MethodRule, net: Money) -> None:
        """AMOUNT_NOT_ALLOWED if the sum lies outside of the method's limits."""
        refused = rule.refusal_of(net)
        if refused:
            limit = rule.minimum if refused == "below_minimum" else rule.maximum
            raise _amount_not_allowed(refused, limit)

    def check_prepayment(self, prepayment: Money) -> None:
        """AMOUNT_NOT_ALLOWED if money for no invoice is not taken."""
        if prepayment.minor_units > 0 and not self.policy.allow_prepayment:
            raise _amount_not_allowed("prepayment", None)

    def check_part(self, part: Money, due: Money) -> None:
        """PART_PAYMENT_NOT_ALLOWED or AMOUNT_NOT_ALLOWED if less than what is due is too little."""
        if part >= due:
            return
        if not self.policy.allow_part_payment:
            raise ServiceError(
                Kind.FAILED_PRECONDITION,
                "PART_PAYMENT_NOT_ALLOWED",
                "Invoices can only be paid in full here. Please pay the whole amount that is due.",
            )
        least = self.policy.min_part_payment
        if least is not None and least.currency == part.currency and part < min(least, due):
            raise _amount_not_allowed("below_minimum", least)


DEFAULT = PaymentPolicy(rules=tuple(MethodRule(method=method) for method in OFFERED))
"""What holds until an organization says otherwise: everything, for nothing on top."""


def check_policy(policy: PaymentPolicy, providers: Sequence[str]) -> None:
    """Refuse a policy that could not be kept, naming the field."""
    if policy.provider and policy.provider not in providers:
        raise invalid("policy.provider", "unknown_provider", "This provider is not set up here.")
    for index, rule in enumerate(policy.rules):
        _check_rule(rule, f"policy.rules[{index}]")
    for name, amount in (("min_part_payment", policy.min_part_payment), ("return_fee", policy.return_fee)):
        if amount is not None and amount.is_negative:
            raise invalid(f"policy.{name}", "negative", "The amount must not be less than zero.")
    if policy.refund_window_days < 0 or policy.bank_change_cooling_off_hours < 0:
        raise invalid("policy", "negative", "Days and hours must not be less than zero.")


def _check_rule(rule: MethodRule, field_name: str) -> None:
    if rule.method not in OFFERED:
        raise invalid(
            f"{field_name}.method", "not_offered", "Payers cannot choose this method; staff record it."
        )
    for name, limit in (("min", rule.minimum), ("max", rule.maximum)):
        if limit is not None and limit.is_negative:
            raise invalid(f"{field_name}.{name}", "negative", "The amount must not be less than zero.")
    if rule.minimum is not None and rule.maximum is not None:
        if rule.minimum.currency != rule.maximum.currency:
            raise invalid(f"{field_name}.max", "mixed_currencies", "Both limits must be in one currency.")
        if rule.minimum > rule.maximum:
            raise invalid(f"{field_name}.max", "below_minimum", "The most must not be less than the least.")
    charge = rule.charge
    if not 0 <= charge.percent <= HIGHEST_PERCENT:
        raise invalid(
            f"{field_name}.percent", "out_of_range", f"The percent must be from 0 to {HIGHEST_PERCENT}."
        )
    if charge.percent_cap is not None and not 0 <= charge.percent_cap <= HUNDRED:
        raise invalid(f"{field_name}.percent_cap", "out_of_range", "The cap must be from 0 to 100.")
    if charge.kind is ChargeKind.DISCOUNT and charge.fixed_minor_units:
        raise invalid(f"{field_name}.fixed_minor_units", "not_for_discounts", "A discount is a percent only.")


def _amount_not_allowed(why: str, limit: Money | None) -> ServiceError:
    text = {
        "below_minimum": "This is less than may be paid this way.",
        "above_maximum": "This is more than may be paid this way.",
        "prepayment": "More than what is due cannot be paid here.",
    }[why]
    error = ServiceError(Kind.FAILED_PRECONDITION, "AMOUNT_NOT_ALLOWED", text, why=why)
    if limit is not None:
        error.metadata.update(minor_units=str(limit.minor_units), currency=limit.currency)
    return error

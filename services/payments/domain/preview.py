"""What a payment would do, worked out by the same rules by which it is then made."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from chassis.money import Money
from services.payments.domain.payment import Method, Part
from services.payments.domain.policy import MethodRule, Terms


@dataclass(frozen=True, slots=True)
class Skipped:
    """An invoice that is left out: disputed, being_paid, paid, not_payable, other_currency."""

    invoice_id: str
    number: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What invoicing says that a payment would pay. `rest` is what no invoice takes of the amount asked for."""

    parts: tuple[Part, ...]
    dues: Mapping[str, Money]
    credit_used: Money
    rest: Money
    skipped: Sequence[Skipped]
    credit_available: Money
    payable: Money

    @property
    def net(self) -> Money:
        """What would have to be received."""
        total = sum((part.amount for part in self.parts), start=Money.zero(self.payable.currency))
        return total - self.credit_used + self.rest


@dataclass(frozen=True, slots=True)
class Offer:
    """A way to pay, what it costs, and why it cannot be used; empty if it can."""

    method: Method
    surcharge: Money
    amount: Money
    refused: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """A plan with what the organization allows and charges. `max_amount` is None when more may be paid in advance."""

    plan: Plan
    surcharge: Money
    amount: Money
    offers: Sequence[Offer]
    min_amount: Money
    max_amount: Money | None


def preview_of(plan: Plan, terms: Terms, method: Method | None) -> Preview:
    """The preview for a way to pay; the first that is offered if none is chosen. Raises what paying would raise."""
    terms.check_prepayment(plan.rest)
    for part in plan.parts:
        terms.check_part(part.amount, plan.dues[part.invoice_id])
    offers = _offers(plan, terms)
    net = plan.net
    surcharge = Money.zero(net.currency)
    if not net.is_zero:
        if method is not None and method is not Method.CREDIT:
            surcharge = terms.rule(method).charge.on(net)
        elif offers:
            surcharge = offers[0].surcharge
    return Preview(
        plan=plan,
        surcharge=surcharge,
        amount=net + surcharge,
        offers=offers,
        min_amount=_least(plan.payable, terms),
        max_amount=None if terms.policy.allow_prepayment else plan.payable,
    )


def _offers(plan: Plan, terms: Terms) -> list[Offer]:
    """Credit alone when it covers everything, all other ways when it does not."""
    net = plan.net
    rules = terms.policy.offered(terms.segments)
    if net.is_zero:
        covered = not plan.credit_used.is_zero
        return [
            Offer(Method.CREDIT, net, net, "") for rule in rules if rule.method is Method.CREDIT and covered
        ]
    return [_offer(rule, net) for rule in rules if rule.method is not Method.CREDIT]


def _offer(rule: MethodRule, net: Money) -> Offer:
    surcharge = rule.charge.on(net)
    return Offer(rule.method, surcharge, net + surcharge, rule.refusal_of(net))


def _least(payable: Money, terms: Terms) -> Money:
    policy = terms.policy
    if not policy.allow_part_payment:
        return payable
    least = policy.min_part_payment
    if least is not None and least.currency == payable.currency:
        return min(least, payable)
    return min(Money(1, payable.currency), payable)

"""The policy as a form: read from what is stored or typed, checked, and made into a request."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import cast

from chassis.money import Money
from services.gateway.console.settings.charge_example import Example, example
from services.gateway.web.forms import FieldErrors, Form
from services.gateway.web.languages import gettext as _
from services.gateway.web.typed import (
    amount_field,
    amount_words,
    number_field,
    plain_number,
    read_amount,
    to_message,
)
from tallyport.common.v1.money_pb2 import Money as MoneyMessage
from tallyport.payments.v1.payments_pb2 import PaymentMethodType
from tallyport.payments.v1.policies_pb2 import ChargeKind, MethodRule, PaymentPolicy

_T = PaymentMethodType
METHODS: Sequence["PaymentMethodType.ValueType"] = (
    _T.PAYMENT_METHOD_TYPE_CARD,
    _T.PAYMENT_METHOD_TYPE_WALLET,
    _T.PAYMENT_METHOD_TYPE_BANK_DEBIT,
    _T.PAYMENT_METHOD_TYPE_REDIRECT,
    _T.PAYMENT_METHOD_TYPE_STABLECOIN,
    _T.PAYMENT_METHOD_TYPE_BANK_TRANSFER,
    _T.PAYMENT_METHOD_TYPE_CREDIT,
)
"""What payers can choose, in the order in which they see it."""
_PERCENT = re.compile(r"[0-9]{1,2}([.,][0-9]{1,4})?")
_HIGHEST_PERCENT = 20
_LONGEST_DAYS = 3650
_EXAMPLE = 100
_SUMS = ("min_part_payment", "return_fee")
_COUNTS = ("refund_window_days", "bank_change_cooling_off_hours")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One rule as typed. `at` is its place, by which its fields are named."""

    at: int
    method: int
    currency: str
    """Of its limits."""
    segment: str = ""
    allowed: bool = False
    least: str = ""
    most: str = ""
    kind: int = ChargeKind.CHARGE_KIND_NONE
    percent: str = ""
    fixed: str = ""
    cap: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """The whole form as typed."""

    currency: str
    version: int
    provider: str
    rules: Sequence[Rule]
    allow_part_payment: bool
    allow_prepayment: bool
    texts: dict[str, str]
    """min_part_payment, return_fee, refund_window_days, bank_change_cooling_off_hours."""


def stored(policy: PaymentPolicy, currency: str) -> Policy:
    """What is in force, with a rule for every method."""
    rules = [_stored_rule(rule, currency) for rule in policy.rules if rule.method in METHODS]
    general = {rule.method for rule in rules if not rule.segment}
    rules += [Rule(at=0, method=method, currency=currency) for method in METHODS if method not in general]
    texts = {name: _text(policy, name) for name in _SUMS} | {
        name: str(getattr(policy, name)) for name in _COUNTS
    }
    return Policy(
        currency=currency,
        version=policy.version,
        provider=policy.provider,
        rules=ordered(rules),
        allow_part_payment=policy.allow_part_payment,
        allow_prepayment=policy.allow_prepayment,
        texts=texts,
    )


def typed(form: Form, currency: str) -> Policy:
    """What came back."""
    rules = [
        _typed_rule(form, int(at), currency) for at in form.all("rule") if at.isdecimal() and len(at) < 4
    ]
    version = form.text("version")
    return Policy(
        currency=currency,
        version=int(version) if version.isdecimal() and len(version) < 10 else 0,
        provider=form.text("provider")[:40],
        rules=[rule for rule in rules if rule.method in METHODS],
        allow_part_payment=form.checked("allow_part_payment"),
        allow_prepayment=form.checked("allow_prepayment"),
        texts={name: form.text(name) for name in (*_SUMS, *_COUNTS)},
    )


def ordered(rules: Sequence[Rule]) -> list[Rule]:
    """By method; a segment's rule comes before the one for all, since the first that fits applies."""
    order = {method: index for index, method in enumerate(METHODS)}
    kept = sorted(rules, key=lambda rule: (order[_method(rule)], not rule.segment, rule.segment, rule.at))
    return [replace(rule, at=at) for at, rule in enumerate(kept)]


def with_segment(policy: Policy, method: int, segment: str) -> Policy:
    """A rule for a segment more, beginning as the rule for all."""
    pattern = next((rule for rule in policy.rules if rule.method == method and not rule.segment), None)
    if pattern is None or not segment or _has(policy, method, segment):
        return policy
    return replace(policy, rules=ordered([*policy.rules, replace(pattern, segment=segment[:50])]))


def without(policy: Policy, at: int) -> Policy:
    """A segment's rule less."""
    kept = [rule for rule in policy.rules if rule.at != at or not rule.segment]
    return replace(policy, rules=ordered(kept))


def request_of(policy: Policy) -> tuple[PaymentPolicy, FieldErrors]:
    """What to send, and which fields are wrong."""
    errors = FieldErrors()
    message = PaymentPolicy(
        rules=[_rule_message(rule, policy.currency, errors) for rule in policy.rules],
        allow_part_payment=policy.allow_part_payment,
        allow_prepayment=policy.allow_prepayment,
        provider=policy.provider,
        version=policy.version,
    )
    for name in _SUMS:
        amount = _amount(name, policy.texts[name], policy.currency, errors)
        if amount is not None:
            getattr(message, name).CopyFrom(amount)
    for name in _COUNTS:
        count = policy.texts[name] or "0"
        if not count.isdecimal() or len(count) > 4 or int(count) > _LONGEST_DAYS:
            errors[name] = _("Please give a whole number from 0 to 3650.")
        else:
            setattr(message, name, int(count))
    return message, errors


def example_net(currency: str) -> Money:
    """100 of the currency."""
    return Money(_EXAMPLE * 10 ** Money.zero(currency).exponent, currency)


def examples(policy: Policy) -> dict[int, Example]:
    """By the rule's place: what an invoice of 100 comes to; none where the charge is not understood."""
    found = {}
    net = example_net(policy.currency)
    for rule in policy.rules:
        wrong = FieldErrors()
        message = _rule_message(rule, policy.currency, wrong)
        if not wrong:
            cap = Decimal(message.percent_cap) if message.percent_cap else None
            percent = Decimal(message.percent or 0)
            found[rule.at] = example(message.charge, percent, message.fixed_minor_units, cap, net)
    return found


def field_names(policy: Policy) -> dict[str, str]:
    """Fields of the contract to those of the form, for what the service refuses."""
    names = {"min": "least", "max": "most", "percent": "percent", "percent_cap": "cap"}
    names |= {"fixed_minor_units": "fixed", "method": "allowed"}
    found = {f"policy.{name}": name for name in (*_SUMS, *_COUNTS, "provider")}
    for rule in policy.rules:
        found |= {f"policy.rules[{rule.at}].{ours}": f"{name}_{rule.at}" for ours, name in names.items()}
    return found


def _method(rule: Rule) -> "PaymentMethodType.ValueType":
    return cast("PaymentMethodType.ValueType", rule.method)


def _has(policy: Policy, method: int, segment: str) -> bool:
    return any(rule.method == method and rule.segment == segment for rule in policy.rules)


def _text(message: PaymentPolicy | MethodRule, name: str) -> str:
    given = message.HasField(name)  # type: ignore[arg-type]
    return amount_field(getattr(message, name)) if given else ""


def _stored_rule(rule: MethodRule, currency: str) -> Rule:
    fixed = Money(rule.fixed_minor_units, currency)
    return Rule(
        at=0,
        method=rule.method,
        currency=rule.min.currency or rule.max.currency or currency,
        segment=rule.segment,
        allowed=rule.allowed,
        least=_text(rule, "min"),
        most=_text(rule, "max"),
        kind=rule.charge or ChargeKind.CHARGE_KIND_NONE,
        percent=number_field(rule.percent),
        fixed="" if fixed.is_zero else amount_field(fixed),
        cap=number_field(rule.percent_cap),
    )


def _typed_rule(form: Form, at: int, currency: str) -> Rule:
    def number(name: str) -> int:
        text = form.text(f"{name}_{at}")
        return int(text) if text.isdecimal() and len(text) < 3 else 0

    return Rule(
        at=at,
        method=number("method"),
        currency=form.text(f"currency_{at}")[:3] or currency,
        segment=form.text(f"segment_{at}")[:50],
        allowed=form.checked(f"allowed_{at}"),
        least=form.text(f"least_{at}"),
        most=form.text(f"most_{at}"),
        kind=number("kind") or ChargeKind.CHARGE_KIND_NONE,
        percent=form.text(f"percent_{at}"),
        fixed=form.text(f"fixed_{at}"),
        cap=form.text(f"cap_{at}"),
    )


def _amount(name: str, text: str, currency: str, errors: FieldErrors) -> MoneyMessage | None:
    amount = read_amount(text, currency) if text else None
    if text and amount is None:
        errors[name] = amount_words(text, currency)
    return to_message(amount) if amount is not None else None


def _decimal(name: str, text: str, highest: int, errors: FieldErrors) -> str:
    number = plain_number(text)
    if number and (not _PERCENT.fullmatch(number) or Decimal(number) > highest):
        errors[name] = _("Please give a percentage from 0 to %(highest)s, like 2.9.") % {"highest": highest}
        return ""
    return number


def _rule_message(rule: Rule, currency: str, errors: FieldErrors) -> MethodRule:
    fixed = read_amount(rule.fixed, currency) if rule.fixed else None
    if rule.fixed and (fixed is None or fixed.minor_units > 100_000):
        errors[f"fixed_{rule.at}"] = _("Please write an amount up to 1000.00.")
        fixed = None
    charges = rule.kind != ChargeKind.CHARGE_KIND_NONE
    is_discount = rule.kind == ChargeKind.CHARGE_KIND_DISCOUNT
    percent = _decimal(f"percent_{rule.at}", rule.percent, _HIGHEST_PERCENT, errors)
    cap = _decimal(f"cap_{rule.at}", rule.cap, 99, errors)
    return MethodRule(
        method=_method(rule),
        segment=rule.segment,
        allowed=rule.allowed,
        min=_amount(f"least_{rule.at}", rule.least, rule.currency, errors),
        max=_amount(f"most_{rule.at}", rule.most, rule.currency, errors),
        charge=cast("ChargeKind.ValueType", rule.kind),
        percent=percent if charges else "",
        fixed_minor_units=fixed.minor_units if fixed is not None and charges and not is_discount else 0,
        percent_cap=cap if charges and not is_discount else "",
    )

"""Policies between messages and domain."""

from collections.abc import Mapping
from decimal import Decimal

from chassis.money import Money
from services.payments.domain.policy import MethodRule, PaymentPolicy
from services.payments.domain.surcharge import Charge, ChargeKind
from services.payments.translate.payments import (
    from_proto_method,
    from_proto_money,
    to_proto_method,
    to_proto_money_or_none,
)
from tallyport.payments.v1 import policies_pb2

_KIND: Mapping[ChargeKind, "policies_pb2.ChargeKind.ValueType"] = {
    ChargeKind.NONE: policies_pb2.CHARGE_KIND_NONE,
    ChargeKind.ADD: policies_pb2.CHARGE_KIND_ADD,
    ChargeKind.GROSS_UP: policies_pb2.CHARGE_KIND_GROSS_UP,
    ChargeKind.DISCOUNT: policies_pb2.CHARGE_KIND_DISCOUNT,
}
_KIND_OF: Mapping[int, ChargeKind] = {int(number): kind for kind, number in _KIND.items()}


def to_proto_policy(policy: PaymentPolicy) -> policies_pb2.PaymentPolicy:
    """A policy as the contract has it."""
    return policies_pb2.PaymentPolicy(
        rules=[_to_proto_rule(rule) for rule in policy.rules],
        allow_part_payment=policy.allow_part_payment,
        min_part_payment=to_proto_money_or_none(policy.min_part_payment),
        allow_prepayment=policy.allow_prepayment,
        refund_window_days=policy.refund_window_days,
        return_fee=to_proto_money_or_none(policy.return_fee),
        provider=policy.provider,
        version=policy.version,
        bank_change_cooling_off_hours=policy.bank_change_cooling_off_hours,
    )


def from_proto_policy(message: policies_pb2.PaymentPolicy) -> PaymentPolicy:
    """A policy of a request."""
    return PaymentPolicy(
        rules=tuple(
            _from_proto_rule(rule, f"policy.rules[{index}]") for index, rule in enumerate(message.rules)
        ),
        allow_part_payment=message.allow_part_payment,
        min_part_payment=_money(message, "min_part_payment", "policy"),
        allow_prepayment=message.allow_prepayment,
        refund_window_days=message.refund_window_days,
        return_fee=_money(message, "return_fee", "policy"),
        provider=message.provider,
        version=message.version,
        bank_change_cooling_off_hours=message.bank_change_cooling_off_hours,
    )


def _to_proto_rule(rule: MethodRule) -> policies_pb2.MethodRule:
    charge = rule.charge
    return policies_pb2.MethodRule(
        method=to_proto_method(rule.method),
        segment=rule.segment,
        allowed=rule.allowed,
        min=to_proto_money_or_none(rule.minimum),
        max=to_proto_money_or_none(rule.maximum),
        charge=_KIND[charge.kind],
        percent=f"{charge.percent:f}" if charge.percent else "",
        fixed_minor_units=charge.fixed_minor_units,
        percent_cap="" if charge.percent_cap is None else f"{charge.percent_cap:f}",
    )


def _from_proto_rule(message: policies_pb2.MethodRule, field: str) -> MethodRule:
    return MethodRule(
        method=from_proto_method(message.method),
        segment=message.segment,
        allowed=message.allowed,
        minimum=_money(message, "min", field),
        maximum=_money(message, "max", field),
        charge=Charge(
            kind=_KIND_OF.get(message.charge, ChargeKind.NONE),
            percent=Decimal(message.percent or 0),
            fixed_minor_units=message.fixed_minor_units,
            percent_cap=Decimal(message.percent_cap) if message.percent_cap else None,
        ),
    )


def _money(
    message: policies_pb2.PaymentPolicy | policies_pb2.MethodRule, name: str, field: str
) -> Money | None:
    if not message.HasField(name):  # type: ignore[arg-type]
        return None
    return from_proto_money(getattr(message, name), f"{field}.{name}")

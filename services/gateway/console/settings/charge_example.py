"""What a charge comes to on one sum, for the line below it. Payments works out the real ones, by the same rule."""

from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_UP, Decimal

from chassis.money import Money
from tallyport.payments.v1.policies_pb2 import ChargeKind

_HUNDRED = Decimal(100)


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """`received` is what is left when the provider keeps the same percent and fixed part of the total."""

    total: Money
    received: Money


def example(
    kind: "ChargeKind.ValueType", percent: Decimal, fixed_minor_units: int, cap: Decimal | None, net: Money
) -> Example:
    """On `net`, which is more than zero; `percent` below 100."""
    units = net.minor_units
    if kind == ChargeKind.CHARGE_KIND_ADD:
        charged = _percent(percent, units) + fixed_minor_units
    elif kind == ChargeKind.CHARGE_KIND_GROSS_UP:
        charged = _gross(units, percent, fixed_minor_units) - units
    elif kind == ChargeKind.CHARGE_KIND_DISCOUNT:
        charged = -min(_percent(percent, units), units)
    else:
        charged = 0
    if cap is not None and charged > 0:
        charged = min(charged, int((units * cap / _HUNDRED).to_integral_value(ROUND_FLOOR)))
    total = units + charged
    kept = _percent(percent, total) + fixed_minor_units
    return Example(total=Money(total, net.currency), received=Money(max(0, total - kept), net.currency))


def _gross(net_units: int, percent: Decimal, fixed: int) -> int:
    """The least total of which `net_units` are left."""
    share = (_HUNDRED - percent) / _HUNDRED
    total = int(((net_units + fixed) / share).to_integral_value(ROUND_CEILING)) + 1
    while total - 1 - _percent(percent, total - 1) - fixed >= net_units:
        total -= 1
    return total


def _percent(percent: Decimal, units: int) -> int:
    return int((units * percent / _HUNDRED).to_integral_value(ROUND_HALF_UP))

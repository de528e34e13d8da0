"""What a way to pay costs the payer more, or less, worked out in integers: no float ever touches money."""

from dataclasses import dataclass
from decimal import ROUND_FLOOR, ROUND_HALF_UP, Decimal
from enum import StrEnum

from chassis.money import Money

HUNDRED = Decimal(100)


class ChargeKind(StrEnum):
    """How a surcharge is worked out."""

    NONE = "none"
    ADD = "add"
    GROSS_UP = "gross_up"
    DISCOUNT = "discount"


@dataclass(frozen=True, slots=True, kw_only=True)
class Charge:
    """Percent of the sum and a fixed part in minor units; `percent_cap` is the most that the law allows."""

    kind: ChargeKind = ChargeKind.NONE
    percent: Decimal = Decimal(0)
    fixed_minor_units: int = 0
    percent_cap: Decimal | None = None

    def on(self, net: Money) -> Money:
        """The surcharge on what is to be received, negative for a discount; zero when nothing is charged."""
        if self.kind is ChargeKind.NONE or net.minor_units <= 0:
            return Money.zero(net.currency)
        if self.kind is ChargeKind.DISCOUNT:
            return Money(-min(_percent(self.percent, net.minor_units), net.minor_units), net.currency)
        if self.kind is ChargeKind.ADD:
            units = _percent(self.percent, net.minor_units) + self.fixed_minor_units
        else:
            units = self._gross(net.minor_units) - net.minor_units
        if self.percent_cap is not None:
            cap = net.minor_units * self.percent_cap / HUNDRED
            units = min(units, int(cap.to_integral_value(ROUND_FLOOR)))
        return Money(units, net.currency)

    def fee_of(self, total_units: int) -> int:
        """What a provider keeps of a total, in minor units, when its prices are this percent and fixed part."""
        return _percent(self.percent, total_units) + self.fixed_minor_units

    def _gross(self, net_units: int) -> int:
        """The least total of which at least `net_units` are left; what is left rises by 0 or 1, so exactly those."""
        share = (HUNDRED - self.percent) / HUNDRED
        total = int(((net_units + self.fixed_minor_units) / share).to_integral_value(ROUND_FLOOR))
        while total - self.fee_of(total) < net_units:
            total += 1
        while total - 1 - self.fee_of(total - 1) >= net_units:
            total -= 1
        return total


def _percent(percent: Decimal, units: int) -> int:
    return int((units * percent / HUNDRED).to_integral_value(ROUND_HALF_UP))

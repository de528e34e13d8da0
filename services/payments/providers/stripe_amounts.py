"""Amounts as Stripe writes them: its own table of exponents, which differs from ISO 4217 in a few currencies.

Source: Stripe's documentation, "Supported currencies": zero-decimal currencies, three-decimal currencies (whole tens
only), and the special cases of ISK, MGA and UGX.
"""

from decimal import Decimal

from chassis.money import Money

_EXPONENTS = {"MGA": 0, "ISK": 2, "UGX": 2}
"""Where Stripe's exponent is not the ISO one."""
_WHOLE_TENS = frozenset({"BHD", "JOD", "KWD", "OMR", "TND"})


class AmountNotChargeableError(ValueError):
    """Stripe cannot charge this very amount; nothing may be rounded in silence."""


def to_stripe(money: Money) -> int:
    """The amount in Stripe's unit. AmountNotChargeableError if it does not fit exactly."""
    exponent = _EXPONENTS.get(money.currency, money.exponent)
    units = Decimal(money.minor_units).scaleb(exponent - money.exponent)
    if units != units.to_integral_value():
        raise AmountNotChargeableError(f"{money} has a fraction that Stripe does not know")
    if money.currency in _WHOLE_TENS and int(units) % 10:
        raise AmountNotChargeableError(f"{money} does not end in zero, as Stripe wants it")
    if money.currency in ("ISK", "UGX") and int(units) % 100:
        raise AmountNotChargeableError(f"{money} is not whole")
    return int(units)


def from_stripe(units: int, currency: str) -> Money:
    """An amount of Stripe's, whose currencies are in lower case. ValueError if it is none."""
    code = currency.upper()
    money = Money.zero(code)
    minor = Decimal(units).scaleb(money.exponent - _EXPONENTS.get(code, money.exponent))
    if minor != minor.to_integral_value():
        raise ValueError(f"{units} {code} is not whole")
    return Money(int(minor), code)

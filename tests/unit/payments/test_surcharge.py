"""Surcharges: what the organization keeps is the invoice, to the cent, in every currency."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.money import Money
from services.payments.domain.surcharge import Charge, ChargeKind

CURRENCIES = ("USD", "EUR", "JPY", "KWD", "CLF")  # two, two, no, three and four digits
nets = st.builds(Money, st.integers(1, 10**12), st.sampled_from(CURRENCIES))
percents = st.decimals(0, 20, places=4, allow_nan=False, allow_infinity=False)
fixed = st.integers(0, 100_000)


@given(nets, percents, fixed)
def test_after_the_provider_has_kept_its_share_the_sum_is_left(
    net: Money, percent: Decimal, units: int
) -> None:
    charge = Charge(kind=ChargeKind.GROSS_UP, percent=percent, fixed_minor_units=units)
    total = net + charge.on(net)
    kept = Money(charge.fee_of(total.minor_units), net.currency)
    assert total - kept == net
    exact_fee = total.minor_units * percent / 100 + units  # a provider that rounds in another way
    for fee in (int(exact_fee), int(exact_fee) + 1):
        assert abs(total.minor_units - fee - net.minor_units) <= 1


@given(nets, percents, fixed, st.sampled_from(list(ChargeKind)))
def test_a_surcharge_has_the_sign_of_its_kind_and_the_currency_of_the_sum(
    net: Money, percent: Decimal, units: int, kind: ChargeKind
) -> None:
    surcharge = Charge(kind=kind, percent=percent, fixed_minor_units=units).on(net)
    assert surcharge.currency == net.currency
    if kind is ChargeKind.NONE:
        assert surcharge.is_zero
    elif kind is ChargeKind.DISCOUNT:
        assert -net.minor_units <= surcharge.minor_units <= 0
    else:
        assert surcharge.minor_units >= units


@given(nets, percents, fixed, percents)
def test_the_law_caps_a_surcharge(net: Money, percent: Decimal, units: int, cap: Decimal) -> None:
    for kind in (ChargeKind.ADD, ChargeKind.GROSS_UP):
        charge = Charge(kind=kind, percent=percent, fixed_minor_units=units, percent_cap=cap)
        assert charge.on(net).minor_units <= net.minor_units * cap / 100


@pytest.mark.parametrize(
    ("kind", "net", "surcharge"),
    [
        (ChargeKind.ADD, 10_000, 320),
        (ChargeKind.GROSS_UP, 10_000, 330),
        (ChargeKind.DISCOUNT, 10_000, -290),
        (ChargeKind.NONE, 10_000, 0),
    ],
)
def test_two_point_nine_percent_and_thirty_cents(kind: ChargeKind, net: int, surcharge: int) -> None:
    charge = Charge(kind=kind, percent=Decimal("2.9"), fixed_minor_units=30)
    assert charge.on(Money(net, "USD")) == Money(surcharge, "USD")


@pytest.mark.parametrize("kind", list(ChargeKind))
def test_nothing_is_put_on_what_is_not_charged(kind: ChargeKind) -> None:
    charge = Charge(kind=kind, percent=Decimal(3), fixed_minor_units=30)
    assert charge.on(Money.zero("USD")).is_zero

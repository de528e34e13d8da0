"""The example below a charge says what payments really charges."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.money import Money
from services.gateway.console.settings.charge_example import example
from services.payments.domain.surcharge import Charge
from services.payments.domain.surcharge import ChargeKind as Kind
from tallyport.payments.v1.policies_pb2 import ChargeKind

KINDS = {
    ChargeKind.CHARGE_KIND_NONE: Kind.NONE,
    ChargeKind.CHARGE_KIND_ADD: Kind.ADD,
    ChargeKind.CHARGE_KIND_GROSS_UP: Kind.GROSS_UP,
    ChargeKind.CHARGE_KIND_DISCOUNT: Kind.DISCOUNT,
}
hundredths = st.integers(0, 2000).map(lambda number: Decimal(number) / 100)


@given(
    kind=st.sampled_from(list(KINDS)),
    percent=hundredths,
    fixed=st.integers(0, 500),
    cap=st.none() | hundredths,
    net=st.integers(1, 10_000_000),
)
def test_the_example_is_what_payments_charges(
    kind: "ChargeKind.ValueType", percent: Decimal, fixed: int, cap: Decimal | None, net: int
) -> None:
    sum_net = Money(net, "USD")
    charge = Charge(kind=KINDS[kind], percent=percent, fixed_minor_units=fixed, percent_cap=cap)
    shown = example(kind, percent, fixed, cap, sum_net)
    assert shown.total == sum_net + charge.on(sum_net)


@pytest.mark.parametrize(
    ("percent", "fixed", "total"), [("2.8", 30, 10319), ("2.9", 30, 10330), ("0", 0, 10000)]
)
def test_with_a_gross_up_the_whole_invoice_is_received(percent: str, fixed: int, total: int) -> None:
    shown = example(ChargeKind.CHARGE_KIND_GROSS_UP, Decimal(percent), fixed, None, Money(10_000, "USD"))
    assert (shown.total.minor_units, shown.received.minor_units) == (total, 10_000)

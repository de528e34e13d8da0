"""Sums of an invoice: whatever lines, discounts and taxes there are, everything adds up as EN 16931 wants it."""

from decimal import ROUND_HALF_UP, Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from chassis.money import Money
from services.invoicing.domain.pricing import Line, Tax, TaxCategory, share_of, totals

NORMAL = (Tax("", Decimal(19), TaxCategory.STANDARD),)
REDUCED = (Tax("", Decimal(7), TaxCategory.STANDARD),)
TWO = (
    Tax("State", Decimal("4.5"), TaxCategory.STANDARD),
    Tax("County", Decimal("3.875"), TaxCategory.STANDARD),
)
NONE = (Tax("", Decimal(0), TaxCategory.REVERSE_CHARGE, "Reverse charge"),)


def eur(minor_units: int) -> Money:
    return Money(minor_units, "EUR")


def line(minor_units: int, taxes: tuple[Tax, ...] = NORMAL, quantity: str = "1", percent: str = "0") -> Line:
    rate = sum((tax.rate_percent for tax in taxes), Decimal(0))
    return Line(
        "Rope", Decimal(quantity), eur(minor_units), rate, taxes=taxes, discount_percent=Decimal(percent)
    )


@st.composite
def lines(draw: st.DrawFn) -> list[Line]:
    return [
        line(
            draw(st.integers(1, 1_000_000)),
            draw(st.sampled_from([NORMAL, REDUCED, TWO, NONE])),
            draw(st.sampled_from(["1", "2.5", "0.3333", "12"])),
            draw(st.sampled_from(["0", "10", "33.3333", "100"])),
        )
        for _ in range(draw(st.integers(1, 12)))
    ]


@settings(max_examples=200)
@given(lines(), st.sampled_from(["0", "5", "33.3333"]), st.booleans())
def test_everything_adds_up(some: list[Line], percent: str, inclusive: bool) -> None:
    sums = totals(some, "EUR", discount_percent=Decimal(percent), prices_include_tax=inclusive)
    zero = eur(0)
    assert sums.lines_total == sum((one.amount for one in some), zero)  # BT-106
    assert sum((group.discount for group in sums.groups), zero) == sums.discount  # BT-107
    assert sum((group.taxable for group in sums.groups), zero) == sums.subtotal  # BT-109
    assert sum((group.tax for group in sums.groups), zero) == sums.tax_total  # BT-110
    assert sums.total == sums.subtotal + sums.tax_total  # BT-112
    if inclusive:
        assert sums.total == sums.lines_total - sums.discount
    for group in sums.groups:
        exact = Decimal(group.taxable.minor_units) * group.rate_percent / 100
        assert abs(group.tax.minor_units - exact) < 1 + len(group.taxes)  # BR-CO-17 with its tolerance


@given(st.integers(1, 10_000_000), st.sampled_from(["19", "7", "25.5", "8.1", "5.5"]))
def test_tax_taken_out_of_a_price_is_the_tax_put_on_what_is_left(minor_units: int, rate: str) -> None:
    taxes = (Tax("", Decimal(rate), TaxCategory.STANDARD),)
    (group,) = totals([line(minor_units, taxes)], "EUR", prices_include_tax=True).groups
    again = Decimal(group.taxable.minor_units) * Decimal(rate) / 100
    assert abs(again.quantize(Decimal(1), ROUND_HALF_UP) - group.tax.minor_units) <= 1
    assert group.taxable + group.tax == eur(minor_units)


def test_a_discount_is_shared_among_rates_to_the_cent() -> None:
    sums = totals([line(10_000), line(5_000, REDUCED)], "EUR", discount_amount=eur(100))
    assert [(group.rate_percent, group.discount) for group in sums.groups] == [
        (Decimal(7), eur(33)),
        (Decimal(19), eur(67)),
    ]
    assert sums.tax_total == share_of(eur(4_967), Decimal(7)) + share_of(eur(9_933), Decimal(19))


def test_several_taxes_on_a_line_are_each_rounded_once() -> None:
    sums = totals([line(999, TWO), line(1, TWO)], "EUR")
    assert [(tax.name, tax.tax) for tax in sums.taxes] == [("State", eur(45)), ("County", eur(39))]


def test_a_line_discount_comes_off_before_tax() -> None:
    sums = totals([line(1_000, quantity="3", percent="10")], "EUR")
    assert (sums.lines_total, sums.total) == (eur(2_700), eur(3_213))


def test_no_tax_is_a_group_of_its_own() -> None:
    sums = totals([line(1_000, NONE), line(1_000)], "EUR")
    assert [(group.category, group.tax) for group in sums.groups] == [
        (TaxCategory.REVERSE_CHARGE, eur(0)),
        (TaxCategory.STANDARD, eur(190)),
    ]

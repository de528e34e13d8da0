"""However an invoice is credited, its taxes end up mirrored to the cent."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from chassis.money import Money
from services.invoicing.domain.pricing import Tax, TaxCategory
from services.invoicing.domain.tax_correction import Share, correct, left_of, spread, take_back

_RATES = st.sampled_from(["0", "7", "19", "8.875"])


@st.composite
def _shares(draw: st.DrawFn) -> list[Share]:
    shares = []
    for group_no in range(draw(st.integers(1, 4))):
        rates = draw(st.lists(_RATES, min_size=1, max_size=3))
        taxes = tuple(Tax(f"Tax {rate}", Decimal(rate), TaxCategory.STANDARD) for rate in rates)
        taxable = Money(draw(st.integers(1, 100_000)), "EUR")
        amounts = tuple(Money(int(taxable.minor_units * Decimal(rate) / 100), "EUR") for rate in rates)
        shares.append(Share(group_no, taxes, taxable, amounts))
    return shares


def _sum(amounts: list[Money]) -> Money:
    return sum(amounts, Money.zero("EUR"))


@given(_shares(), st.lists(st.integers(1, 60), max_size=8), st.booleans())
def test_reductions_add_up_to_the_invoice_and_never_to_more(
    shares: list[Share], percents: list[int], goes_back: bool
) -> None:
    corrected: dict[int, Money] = {}
    found = []
    for percent in [*percents, 100]:
        left = left_of(shares, corrected)
        everything = _sum(list(left.values()))
        amount = Money(everything.minor_units * percent // 100, "EUR")
        if amount.is_zero:
            continue
        by_group = spread(amount, left)
        assert _sum(list(by_group.values())) == amount
        made = correct(shares, corrected, by_group)
        assert _sum([one.whole for one in made]) == amount
        assert all(one.taxable.minor_units >= 0 and one.tax.minor_units >= 0 for one in made)
        found += made
        for one in made:
            before = corrected.get(one.share.group_no, Money.zero("EUR"))
            corrected[one.share.group_no] = before + one.whole
    for share in shares:
        mine = [one for one in found if one.share.group_no == share.group_no]
        assert _sum([one.taxable for one in mine]) == share.taxable
        for at, amount in enumerate(share.amounts):
            assert _sum([one.amounts[at] for one in mine]) == amount
    if goes_back:
        back = correct(shares, corrected, take_back(_sum(list(corrected.values())), corrected))
        assert _sum([one.tax for one in back]) == -_sum([amount for one in shares for amount in one.amounts])

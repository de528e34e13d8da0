"""Lines, discounts, taxes and the sums they come to, as EN 16931 works them out."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum

from chassis.money import Money

ONE_PIECE = "C62"
"""Unit of a line that names none, as UN/ECE Recommendation 20 has it."""
_HUNDRED = Decimal(100)


class TaxCategory(StrEnum):
    """Why a line is taxed as it is: the part of UN/CEFACT 5305 that EN 16931 allows."""

    STANDARD = "S"
    ZERO = "Z"
    EXEMPT = "E"
    REVERSE_CHARGE = "AE"
    INTRA_COMMUNITY = "K"
    EXPORT = "G"
    OUTSIDE_SCOPE = "O"


@dataclass(frozen=True, slots=True)
class Tax:
    """One tax on a line. Only the standard category has a rate above zero; a line may bear several."""

    name: str
    rate_percent: Decimal
    category: TaxCategory
    exemption_reason: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """What was sold. `unit_price` is without tax unless the invoice's prices include it.

    `tax_rate_percent` is the sum of its taxes; `taxes` names them where there is more to say than one rate.
    A discount is either an amount or a percentage; `amount` is what is left, rounded half up to minor units.
    """

    description: str
    quantity: Decimal
    unit_price: Money
    tax_rate_percent: Decimal
    item_id: str | None = None
    taxes: tuple[Tax, ...] = ()
    discount_percent: Decimal = Decimal(0)
    discount_amount: Money | None = None
    sku: str = ""
    unit_code: str = ONE_PIECE
    period_start: date | None = None
    period_end: date | None = None

    @property
    def full_amount(self) -> Money:
        """Quantity times price. ValueError beyond the bounds of Money."""
        return round_half_up(self.quantity * self.unit_price.minor_units, self.unit_price.currency)

    @property
    def discount(self) -> Money:
        """What is taken off."""
        if self.discount_amount is not None:
            return self.discount_amount
        return share_of(self.full_amount, self.discount_percent)

    @property
    def amount(self) -> Money:
        """What the line comes to. ValueError beyond the bounds of Money."""
        return self.full_amount - self.discount

    @property
    def all_taxes(self) -> tuple[Tax, ...]:
        """The taxes, also of a line that only has a rate."""
        if self.taxes:
            return self.taxes
        category = TaxCategory.STANDARD if self.tax_rate_percent else TaxCategory.ZERO
        return (Tax("", self.tax_rate_percent, category),)


@dataclass(frozen=True, slots=True)
class TaxTotal:
    """One tax on all lines that bear the same taxes, rounded once."""

    rate_percent: Decimal
    taxable: Money
    tax: Money
    name: str = ""
    category: TaxCategory = TaxCategory.STANDARD
    exemption_reason: str = ""


@dataclass(frozen=True, slots=True)
class TaxGroup:
    """Lines that bear the same taxes: what they come to, their share of the invoice's discount, and the taxes.

    In EN 16931 a group is one VAT breakdown (BG-23) and one document level allowance (BG-20).
    """

    taxes: tuple[Tax, ...]
    lines_total: Money
    discount: Money
    taxable: Money
    amounts: tuple[Money, ...]

    @property
    def category(self) -> TaxCategory:
        return self.taxes[0].category

    @property
    def rate_percent(self) -> Decimal:
        return sum((tax.rate_percent for tax in self.taxes), Decimal(0))

    @property
    def tax(self) -> Money:
        return sum(self.amounts, Money.zero(self.taxable.currency))


@dataclass(frozen=True, slots=True)
class Totals:
    """Sums of an invoice. `subtotal` is without tax and after the discount; `total` is what there is to pay."""

    lines_total: Money
    discount: Money
    subtotal: Money
    groups: tuple[TaxGroup, ...]
    tax_total: Money
    total: Money

    @property
    def taxes(self) -> tuple[TaxTotal, ...]:
        """Every tax of every group, the lowest rate first."""
        return tuple(
            TaxTotal(tax.rate_percent, group.taxable, amount, tax.name, tax.category, tax.exemption_reason)
            for group in self.groups
            for tax, amount in zip(group.taxes, group.amounts, strict=True)
        )


def totals(
    lines: Sequence[Line],
    currency: str,
    *,
    discount_percent: Decimal = Decimal(0),
    discount_amount: Money | None = None,
    prices_include_tax: bool = False,
) -> Totals:
    """Sum lines, discount and taxes: each tax is worked out once on the sum of the lines that bear it.

    The invoice's discount is shared among groups by the largest remainder; where prices include tax, the tax is taken
    out of each group's sum. TypeError for another currency, ValueError beyond the bounds of Money.
    """
    zero = Money.zero(currency)
    by_taxes: dict[tuple[Tax, ...], Money] = {}
    for line in lines:
        by_taxes[line.all_taxes] = by_taxes.get(line.all_taxes, zero) + line.amount
    ordered = sorted(by_taxes.items(), key=lambda group: _order(group[0]))
    lines_total = sum(by_taxes.values(), zero)
    discount = share_of(lines_total, discount_percent) if discount_amount is None else discount_amount
    shares = _shares(discount, [amount for _, amount in ordered])
    groups = tuple(
        _group(taxes, amount, share, prices_include_tax=prices_include_tax)
        for (taxes, amount), share in zip(ordered, shares, strict=True)
    )
    subtotal = sum((group.taxable for group in groups), zero)
    tax_total = sum((group.tax for group in groups), zero)
    return Totals(lines_total, discount, subtotal, groups, tax_total, subtotal + tax_total)


def share_of(money: Money, percent: Decimal) -> Money:
    """So many percent of it, rounded half up."""
    return round_half_up(money.minor_units * percent / _HUNDRED, money.currency)


def round_half_up(minor_units: Decimal, currency: str) -> Money:
    """Halves go away from zero, so that a credit mirrors its charge."""
    return Money(int(minor_units.quantize(Decimal(1), rounding=ROUND_HALF_UP)), currency)


def _order(taxes: tuple[Tax, ...]) -> tuple[Decimal, list[tuple[str, str, str]]]:
    rate = sum((tax.rate_percent for tax in taxes), Decimal(0))
    return rate, [(tax.category.value, tax.name, tax.exemption_reason) for tax in taxes]


def _shares(discount: Money, amounts: Sequence[Money]) -> list[Money]:
    """Groups that come to less than nothing bear no discount."""
    if discount.is_zero:
        return [discount] * len(amounts)
    return discount.allocate([max(0, amount.minor_units) for amount in amounts])


def _group(taxes: tuple[Tax, ...], amount: Money, share: Money, *, prices_include_tax: bool) -> TaxGroup:
    base = amount - share
    rates = [tax.rate_percent for tax in taxes]
    rate = sum(rates, Decimal(0))
    if not prices_include_tax or rate == 0:
        return TaxGroup(taxes, amount, share, base, tuple(share_of(base, one) for one in rates))
    taxable = round_half_up(base.minor_units * _HUNDRED / (_HUNDRED + rate), base.currency)
    weights = [int(one * 10_000) for one in rates]
    return TaxGroup(taxes, amount, share, taxable, tuple((base - taxable).allocate(weights)))

"""How reductions of an invoice correct its revenue and its taxes, to the cent and by its own groups.

What a group's tax comes to after a reduction follows from all that was taken off the group so far. So several
reductions never correct more than the invoice has, and the last one mirrors what is left exactly.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from chassis.errors import Kind, ServiceError
from chassis.money import Money
from services.invoicing.domain.invoice import Invoice
from services.invoicing.domain.pricing import Tax, TaxCategory, round_half_up


@dataclass(frozen=True, slots=True)
class Share:
    """What an invoice has in one group of taxes. Where its lines do not tell, all of it is one group."""

    group_no: int
    taxes: tuple[Tax, ...]
    taxable: Money
    amounts: tuple[Money, ...]

    @property
    def whole(self) -> Money:
        """With tax."""
        return self.taxable + sum(self.amounts, Money.zero(self.taxable.currency))


@dataclass(frozen=True, slots=True)
class Correction:
    """What is taken off a group; less than zero when a reduction is taken back."""

    share: Share
    taxable: Money
    amounts: tuple[Money, ...]

    @property
    def tax(self) -> Money:
        return sum(self.amounts, Money.zero(self.taxable.currency))

    @property
    def whole(self) -> Money:
        """With tax."""
        return self.taxable + self.tax


@dataclass(frozen=True, slots=True)
class CorrectedGroup:
    """What something took off a group, as it is booked; amounts by the group's taxes."""

    group_no: int
    taxable: Money
    amounts: tuple[Money, ...]


def shares_of(invoice: Invoice) -> list[Share]:
    """The groups of an invoice that was read with its lines."""
    sums = invoice.sums()
    if invoice.lines and sums.total == invoice.total:
        return [Share(at, one.taxes, one.taxable, one.amounts) for at, one in enumerate(sums.groups)]
    tax = Tax("", Decimal(0), TaxCategory.STANDARD if invoice.tax_total.minor_units else TaxCategory.ZERO)
    return [Share(0, (tax,), invoice.subtotal, (invoice.tax_total,))]


def left_of(shares: Sequence[Share], corrected: Mapping[int, Money]) -> dict[int, Money]:
    """What is left of each group after what was taken off it before, with tax."""
    return {
        one.group_no: one.whole - corrected.get(one.group_no, Money.zero(one.taxable.currency))
        for one in shares
    }


def spread(amount: Money, left: Mapping[int, Money]) -> dict[int, Money]:
    """An amount shared among groups by what is left of each; all that is left goes to each group exactly.

    CREDIT_EXCEEDS_INVOICE for more than is left.
    """
    everything = sum(left.values(), Money.zero(amount.currency))
    if amount > everything:
        raise exceeds(everything)
    if amount == everything:
        return {group_no: one for group_no, one in left.items() if not one.is_zero}
    weights = [max(0, one.minor_units) for one in left.values()]
    return {
        group_no: part
        for group_no, part in zip(left, amount.allocate(weights), strict=True)
        if not part.is_zero
    }


def take_back(amount: Money, corrected: Mapping[int, Money]) -> dict[int, Money]:
    """So much of what was taken off before, shared by what was taken off each group; negative amounts."""
    weights = [max(0, one.minor_units) for one in corrected.values()]
    return {
        group_no: -part
        for group_no, part in zip(corrected, amount.allocate(weights), strict=True)
        if not part.is_zero
    }


def correct(
    shares: Sequence[Share], corrected: Mapping[int, Money], amounts: Mapping[int, Money]
) -> list[Correction]:
    """What each group loses when `amounts`, with tax, are taken off besides what was before."""
    found = []
    for share in shares:
        amount = amounts.get(share.group_no)
        if amount is None:
            continue
        before = corrected.get(share.group_no, Money.zero(amount.currency))
        was, is_now = _reached(share, before), _reached(share, before + amount)
        taxes = tuple(new - old for new, old in zip(is_now[1], was[1], strict=True))
        found.append(Correction(share, is_now[0] - was[0], taxes))
    return found


def exceeds(creditable: Money) -> ServiceError:
    """CREDIT_EXCEEDS_INVOICE."""
    return ServiceError(
        Kind.FAILED_PRECONDITION, "CREDIT_EXCEEDS_INVOICE",
        "That is more than is left of the invoice.", creditable_minor_units=str(creditable.minor_units),
    )  # fmt: skip


def _reached(share: Share, whole: Money) -> tuple[Money, tuple[Money, ...]]:
    """Taxable sum and taxes of so much of a group."""
    if share.whole.is_zero:
        return whole, tuple(Money.zero(whole.currency) for _ in share.amounts)
    taxable = round_half_up(
        Decimal(share.taxable.minor_units * whole.minor_units) / share.whole.minor_units, whole.currency
    )
    weights = [abs(one.minor_units) for one in share.amounts]
    if not any(weights):
        return whole, tuple(Money.zero(whole.currency) for _ in share.amounts)
    return taxable, tuple((whole - taxable).allocate(weights))

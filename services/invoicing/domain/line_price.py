"""What each line of an invoice came to, discount and tax included."""

from decimal import Decimal

from chassis.money import Money
from services.invoicing.domain.invoice import Invoice
from services.invoicing.domain.pricing import Tax, Totals, round_half_up


def prices(invoice: Invoice, sums: Totals | None = None) -> list[Money]:
    """One amount for each line, in their order; together they are the total.

    Discount and tax are worked out once for all lines that bear the same taxes, so a line's share is what their sum
    grows by with it. `sums` are the invoice's, where they are known already.
    """
    groups = {group.taxes: group for group in (sums or invoice.sums()).groups}
    reached: dict[tuple[Tax, ...], Money] = {}
    found = []
    for line in invoice.lines:
        group = groups[line.all_taxes]
        whole = group.taxable + group.tax
        before = reached.get(line.all_taxes, Money.zero(invoice.currency))
        after = before + line.amount
        reached[line.all_taxes] = after
        found.append(_share(whole, after, group.lines_total) - _share(whole, before, group.lines_total))
    return found


def _share(whole: Money, part: Money, parts: Money) -> Money:
    if parts.is_zero:
        return Money.zero(whole.currency)
    return round_half_up(Decimal(whole.minor_units * part.minor_units) / parts.minor_units, whole.currency)

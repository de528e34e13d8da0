"""What each line of an invoice came to, tax included."""

from decimal import Decimal

from chassis.money import Money
from services.invoicing.domain.invoice import Invoice
from services.invoicing.domain.pricing import round_half_up


def prices(invoice: Invoice) -> list[Money]:
    """One amount for each line, in their order; together they are the total.

    Tax is worked out once for each rate, so a line's share is what the rate's tax grows by with it.
    """
    tax_of = {tax.rate_percent: tax for tax in invoice.taxes()}
    reached: dict[Decimal, Money] = {}
    found = []
    for line in invoice.lines:
        tax = tax_of[line.tax_rate_percent]
        before = reached.get(line.tax_rate_percent, Money.zero(invoice.currency))
        after = before + line.amount
        reached[line.tax_rate_percent] = after
        found.append(line.amount + _share(tax.tax, after, tax.taxable) - _share(tax.tax, before, tax.taxable))
    return found


def _share(tax: Money, part: Money, whole: Money) -> Money:
    if whole.is_zero:
        return Money.zero(tax.currency)
    return round_half_up(Decimal(tax.minor_units * part.minor_units) / whole.minor_units, tax.currency)

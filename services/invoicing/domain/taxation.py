"""Which taxes a line bears: what staff said, else what its tax code means for this buyer on this day."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from services.invoicing.domain.customer import Customer
from services.invoicing.domain.organization import Organization
from services.invoicing.domain.pricing import Tax
from services.invoicing.domain.tax_table import TaxRate, built_in, rate_of, without_tax


@dataclass(frozen=True, slots=True)
class Taxation:
    """What decides the taxes of an invoice. A tax platform would stand in the place of `rates`."""

    day: date
    rates: Sequence[TaxRate] = ()
    relief: Tax | None = None
    """The one tax of a buyer who bears none."""

    def by_code(self, code: str) -> tuple[Tax, ...] | None:
        """The taxes of a code; None for a code that nobody knows."""
        rate = rate_of(code, self.day, self.rates)
        if rate is None:
            return None
        return (self.relief,) if self.relief and rate.rate_percent else rate.taxes

    def by_rate(self, rate_percent: Decimal) -> tuple[Tax, ...]:
        """The taxes of an item that only has a rate: none named, unless the buyer bears none."""
        return (self.relief,) if self.relief and rate_percent else ()


def taxation(
    organization: Organization, customer: Customer, day: date, own_rates: Sequence[TaxRate]
) -> Taxation:
    """How an invoice of the day to the customer is taxed."""
    standing = customer.taxes
    relief = without_tax(
        standing.treatment_on(day), standing.exemption_certificate,
        seller_country=organization.country, buyer_country=customer.country,
    )  # fmt: skip
    return Taxation(day, [*own_rates, *built_in(organization.country)], relief)

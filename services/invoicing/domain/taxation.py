"""The tax port: which taxes a line bears that nobody gave any, and the table that answers by default.

Whoever fills in lines asks a `TaxDesk` for the `Taxation` of one invoice, within the transaction that writes it. So
neither of them waits for anybody: a tax platform is asked before the transaction begins, what it said is kept, and its
desk answers from that. `operations/tax_desk.py` is the one place that chooses.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Protocol

from services.invoicing.domain.customer import Customer
from services.invoicing.domain.organization import Organization
from services.invoicing.domain.pricing import Tax
from services.invoicing.domain.tax_table import TaxRate, built_in, rate_of, without_tax


class Taxation(Protocol):
    """How one invoice is taxed. What staff said about a line goes before it."""

    @property
    def day(self) -> date:
        """The day on which rates count."""
        ...

    def by_code(self, code: str) -> tuple[Tax, ...] | None:
        """The taxes of a tax code; None for a code that nobody knows on the day."""
        ...

    def by_rate(self, rate_percent: Decimal) -> tuple[Tax, ...]:
        """The taxes of a line or an item that only has a rate; none where nothing but the rate is known."""
        ...


class TaxDesk(Protocol):
    """How an organization's invoices are taxed."""

    def taxation(self, customer: Customer, day: date) -> Taxation:
        """Of an invoice of the day to the customer."""
        ...


@dataclass(frozen=True, slots=True)
class TableTaxation:
    """What rates mean for a buyer."""

    day: date
    rates: Sequence[TaxRate] = ()
    relief: Tax | None = None
    """The one tax of a buyer who bears none."""

    def by_code(self, code: str) -> tuple[Tax, ...] | None:
        rate = rate_of(code, self.day, self.rates)
        if rate is None:
            return None
        return (self.relief,) if self.relief and rate.rate_percent else rate.taxes

    def by_rate(self, rate_percent: Decimal) -> tuple[Tax, ...]:
        return (self.relief,) if self.relief and rate_percent else ()


class TaxTable:
    """The organization's own tax codes, then the built-in ones of its country; and who bears no tax."""

    def __init__(self, organization: Organization, own_rates: Sequence[TaxRate]) -> None:
        self._country = organization.country
        self._rates = [*own_rates, *built_in(organization.country)]

    def taxation(self, customer: Customer, day: date) -> Taxation:
        standing = customer.taxes
        relief = without_tax(
            standing.treatment_on(day), standing.exemption_certificate,
            seller_country=self._country, buyer_country=customer.country,
        )  # fmt: skip
        return TableTaxation(day, self._rates, relief)

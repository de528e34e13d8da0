"""Finding open invoices by what a bank line says of them."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from chassis.money import Money
from services.invoicing.domain.instalment_plan import Demand
from services.invoicing.domain.invoice import Invoice, Status

_SIGNS = re.compile("[^A-Za-z0-9]+")
_WORD = re.compile(r"[^\W_]+")
SHORTEST_WORD = 2
"""Words of one letter tell nobody apart."""


def number_key(number: str) -> str:
    """An invoice number as it is compared: letters and digits only, in capitals."""
    return _SIGNS.sub("", number).upper()


def words(names: Iterable[str]) -> frozenset[str]:
    """The words of names, in small letters."""
    found = (word for name in names for word in _WORD.findall(name.lower()))
    return frozenset(word for word in found if len(word) >= SHORTEST_WORD)


@dataclass(frozen=True, slots=True)
class OpenItem:
    """An invoice that can be matched, and whose it is."""

    invoice: Invoice
    customer_name: str
    customer_external_id: str
    demand: Demand | None = None
    """What an instalment plan asks for; None for invoices under none."""
    offer_ends_at: datetime | None = None
    """When paying early earns nothing any more; None where it never did."""

    @property
    def payable(self) -> Money:
        """What can be paid now: nothing of a paid invoice, and not what is on its way.

        Of one that is written off all that would be taken: money that names it came for it.
        """
        if self.invoice.status is Status.UNCOLLECTIBLE:
            return self.invoice.takes
        return self.invoice.unreserved if self.invoice.is_payable else Money.zero(self.invoice.currency)

    @property
    def undisputed(self) -> Money:
        """What can be paid now and is not objected to."""
        return max(self.payable - self.invoice.in_dispute, Money.zero(self.invoice.currency))

    def asked_at(self, now: datetime) -> Money:
        """What is asked for: an instalment, less for whoever pays early, or all that is not in dispute."""
        if self.demand is not None:
            return self.demand.asked
        if self.offer_ends_at is not None and now < self.offer_ends_at:
            return self.invoice.due - self.invoice.early_discount
        return self.undisputed


@dataclass(frozen=True, slots=True)
class CustomerCredit:
    """Credit that a customer can spend."""

    customer_id: str
    credit: Money

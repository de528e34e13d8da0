"""Money of a payment that goes back, and that may come again. It is followed by its source: the payment it came by."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from chassis.money import Money
from services.invoicing.domain.invoice import Invoice
from services.invoicing.domain.reservation import Part


@dataclass(frozen=True, slots=True, kw_only=True)
class Reversal:
    """What goes back of a payment, as the payments service tells it; `amount` has the surcharge in it."""

    reversal_id: str
    payment_id: str
    customer_id: str
    kind: str
    amount: Money
    surcharge: Money
    parts: Sequence[Part]
    forgive: bool
    to_credit: bool
    whole: bool
    fee: Money | None
    reason: str
    receipt_number: str
    notify: bool

    @property
    def net(self) -> Money:
        """What invoices and credit lose."""
        return self.amount - self.surcharge


@dataclass(frozen=True, slots=True)
class Use:
    """So much of an invoice was paid by a payment with money that came by another, or by itself.

    Without an invoice: so much lies in the lot of that other payment.
    """

    payment_id: str
    source_payment_id: str
    invoice_id: str | None
    amount: Money


@dataclass(frozen=True, slots=True)
class Taken:
    """What a reversal takes from where. `missing` is what it found nowhere: there was not so much."""

    parts: tuple[Use, ...]
    missing: Money


@dataclass(frozen=True, slots=True, kw_only=True)
class Undone:
    """What a reversal did: invoices as they are now, what each lost, and what credit lost."""

    invoices: Sequence[Invoice]
    by_invoice: Mapping[str, Money]
    from_credit: Money


def take(reversal: Reversal, *, credit: Money, uses: Sequence[Use]) -> Taken:
    """Find the money: in the invoices that were named, then in the payment's own credit, then in its invoices.

    `credit` is what is left in the payment's lot; `uses` are in the order in which they were made and are served from
    the last. Of a whole payment, the credit of others that it used is given back besides. Money that becomes credit is
    not taken from credit.
    """
    left = reversal.net
    zero = Money.zero(left.currency)
    rest = {use: use.amount for use in uses if use.source_payment_id == reversal.payment_id}
    parts: dict[tuple[str, str | None], Use] = {}

    def grab(use: Use, wanted: Money) -> Money:
        takes = min(wanted, rest.get(use, use.amount))
        if takes.minor_units <= 0:
            return zero
        if use in rest:
            rest[use] -= takes
        key = (use.payment_id, use.invoice_id)
        before = parts[key].amount if key in parts else zero
        parts[key] = Use(use.payment_id, use.source_payment_id, use.invoice_id, before + takes)
        return takes

    for part in reversal.parts:
        wanted = min(part.amount, left)
        for use in reversed(list(rest)):
            if use.invoice_id == part.invoice_id:
                taken = grab(use, wanted)
                wanted, left = wanted - taken, left - taken
    if not reversal.to_credit:
        left -= grab(Use(reversal.payment_id, reversal.payment_id, None, credit), left)
    for use in reversed(list(rest)):
        left -= grab(use, left)
    lent = [use for use in uses if use.source_payment_id != reversal.payment_id] if reversal.whole else []
    return Taken((*parts.values(), *lent), zero if reversal.to_credit else left)


def by_invoice(parts: Iterable[Use]) -> dict[str, Money]:
    """The sum of each invoice."""
    sums: dict[str, Money] = {}
    for part in parts:
        if part.invoice_id is not None:
            before = sums.get(part.invoice_id)
            sums[part.invoice_id] = part.amount if before is None else before + part.amount
    return sums


def total(parts: Iterable[Use], currency: str) -> Money:
    return sum((part.amount for part in parts), Money.zero(currency))

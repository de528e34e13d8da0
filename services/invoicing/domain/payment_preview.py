"""What a payment would pay. What is planned here is what is posted later, to the cent."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from chassis.money import Money
from services.invoicing.domain.invoice import Invoice, Status


class SkipReason(StrEnum):
    """Why a plan leaves an invoice out."""

    DISPUTED = "disputed"
    BEING_PAID = "being_paid"
    PAID = "paid"
    NOT_PAYABLE = "not_payable"
    OTHER_CURRENCY = "other_currency"


@dataclass(frozen=True, slots=True)
class PlannedPart:
    """How much of an invoice, as it is now. `discount` is kept for paying early: the amount settles it then."""

    invoice: Invoice
    amount: Money
    discount: Money | None = None

    @property
    def settles(self) -> Money:
        """What settles the invoice now."""
        return self.invoice.due if self.discount is None else self.amount


@dataclass(frozen=True, slots=True)
class Skip:
    """An invoice that is left out."""

    invoice: Invoice
    reason: SkipReason


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a payment would pay; `parts` come to what is charged and `credit_used` together.

    `rest` is what no invoice takes of the amount asked for, `payable` all that the invoices can take now.
    """

    parts: tuple[PlannedPart, ...]
    credit_used: Money
    rest: Money
    skipped: tuple[Skip, ...]
    credit_available: Money
    payable: Money


def plan(
    invoices: Collection[Invoice],
    *,
    credit: Money,
    amount: Money | None = None,
    own: Mapping[str, Money] | None = None,
    keep_credit: bool = False,
    offers: Mapping[str, Money] | None = None,
) -> Plan:
    """Share `amount` (all that is due when None) among invoices: the oldest due first, ties by id.

    What is in dispute and what other payments hold is left out; `own` is what the payment itself holds by invoice id.
    Of `offers`, what may be kept for paying early, by invoice, is left out where a part settles its invoice.
    Credit is used before anything is charged, unless it is kept. All is in the currency of `credit`.
    """
    currency = credit.currency
    payable = Money.zero(currency)
    takers, skipped = [], []
    for invoice in in_order(invoices):
        room = _room(invoice, own or {})
        if (reason := _skip_reason(invoice, room, currency)) is not None:
            skipped.append(Skip(invoice, reason))
        else:
            discount = _discount(invoice, room, offers or {})
            room = room if discount is None else room - discount
            takers.append((invoice, room, discount))
            payable += room
    left = payable if amount is None else amount
    parts = []
    for invoice, room, discount in takers:
        takes = min(room, left)
        if takes.minor_units > 0:
            parts.append(PlannedPart(invoice, takes, discount if takes == room else None))
            left -= takes
    planned = sum((part.amount for part in parts), Money.zero(currency))
    return Plan(
        parts=tuple(parts),
        credit_used=Money.zero(currency) if keep_credit else min(credit, planned),
        rest=left,
        skipped=tuple(skipped),
        credit_available=credit,
        payable=payable,
    )


def in_order(invoices: Iterable[Invoice]) -> list[Invoice]:
    """The oldest due first, ties by id."""
    return sorted(invoices, key=lambda invoice: (invoice.due_date, invoice.invoice_id))


def _room(invoice: Invoice, own: Mapping[str, Money]) -> Money:
    """What is in dispute is not asked for."""
    room = invoice.unreserved - invoice.in_dispute
    held = own.get(invoice.invoice_id)
    return room if held is None else room + held


def _discount(invoice: Invoice, room: Money, offers: Mapping[str, Money]) -> Money | None:
    """Only who pays all that is due pays early."""
    return offers.get(invoice.invoice_id) if room == invoice.due else None


def _skip_reason(invoice: Invoice, room: Money, currency: str) -> SkipReason | None:
    if invoice.status is Status.PAID:
        return SkipReason.PAID
    if not invoice.is_payable:
        return SkipReason.NOT_PAYABLE
    if invoice.currency != currency:
        return SkipReason.OTHER_CURRENCY
    if room.minor_units > 0:
        return None
    return SkipReason.DISPUTED if invoice.is_disputed else SkipReason.BEING_PAID

"""What a payment would pay. What is planned here is what is posted later, to the cent."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from chassis.money import Money
from services.invoicing.domain.instalment_plan import Demand
from services.invoicing.domain.invoice import Invoice, Status


class SkipReason(StrEnum):
    """Why a plan leaves an invoice out."""

    DISPUTED = "disputed"
    BEING_PAID = "being_paid"
    PAID = "paid"
    NOT_PAYABLE = "not_payable"
    OTHER_CURRENCY = "other_currency"
    ON_PLAN = "on_plan"


@dataclass(frozen=True, slots=True)
class PlannedPart:
    """How much of an invoice, as it is now. `discount` is kept for paying early: the amount settles it then."""

    invoice: Invoice
    amount: Money
    discount: Money | None = None
    demand: Demand | None = None
    """What the invoice's instalment plan asks for; the amount is larger where somebody pays more than that."""

    @property
    def settles(self) -> Money:
        """What settles the invoice now, or what is due of it now by its plan: to pay just that is no part payment."""
        if self.demand is not None:
            return self.demand.asked
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
    demands: Mapping[str, Demand] | None = None,
) -> Plan:
    """Share `amount` (all that is asked for when None) among invoices: the oldest due first, ties by id.

    Of invoices under instalment plans only what those demand is asked for; a larger amount goes beyond that last.

    What is in dispute and what other payments hold is left out; `own` is what the payment itself holds by invoice id.
    Of `offers`, what may be kept for paying early, by invoice, is left out where a part settles its invoice.
    Credit is used before anything is charged, unless it is kept. All is in the currency of `credit`.
    """
    currency = credit.currency
    payable = Money.zero(currency)
    takers: list[_Taker] = []
    skipped = []
    for invoice in in_order(invoices):
        room = _room(invoice, own or {})
        if (reason := _skip_reason(invoice, room, currency)) is not None:
            skipped.append(Skip(invoice, reason))
        else:
            discount = _discount(invoice, room, offers or {})
            room = room if discount is None else room - discount
            demand = (demands or {}).get(invoice.invoice_id)
            takers.append(_Taker(invoice, room, discount, demand))
            payable += room
    if amount is None:
        skipped += [Skip(one.invoice, SkipReason.ON_PLAN) for one in takers if one.asked.is_zero]
    left = sum((one.asked for one in takers), Money.zero(currency)) if amount is None else amount
    parts, left = _share(takers, left)
    planned = sum((part.amount for part in parts), Money.zero(currency))
    return Plan(
        parts=tuple(parts),
        credit_used=Money.zero(currency) if keep_credit else min(credit, planned),
        rest=left,
        skipped=tuple(skipped),
        credit_available=credit,
        payable=payable,
    )


@dataclass(frozen=True, slots=True)
class _Taker:
    """An invoice that takes money, and how much of it."""

    invoice: Invoice
    room: Money
    discount: Money | None
    demand: Demand | None

    @property
    def asked(self) -> Money:
        return self.room if self.demand is None else min(self.room, self.demand.asked)


def _share(takers: Sequence[_Taker], left: Money) -> tuple[list[PlannedPart], Money]:
    """First what is asked for, then what goes beyond it; and what no invoice takes."""
    taken: dict[str, Money] = {}
    for one in takers:
        taken[one.invoice.invoice_id] = takes = min(one.asked, left)
        left -= takes
    parts = []
    for one in takers:
        more = min(one.room - taken[one.invoice.invoice_id], left)
        takes = taken[one.invoice.invoice_id] + more
        left -= more
        if takes.minor_units > 0:
            kept = one.discount if takes == one.room else None
            parts.append(PlannedPart(one.invoice, takes, kept, one.demand))
    return parts, left


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

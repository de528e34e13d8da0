"""A refund: what it is, what it may be, and the one way its state may change."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Self

from chassis.money import Money
from services.payments.domain.payment import Part


class Destination(StrEnum):
    """Where the money of a refund goes."""

    METHOD = "method"
    CREDIT = "credit"
    MANUAL = "manual"


class RefundStatus(StrEnum):
    """State of a refund, in rising order of certainty: what the bank refuses fails after it had succeeded."""

    SUBMITTING = "submitting"
    UNKNOWN = "unknown"
    PROCESSING = "processing"
    SUCCEEDED = "succeeded"
    FAILED = "failed"

    @property
    def rank(self) -> int:
        """Position in the order above: a later word wins only if it stands higher."""
        return _RANKS[self]

    @property
    def is_live(self) -> bool:
        """Not known to have ended: the provider is still to be asked."""
        return self.rank < RefundStatus.SUCCEEDED.rank


_RANKS = {status: rank for rank, status in enumerate(RefundStatus)}


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundLine:
    """A line of an invoice in a refund: how many of its units, if that was said, and how much, tax included."""

    invoice_id: str
    line_no: int
    description: str
    quantity: Decimal | None
    amount: Money


@dataclass(frozen=True, slots=True, kw_only=True)
class Refund:
    """Money given back. `amount` has the surcharge in it; `parts` are the invoices that staff named."""

    refund_id: str
    payment_id: str
    customer_id: str
    amount: Money
    surcharge: Money
    parts: tuple[Part, ...]
    destination: Destination
    forgives: bool
    """The invoices stay settled: that much of them is credited."""
    status: RefundStatus
    reason: str
    requested_by: str
    created_at: datetime
    finished_at: datetime | None = None
    failure_code: str = ""
    provider_reference: str | None = None
    next_check_at: datetime | None = None
    checks: int = 0
    lines: tuple[RefundLine, ...] = ()
    """Lines of invoices that staff named; the parts are their sums."""

    @property
    def holds(self) -> bool:
        """Whether the money is taken from the payment: at once, unless the refund turns out to have failed."""
        return self.status is not RefundStatus.FAILED

    @property
    def leaves(self) -> bool:
        """Whether money leaves us; else it becomes the customer's credit."""
        return self.destination is not Destination.CREDIT

    def after(
        self,
        status: RefundStatus,
        *,
        now: datetime,
        provider_reference: str | None = None,
        failure_code: str = "",
    ) -> Self:
        """The refund after an observation; the very same object if it says nothing new."""
        reference = provider_reference or self.provider_reference
        if status.rank <= self.status.rank:
            return (
                self if reference == self.provider_reference else replace(self, provider_reference=reference)
            )
        return replace(
            self,
            status=status,
            provider_reference=reference,
            failure_code=failure_code if status is RefundStatus.FAILED else "",
            finished_at=None if status.is_live else now,
        )


def share_of(whole: int, *, part: int, of: int) -> int:
    """The share of `whole` that falls on `part` of `of`, to the nearest unit, halves away from zero.

    Integers only, so that no rounding of floats comes into money.
    """
    if of == 0 or whole == 0:
        return 0
    quotient, rest = divmod(abs(whole) * part, of)
    rounded = quotient + (1 if rest * 2 >= of else 0)
    return rounded if whole > 0 else -rounded


def refunded_by_invoice(refunds: Sequence[Refund]) -> dict[str, int]:
    """Minor units that refunds which hold have taken from each invoice by name."""
    taken: dict[str, int] = {}
    for refund in refunds:
        for part in refund.parts if refund.holds else ():
            taken[part.invoice_id] = taken.get(part.invoice_id, 0) + part.amount.minor_units
    return taken

"""Disputes: a customer objects to a part of an invoice, and what becomes of it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from chassis.errors import Kind, ServiceError, invalid, not_found
from chassis.money import Money
from services.invoicing.domain.invoice import Invoice
from services.invoicing.domain.line_price import prices

PREFIX = "dsp"
EVIDENCE_PREFIX = "evd"


class DisputeReason(StrEnum):
    """Why a customer objects."""

    NOT_RECEIVED = "not_received"
    NOT_AS_AGREED = "not_as_agreed"
    WRONG_AMOUNT = "wrong_amount"
    DUPLICATE = "duplicate"
    NOT_ORDERED = "not_ordered"
    WRONG_DETAILS = "wrong_details"
    OTHER = "other"


class DisputeState(StrEnum):
    """Where a dispute stands."""

    OPEN = "open"
    ACCEPTED = "accepted"
    PARTLY_ACCEPTED = "partly_accepted"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"
    SETTLED = "settled"
    """It ended by itself: nothing of the invoice is asked for any more."""


class Side(StrEnum):
    """Who does something."""

    CUSTOMER = "customer"
    STAFF = "staff"
    SYSTEM = "system"


class Step(StrEnum):
    """What was done."""

    OPENED = "opened"
    MESSAGE = "message"
    EVIDENCE = "evidence"
    ASSIGNED = "assigned"
    ESCALATED = "escalated"
    CLOSED = "closed"


_DECIDED = frozenset({DisputeState.ACCEPTED, DisputeState.PARTLY_ACCEPTED, DisputeState.REJECTED})
INSIDE = frozenset({Step.ASSIGNED, Step.ESCALATED})
"""Steps that only staff are shown."""


@dataclass(frozen=True, slots=True)
class DisputePolicy:
    """How soon disputes are answered and resolved before they are escalated."""

    answer_within_hours: int = 48
    resolve_within_days: int = 14


@dataclass(frozen=True, slots=True)
class DisputedLine:
    """So much of a line; all that is left of it without an amount."""

    line_no: int
    amount: Money | None = None
    description: str = ""


@dataclass(frozen=True, slots=True)
class Objection:
    """What a customer says: about lines, an amount, or all that is due when there is neither."""

    reason: DisputeReason
    text: str
    lines: Sequence[DisputedLine] = ()
    amount: Money | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Dispute:
    """A dispute. While it is open `amount` is not asked for."""

    dispute_id: str
    invoice_id: str
    customer_id: str
    amount: Money
    lines: tuple[DisputedLine, ...]
    reason: DisputeReason
    text: str
    state: DisputeState
    opened_by: Side
    opened_by_name: str
    opened_at: datetime
    answer_due_at: datetime
    resolve_due_at: datetime
    credited: Money
    imported: bool = False
    answered_at: datetime | None = None
    escalated_at: datetime | None = None
    owner_id: str = ""
    owner_name: str = ""
    closed_at: datetime | None = None
    resolution: str = ""
    credit_note_id: str = ""
    event_version: int = 1

    @property
    def is_open(self) -> bool:
        return self.state is DisputeState.OPEN

    def must_be_open(self) -> None:
        """DISPUTE_CLOSED once it is decided or taken back."""
        if not self.is_open:
            raise ServiceError(
                Kind.FAILED_PRECONDITION, "DISPUTE_CLOSED", "This dispute is closed.",
                dispute_id=self.dispute_id,
            )  # fmt: skip

    def next_wake(self) -> datetime | None:
        """When it is to be escalated: unanswered or unresolved for too long. Once."""
        if not self.is_open or self.escalated_at is not None:
            return None
        return self.resolve_due_at if self.answered_at else min(self.answer_due_at, self.resolve_due_at)

    def answered(self, at: datetime) -> "Dispute":
        """Staff wrote; only the first time counts."""
        return replace(self, answered_at=self.answered_at or at)

    def closed(
        self, state: DisputeState, text: str, at: datetime, credited: Money | None = None
    ) -> "Dispute":
        """Decided, taken back, or settled by itself."""
        self.must_be_open()
        return replace(
            self, state=state, resolution=text, closed_at=at, credited=credited or self.credited,
            answered_at=self.answered_at or (at if state in _DECIDED else None),
        )  # fmt: skip

    def credit(self, outcome: DisputeState, wished: Money | None, most: Money) -> Money:
        """What a decision credits, at most `most`. VALIDATION_FAILED for a part that is none."""
        nothing = Money.zero(self.amount.currency)
        if outcome is DisputeState.REJECTED:
            return nothing
        if outcome is DisputeState.ACCEPTED:
            return min(self.amount, most)
        if wished is None or wished.currency != self.amount.currency:
            raise invalid("credit", "required", f"Say how much is credited, in {self.amount.currency}.")
        if not nothing < wished < self.amount:
            raise invalid("credit", "range", "A part is more than nothing and less than what is disputed.")
        return wished


def disputed_amount(invoice: Invoice, objection: Objection) -> Money:
    """What an objection is about.

    INVOICE_NOT_PAYABLE, INVOICE_LINE_NOT_FOUND, or DISPUTE_EXCEEDS_DUE for more than is due and not disputed yet.
    """
    if not invoice.is_payable:
        raise ServiceError(
            Kind.FAILED_PRECONDITION, "INVOICE_NOT_PAYABLE", "Nothing of this invoice is to be paid.",
            invoice_id=invoice.invoice_id,
        )  # fmt: skip
    if objection.lines and objection.amount is not None:
        raise invalid("amount", "conflict", "Name lines or an amount, not both.")
    left = invoice.due - invoice.in_dispute
    if objection.lines:
        amount = sum((one.amount for one in _priced(invoice, objection.lines)), Money.zero(invoice.currency))
        amount = min(amount, left) if left.minor_units > 0 else amount
    else:
        amount = left if objection.amount is None else objection.amount
    if amount.currency != invoice.currency:
        raise invalid("amount.currency", "currency", f"This invoice is in {invoice.currency}.")
    if amount > left or left.minor_units <= 0:
        raise ServiceError(
            Kind.FAILED_PRECONDITION, "DISPUTE_EXCEEDS_DUE",
            "This is more than is still to pay and not disputed yet.",
            invoice_id=invoice.invoice_id, left_minor_units=str(left.minor_units), currency=left.currency,
        )  # fmt: skip
    if amount.minor_units <= 0:
        raise invalid("amount", "positive", "The amount must be more than zero.")
    return amount


@dataclass(frozen=True, slots=True)
class _PricedLine:
    line_no: int
    amount: Money


def _priced(invoice: Invoice, lines: Sequence[DisputedLine]) -> list[_PricedLine]:
    each, found = prices(invoice), []
    if len({one.line_no for one in lines}) != len(lines):
        raise invalid("lines", "unique", "Each line can be named once.")
    for at, one in enumerate(lines):
        if not 1 <= one.line_no <= len(each):
            raise not_found("invoice line")
        price = each[one.line_no - 1]
        amount = price if one.amount is None else one.amount
        if amount.currency != invoice.currency:
            raise invalid(f"lines[{at}].amount", "currency", f"This invoice is in {invoice.currency}.")
        if not Money.zero(invoice.currency) < amount <= price:
            raise invalid(f"lines[{at}].amount", "range", "At most what the line comes to.")
        found.append(_PricedLine(one.line_no, amount))
    return found


def due_times(policy: DisputePolicy, opened_at: datetime) -> tuple[datetime, datetime]:
    """By when a dispute is to be answered and to be resolved."""
    return (
        opened_at + timedelta(hours=policy.answer_within_hours),
        opened_at + timedelta(days=policy.resolve_within_days),
    )

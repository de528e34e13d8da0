"""A payment and the one way its state may change."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum

from chassis.errors import Kind, ServiceError, invalid
from chassis.money import LARGEST_BOOKING_MINOR_UNITS, Money
from services.payments.domain.outcome import Outcome, Status


class Method(StrEnum):
    """How the money came."""

    CARD = "card"
    CASH = "cash"
    CHEQUE = "cheque"
    BANK_TRANSFER = "bank_transfer"
    EXTERNAL = "external"
    BANK_DEBIT = "bank_debit"
    WALLET = "wallet"
    REDIRECT = "redirect"
    STABLECOIN = "stablecoin"
    CREDIT = "credit"
    CARD_TERMINAL = "card_terminal"

    @property
    def is_at_provider(self) -> bool:
        """Charged by a provider, so that there are attempts."""
        return self in _AT_PROVIDER


_AT_PROVIDER = (Method.CARD, Method.BANK_DEBIT, Method.WALLET, Method.REDIRECT, Method.STABLECOIN)


class News(StrEnum):
    """What the other services must hear of a change."""

    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELED = "canceled"


@dataclass(frozen=True, slots=True)
class Part:
    """What a payment pays of one invoice, credit included. Version 0: whichever state the invoice is in."""

    invoice_id: str
    amount: Money
    invoice_number: str = ""
    expected_version: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Payment:
    """Money from one customer for parts of invoices.

    `amount` is what is charged: parts less credit, with prepayment and surcharge. A succeeded payment stays
    succeeded; what went back stands beside it in sums. `version` counts changes of the row, `events` the news
    told about it.
    """

    payment_id: str
    customer_id: str
    status: Status
    amount: Money
    parts: tuple[Part, ...]
    method: Method
    initiated_by: str
    created_at: datetime
    method_summary: str = ""
    return_url: str = ""
    redirect_url: str = ""
    failure_code: str = ""
    note: str = ""
    receipt_no: int | None = None
    finished_at: datetime | None = None
    received_on: date | None = None
    version: int = 1
    events: int = 0
    customer_name: str = ""
    credit_used_minor_units: int = 0
    surcharge_minor_units: int = 0
    """Negative for a discount."""
    prepayment_minor_units: int = 0
    refunded_minor_units: int = 0
    disputed_minor_units: int = 0
    chargeback_lost: bool = False
    """Whether what is disputed is gone for good."""
    return_code: str = ""
    returned_at: datetime | None = None
    scheduled_for: date | None = None
    starts_at: datetime | None = None
    """When a scheduled payment is begun, or tried again."""
    expected_on: date | None = None
    payment_method_id: str = ""
    saved_payment_method_id: str = ""
    save_method: bool = False
    on_behalf_of: str = ""
    source: str = ""
    """Who made it where that is no person: an autopay run, a bank line."""

    @property
    def credit_used(self) -> Money:
        """Credit used besides the charge."""
        return Money(self.credit_used_minor_units, self.amount.currency)

    @property
    def surcharge(self) -> Money:
        """Part of the amount that pays no invoice; negative for a discount, for which no money came."""
        return Money(self.surcharge_minor_units, self.amount.currency)

    @property
    def prepayment(self) -> Money:
        """Part of the amount that becomes credit."""
        return Money(self.prepayment_minor_units, self.amount.currency)

    @property
    def refunded(self) -> Money:
        """Given back so far, surcharge included."""
        return Money(self.refunded_minor_units, self.amount.currency)

    @property
    def disputed(self) -> Money:
        """Taken back by the payer's bank."""
        return Money(self.disputed_minor_units, self.amount.currency)

    @property
    def parts_total(self) -> Money:
        """What invoices get in all."""
        return sum((part.amount for part in self.parts), start=Money.zero(self.amount.currency))

    @property
    def funds(self) -> Money:
        """What is the customer's of the amount: surcharge left out, discount counted as if it had come."""
        return self.amount - self.surcharge

    @property
    def receipt_number(self) -> str:
        """As printed; empty until the money is there."""
        return "" if self.receipt_no is None else f"R-{self.receipt_no:06d}"

    @property
    def lacks_numbers(self) -> bool:
        """Whether invoices are still known by their ids only."""
        return any(not part.invoice_number for part in self.parts)

    def with_numbers(self, numbers: dict[str, str]) -> "Payment":
        """The same with the invoices' numbers, as invoicing tells them with the reservation."""
        parts = tuple(
            replace(part, invoice_number=numbers.get(part.invoice_id, part.invoice_number))
            for part in self.parts
        )
        return replace(self, parts=parts)


def apply_outcome(payment: Payment, outcome: Outcome, *, now: datetime, today: date) -> Payment:
    """The payment after an observation; the very same object if it says nothing new.

    The order of provider states decides, not the order of arrival: any sequence of the same observations ends
    alike. What is closed stays closed, with one exception: money that came after all is never refused.
    """
    if outcome.status.rank <= payment.status.rank:
        return payment
    live = outcome.status.is_live
    succeeded = outcome.status is Status.SUCCEEDED
    return replace(
        payment,
        status=outcome.status,
        method_summary=outcome.method_summary or payment.method_summary,
        redirect_url=outcome.redirect_url if outcome.status is Status.REQUIRES_ACTION else "",
        failure_code=outcome.failure_code if outcome.status in (Status.FAILED, Status.CANCELED) else "",
        expected_on=outcome.expected_on or payment.expected_on,
        finished_at=None if live else now,
        received_on=today if succeeded else None,
        version=payment.version + 1,
        events=payment.events + (_news(payment.status, outcome.status) is not None),
    )


def news(before: Payment, after: Payment) -> News | None:
    """What to announce about a change; None if it concerns nobody else."""
    return _news(before.status, after.status) if before is not after else None


def _news(before: Status, after: Status) -> News | None:
    if after is Status.SUCCEEDED and before is not Status.SUCCEEDED:
        return News.SUCCEEDED
    if before.is_live and after is Status.FAILED:
        return News.FAILED
    if before.is_live and after is Status.CANCELED:
        return News.CANCELED
    return None


def total_of(parts: Sequence[Part]) -> Money:
    """The sum of the parts. Raises ServiceError for what no payment may be made of."""
    if len({part.amount.currency for part in parts}) != 1:
        raise invalid("parts", "mixed_currencies", "All parts must be in one currency.")
    if len({part.invoice_id for part in parts}) != len(parts):
        raise invalid("parts", "repeated_invoice", "Each invoice may be named once only.")
    total = Money.zero(parts[0].amount.currency)
    for index, part in enumerate(parts):
        if part.amount.minor_units <= 0:
            raise invalid(f"parts[{index}].amount", "not_positive", "The amount must be more than zero.")
        total += part.amount
    return total


def check_bookable(amount: Money, field: str) -> None:
    """VALIDATION_FAILED for more than a single payment may come to."""
    if amount.minor_units > LARGEST_BOOKING_MINOR_UNITS:
        most = Money(LARGEST_BOOKING_MINOR_UNITS, amount.currency)
        raise invalid(field, "too_large", f"A single payment comes to at most {most}.")


def check_covers(amount: Money, parts: Sequence[Part]) -> None:
    """Money that was received may be put to invoices up to its sum; the rest becomes credit."""
    if amount.minor_units <= 0:
        raise invalid("amount", "not_positive", "The amount must be more than zero.")
    if not parts:
        return
    total = total_of(parts)
    if total.currency != amount.currency:
        raise invalid("parts", "mixed_currencies", "The parts must be in the currency of the sum.")
    if total > amount:
        raise invalid("parts", "more_than_received", "The parts add up to more than was received.")


def in_progress_error() -> ServiceError:
    """Why a payment that is being checked can be neither given up nor paid again."""
    return ServiceError(
        Kind.FAILED_PRECONDITION,
        "PAYMENT_IN_PROGRESS",
        "This payment is being checked with the card provider. Please wait a moment; do not pay again.",
    )

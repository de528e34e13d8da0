"""An invoice: its lines, its tax and what may happen to it. Overdue is not a state but follows from a date."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum

from chassis.errors import Kind, ServiceError, invalid
from chassis.money import LARGEST_BOOKING_MINOR_UNITS, Money
from services.invoicing.domain.pricing import Line, Totals, share_of, totals

FIRST_VERSION = 1


class Status(StrEnum):
    """Where an invoice stands."""

    DRAFT = "draft"
    OPEN = "open"
    PARTLY_PAID = "partly_paid"
    PAID = "paid"
    VOID = "void"
    UNCOLLECTIBLE = "uncollectible"


class InvoiceKind(StrEnum):
    """What an invoice asks money for."""

    INVOICE = "invoice"
    FEE = "fee"
    LATE_FEE = "late_fee"


PAYABLE = frozenset({Status.OPEN, Status.PARTLY_PAID})


@dataclass(frozen=True, slots=True)
class Buyer:
    """The customer as printed on the document: a copy, so that later changes do not rewrite history."""

    name: str
    address_lines: tuple[str, ...]
    country: str
    tax_id: str
    legal_name: str = ""
    city: str = ""
    region: str = ""
    postal_code: str = ""
    tax_ids: tuple[tuple[str, str], ...] = ()
    """Further tax ids as (type, value), for example ("eu_vat", "DE136695976")."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What an invoice says besides its lines.

    A discount of the whole invoice is a percentage or an amount. Whoever pays all of it by `early_discount_until`, in
    the payer's zone, may keep `early_discount_percent`.
    """

    kind: InvoiceKind = InvoiceKind.INVOICE
    relates_to: str = ""
    series: str = ""
    prices_include_tax: bool = False
    discount_percent: Decimal = Decimal(0)
    discount_amount: Money | None = None
    early_discount_percent: Decimal = Decimal(0)
    early_discount_until: date | None = None
    period_start: date | None = None
    period_end: date | None = None
    schedule_id: str = ""
    metadata: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Invoice:
    """An invoice. `reserved` is held by payments that have not finished; `lines` is empty in lists.

    `credited` is not asked for any more though nobody paid it: the sum of its adjustments; what is written off is a
    part of it. `disputed` is what the customer objects to. `version` counts all changes but holds, which change
    nothing that a payer is shown; `event_version` counts the events about it; both from one.
    """

    invoice_id: str
    customer_id: str
    status: Status
    number: str | None
    invoice_date: date
    due_date: date
    subtotal: Money
    tax_total: Money
    total: Money
    paid: Money
    reserved: Money
    credited: Money
    buyer: Buyer
    purchase_order_number: str
    memo: str
    external_id: str | None
    disputed: Money
    version: int
    event_version: int
    created_at: datetime
    finalized_at: datetime | None
    paid_at: datetime | None
    terms: Terms = Terms()
    lines: tuple[Line, ...] = ()
    written_off_minor_units: int = 0

    @property
    def currency(self) -> str:
        return self.total.currency

    @property
    def due(self) -> Money:
        """Still to pay: total less what was paid or forgiven; nothing on voided invoices."""
        if self.status is Status.VOID:
            return Money.zero(self.currency)
        return self.total - self.paid - self.credited

    @property
    def unreserved(self) -> Money:
        """What a new payment may still take."""
        return self.total - self.paid - self.credited - self.reserved

    @property
    def written_off(self) -> Money:
        """What nobody expects any more, though it is taken if it comes."""
        return Money(self.written_off_minor_units, self.currency)

    @property
    def takes(self) -> Money:
        """What money that is there can be put to: what nobody holds, and what was written off."""
        if self.is_payable or self.status is Status.UNCOLLECTIBLE:
            return self.unreserved + self.written_off
        return Money.zero(self.currency)

    @property
    def in_dispute(self) -> Money:
        """What the customer objects to, as far as it is not paid."""
        return min(self.disputed, self.due)

    @property
    def is_disputed(self) -> bool:
        return self.disputed.minor_units > 0

    @property
    def is_payable(self) -> bool:
        return self.status in PAYABLE

    def days_overdue(self, today: date) -> int:
        """Days since the due date, 0 when it is not overdue. `today` is the date in the organization's zone."""
        return max(0, (today - self.due_date).days) if self.is_payable else 0

    def sums(self) -> Totals:
        """Everything the lines come to, worked out again by the same rule."""
        return totals(
            self.lines,
            self.currency,
            discount_percent=self.terms.discount_percent,
            discount_amount=self.terms.discount_amount,
            prices_include_tax=self.terms.prices_include_tax,
        )

    @property
    def early_discount(self) -> Money:
        """What may be kept by whoever pays all of it in time: a share of what was not credited meanwhile."""
        return share_of(self.total - self.credited, self.terms.early_discount_percent)

    def early_offer(self, today: date) -> Money | None:
        """What may be kept by whoever pays all that is due now; None when nothing may. `today` is the payer's.

        Who paid a part before may keep it too, with the part that settles the rest in time.
        """
        until, kept = self.terms.early_discount_until, self.early_discount
        if until is None or today > until or not self.is_payable:
            return None
        return kept if Money.zero(self.currency) < kept < self.due else None

    def with_lines(self, lines: Sequence[Line]) -> "Invoice":
        """A draft with other lines. INVOICE_NOT_DRAFT unless it is one."""
        self.must_be_draft()
        draft = replace(self, lines=tuple(lines))
        draft._must_be_discountable()
        sums = draft.sums()
        if sums.total.minor_units > LARGEST_BOOKING_MINOR_UNITS:
            most = Money(LARGEST_BOOKING_MINOR_UNITS, self.currency)
            raise invalid("lines", "too_large", f"A single invoice comes to at most {most}.")
        return replace(draft, subtotal=sums.subtotal, tax_total=sums.tax_total, total=sums.total)

    def with_terms(self, terms: Terms) -> "Invoice":
        """A draft with other terms, summed up anew. INVOICE_NOT_DRAFT unless it is one."""
        return replace(self, terms=terms).with_lines(self.lines)

    def _must_be_discountable(self) -> None:
        lines_total = sum((line.amount for line in self.lines), Money.zero(self.currency))
        discount = self.terms.discount_amount
        if discount is not None and discount.currency != self.currency:
            raise invalid("discount.currency", "currency", f"This invoice is in {self.currency}.")
        if discount is None:
            discount = share_of(lines_total, self.terms.discount_percent)
        if not 0 <= discount.minor_units <= max(0, lines_total.minor_units):
            raise invalid("discount", "range", "A discount is at most what the lines come to.")

    def must_be_draft(self) -> None:
        """INVOICE_NOT_DRAFT unless it may still be edited."""
        if self.status is not Status.DRAFT:
            raise self._refusal(
                reason="INVOICE_NOT_DRAFT", message="Only a draft can be changed; this invoice is final."
            )

    def must_be_finalizable(self) -> None:
        """INVOICE_NOT_DRAFT unless it is one, INVOICE_TOTAL_NOT_POSITIVE for an empty sum."""
        self.must_be_draft()
        if self.total.minor_units <= 0:
            raise self._refusal(
                reason="INVOICE_TOTAL_NOT_POSITIVE",
                message="An invoice must come to more than zero to be finalized.",
            )

    def finalized(self, number: str, buyer: Buyer, at: datetime) -> "Invoice":
        """The invoice with its number, to be paid from now on. Refused as `must_be_finalizable` has it."""
        self.must_be_finalizable()
        return replace(
            self, status=Status.OPEN, number=number, buyer=buyer, finalized_at=at,
            version=self.version + 1, event_version=self.event_version + 1,
        )  # fmt: skip

    def voided(self) -> "Invoice":
        """The invoice out of the books; INVOICE_NOT_VOIDABLE or INVOICE_BEING_PAID once money is on it."""
        if self.status is not Status.OPEN:
            raise self._refusal(
                reason="INVOICE_NOT_VOIDABLE",
                message="Only an open invoice on which nothing was paid can be voided.",
            )
        if not self.reserved.is_zero:
            raise self._being_paid()
        return replace(
            self, status=Status.VOID, version=self.version + 1, event_version=self.event_version + 1
        )

    def reserve(self, amount: Money) -> "Invoice":
        """Hold a part for a payment; `reservation.refusal` tells beforehand whether it may."""
        return replace(self, reserved=self.reserved + amount)

    def release(self, amount: Money) -> "Invoice":
        """Give back what a payment held."""
        return replace(self, reserved=self.reserved - amount)

    def settle(self, amount: Money, *, reserved: Money, at: datetime) -> "Invoice":
        """Put money on it and give back what the payment had reserved. One event tells of it.

        What is more than was asked for is taken of what was written off.
        """
        asked = self.unreserved + reserved
        recovered = max(Money.zero(self.currency), amount - asked)
        return self._with_sums(
            paid=self.paid + amount, credited=self.credited - recovered, reserved=self.reserved - reserved,
            written_off=self.written_off - recovered, at=at,
        )  # fmt: skip

    def unsettle(self, amount: Money, *, forgive: bool, at: datetime) -> "Invoice":
        """Take money off it again: it is owed once more, of which one event tells, or it is forgiven."""
        credited = self.credited + amount if forgive else self.credited
        after = self._with_sums(paid=self.paid - amount, credited=credited, at=at)
        return replace(after, event_version=self.event_version) if forgive else after

    def unforgive(self, amount: Money, *, at: datetime) -> "Invoice":
        """What was forgiven is paid after all; nothing changes for whoever owes it."""
        after = self._with_sums(paid=self.paid + amount, credited=self.credited - amount, at=at)
        return replace(after, event_version=self.event_version)

    def reduced(self, amount: Money, *, returned: Money, at: datetime) -> "Invoice":
        """Less is asked for; `returned` of it had been paid and is not on the invoice any more. One event tells of it.

        INVOICE_BEING_PAID while payments on their way hold more than would stay due.
        """
        after = self._with_sums(paid=self.paid - returned, credited=self.credited + amount, at=at)
        if after.unreserved.is_negative:
            raise self._being_paid()
        return after

    def discounted(self, amount: Money, *, at: datetime) -> "Invoice":
        """Grant a discount with the money that has earned it, or, less than zero, take it back with that: the same
        event tells of both.
        """
        after = self._with_sums(paid=self.paid, credited=self.credited + amount, at=at)
        return replace(after, event_version=self.event_version, version=self.version)

    def marked_uncollectible(self, at: datetime) -> "Invoice":
        """Nobody expects what is due any more. INVOICE_NOT_PAYABLE when nothing is due, or INVOICE_BEING_PAID."""
        if not self.is_payable:
            raise self._refusal(
                reason="INVOICE_NOT_PAYABLE", message="Only what is still to be paid can be written off."
            )
        if not self.reserved.is_zero:
            raise self._being_paid()
        return self._with_sums(
            paid=self.paid, credited=self.credited + self.due, written_off=self.written_off + self.due, at=at
        )

    def expected_again(self, at: datetime) -> "Invoice":
        """What was written off is asked for again. INVOICE_NOT_WRITTEN_OFF when nothing was."""
        if self.written_off.is_zero:
            raise self._refusal(
                reason="INVOICE_NOT_WRITTEN_OFF", message="Nothing of this invoice is written off."
            )
        nothing = Money.zero(self.currency)
        return self._with_sums(
            paid=self.paid, credited=self.credited - self.written_off, written_off=nothing, at=at
        )

    def _with_sums(
        self, *, paid: Money, credited: Money, at: datetime, reserved: Money | None = None,
        written_off: Money | None = None,
    ) -> "Invoice":  # fmt: skip
        """The status follows from the sums; the day of full payment stays while it is full."""
        lost = self.written_off if written_off is None else written_off
        paid_at = None
        if paid + credited != self.total:
            is_touched = not (paid.is_zero and credited.is_zero)
            status = Status.PARTLY_PAID if is_touched else Status.OPEN
        elif lost.is_zero:
            status, paid_at = Status.PAID, self.paid_at or at
        else:
            status = Status.UNCOLLECTIBLE
        return replace(
            self, paid=paid, credited=credited, reserved=self.reserved if reserved is None else reserved,
            status=status, paid_at=paid_at, written_off_minor_units=lost.minor_units,
            version=self.version + 1, event_version=self.event_version + 1,
        )  # fmt: skip

    def _being_paid(self) -> ServiceError:
        return self._refusal(
            reason="INVOICE_BEING_PAID",
            message="A payment for this invoice is on its way. Please try again later.",
        )

    def _refusal(self, *, reason: str, message: str) -> ServiceError:
        return ServiceError(Kind.FAILED_PRECONDITION, reason, message, invoice_id=self.invoice_id)


def new_draft(
    *,
    invoice_id: str,
    customer_id: str,
    currency: str,
    buyer: Buyer,
    invoice_date: date,
    due_date: date,
    created_at: datetime,
) -> Invoice:
    """A draft without lines."""
    nothing = Money.zero(currency)
    return Invoice(
        invoice_id=invoice_id,
        customer_id=customer_id,
        status=Status.DRAFT,
        number=None,
        invoice_date=invoice_date,
        due_date=due_date,
        subtotal=nothing,
        tax_total=nothing,
        total=nothing,
        paid=nothing,
        reserved=nothing,
        credited=nothing,
        buyer=buyer,
        purchase_order_number="",
        memo="",
        external_id=None,
        disputed=nothing,
        version=FIRST_VERSION,
        event_version=0,
        created_at=created_at,
        finalized_at=None,
        paid_at=None,
    )

"""An invoice: its lines, its tax and what may happen to it. Overdue is not a state but follows from a date."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum

from chassis.errors import Kind, ServiceError
from chassis.money import Money

FIRST_VERSION = 1


class Status(StrEnum):
    """Where an invoice stands."""

    DRAFT = "draft"
    OPEN = "open"
    PARTLY_PAID = "partly_paid"
    PAID = "paid"
    VOID = "void"


PAYABLE = frozenset({Status.OPEN, Status.PARTLY_PAID})


@dataclass(frozen=True, slots=True)
class Line:
    """What was sold. `unit_price` is without tax; `amount` is rounded half up to whole minor units."""

    description: str
    quantity: Decimal
    unit_price: Money
    tax_rate_percent: Decimal
    item_id: str | None = None

    @property
    def amount(self) -> Money:
        """Quantity times price. ValueError beyond the bounds of Money."""
        return round_half_up(self.quantity * self.unit_price.minor_units, self.unit_price.currency)


@dataclass(frozen=True, slots=True)
class TaxTotal:
    """The tax of all lines with one rate, rounded once."""

    rate_percent: Decimal
    taxable: Money
    tax: Money


@dataclass(frozen=True, slots=True)
class Totals:
    """Sums of an invoice; `total` is what there is to pay."""

    subtotal: Money
    taxes: tuple[TaxTotal, ...]
    tax_total: Money
    total: Money


def totals(lines: Iterable[Line], currency: str) -> Totals:
    """Sum lines and tax as EN 16931 does: tax is worked out once per rate on the sum of its lines.

    TypeError for a line in another currency, ValueError beyond the bounds of Money.
    """
    taxable: dict[Decimal, Money] = {}
    subtotal = Money.zero(currency)
    for line in lines:
        amount = line.amount
        subtotal += amount
        taxable[line.tax_rate_percent] = taxable.get(line.tax_rate_percent, Money.zero(currency)) + amount
    taxes = tuple(
        TaxTotal(rate, base, round_half_up(base.minor_units * rate / 100, currency))
        for rate, base in sorted(taxable.items())
    )
    tax_total = sum((tax.tax for tax in taxes), Money.zero(currency))
    return Totals(subtotal, taxes, tax_total, subtotal + tax_total)


def round_half_up(minor_units: Decimal, currency: str) -> Money:
    """Halves go away from zero, so that a credit mirrors its charge."""
    return Money(int(minor_units.quantize(Decimal(1), rounding=ROUND_HALF_UP)), currency)


@dataclass(frozen=True, slots=True)
class Buyer:
    """The customer as printed on the document: a copy, so that later changes do not rewrite history."""

    name: str
    address_lines: tuple[str, ...]
    country: str
    tax_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Invoice:
    """An invoice. `reserved` is held by payments that have not finished; `lines` is empty in lists.

    `credited` was paid, given back and not asked for again. `version` counts all changes but holds, which change
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
    disputed: bool
    version: int
    event_version: int
    created_at: datetime
    finalized_at: datetime | None
    paid_at: datetime | None
    lines: tuple[Line, ...] = ()

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
    def is_payable(self) -> bool:
        return self.status in PAYABLE

    def days_overdue(self, today: date) -> int:
        """Days since the due date, 0 when it is not overdue. `today` is the date in the organization's zone."""
        return max(0, (today - self.due_date).days) if self.is_payable else 0

    def taxes(self) -> tuple[TaxTotal, ...]:
        """Tax by rate, worked out from the lines again by the same rule."""
        return totals(self.lines, self.currency).taxes

    def with_lines(self, lines: Sequence[Line]) -> "Invoice":
        """A draft with other lines. INVOICE_NOT_DRAFT unless it is one."""
        self.must_be_draft()
        sums = totals(lines, self.currency)
        return replace(
            self, lines=tuple(lines), subtotal=sums.subtotal, tax_total=sums.tax_total, total=sums.total
        )

    def must_be_draft(self) -> None:
        """INVOICE_NOT_DRAFT unless it may still be edited."""
        if self.status is not Status.DRAFT:
            raise self._refusal(
                reason="INVOICE_NOT_DRAFT", message="Only a draft can be changed; this invoice is final."
            )

    def finalized(self, number: str, buyer: Buyer, at: datetime) -> "Invoice":
        """The invoice with its number, to be paid from now on. INVOICE_TOTAL_NOT_POSITIVE for an empty sum."""
        self.must_be_draft()
        if self.total.minor_units <= 0:
            raise self._refusal(
                reason="INVOICE_TOTAL_NOT_POSITIVE",
                message="An invoice must come to more than zero to be finalized.",
            )
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
            raise self._refusal(
                reason="INVOICE_BEING_PAID",
                message="A payment for this invoice is on its way. Please try again later.",
            )
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
        """Put money on it and give back what the payment had reserved. One event tells of it."""
        return self._with_sums(
            paid=self.paid + amount, credited=self.credited, reserved=self.reserved - reserved, at=at
        )

    def unsettle(self, amount: Money, *, forgive: bool, at: datetime) -> "Invoice":
        """Take money off it again: it is owed once more, of which one event tells, or it is forgiven."""
        credited = self.credited + amount if forgive else self.credited
        after = self._with_sums(paid=self.paid - amount, credited=credited, reserved=self.reserved, at=at)
        return replace(after, event_version=self.event_version) if forgive else after

    def unforgive(self, amount: Money, *, at: datetime) -> "Invoice":
        """What was forgiven is paid after all; nothing changes for whoever owes it."""
        after = self._with_sums(
            paid=self.paid + amount, credited=self.credited - amount, reserved=self.reserved, at=at
        )
        return replace(after, event_version=self.event_version)

    def _with_sums(self, *, paid: Money, credited: Money, reserved: Money, at: datetime) -> "Invoice":
        """The status follows from the sums; the day of full payment stays while it is full."""
        if paid + credited == self.total:
            status, paid_at = Status.PAID, self.paid_at or at
        else:
            is_touched = not (paid.is_zero and credited.is_zero)
            status, paid_at = (Status.PARTLY_PAID if is_touched else Status.OPEN), None
        return replace(
            self, paid=paid, credited=credited, reserved=reserved, status=status, paid_at=paid_at,
            version=self.version + 1, event_version=self.event_version + 1,
        )  # fmt: skip

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
        disputed=False,
        version=FIRST_VERSION,
        event_version=0,
        created_at=created_at,
        finalized_at=None,
        paid_at=None,
    )

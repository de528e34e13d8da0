"""Credit notes: what they take off an invoice line by line, and off each group of its taxes."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum

from chassis.errors import Kind, ServiceError, invalid, not_found
from chassis.money import Money
from services.invoicing.domain.invoice import PAYABLE, Invoice, Status
from services.invoicing.domain.line_price import prices
from services.invoicing.domain.pricing import round_half_up
from services.invoicing.domain.reversal import Use
from services.invoicing.domain.tax_correction import Share, exceeds, left_of, spread

SERIES = "credit-note"
"""The number series of credit notes."""


class CreditReason(StrEnum):
    """Why something is credited."""

    RETURNED = "returned"
    NOT_AS_AGREED = "not_as_agreed"
    CORRECTION = "correction"
    DUPLICATE = "duplicate"
    GOODWILL = "goodwill"
    FEE_WAIVED = "fee_waived"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class LineWish:
    """So many, or so much with tax, of a line; all that is left of it when neither is given."""

    line_no: int
    quantity: Decimal | None = None
    amount: Money | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CreditWish:
    """What is to be credited: lines, or an amount with tax, or all that is left when there is neither."""

    invoice_id: str
    lines: Sequence[LineWish] = ()
    amount: Money | None = None


@dataclass(frozen=True, slots=True)
class CreditLine:
    """A line of a credit note; `amount` is with tax. Without `invoice_line_no` it is about the whole invoice."""

    invoice_line_no: int | None
    description: str
    quantity: Decimal
    amount: Money


@dataclass(frozen=True, slots=True)
class LineCredited:
    """What was credited of a line before."""

    quantity: Decimal
    amount: Money


@dataclass(frozen=True, slots=True)
class CreditDraft:
    """What a credit note takes off, by lines and by groups of taxes. Amounts are with tax."""

    lines: tuple[CreditLine, ...]
    by_group: Mapping[int, Money]
    amount: Money


@dataclass(frozen=True, slots=True)
class TaxCredit:
    """A tax that a credit note corrects."""

    name: str
    rate_percent: Decimal
    taxable: Money
    tax: Money


@dataclass(frozen=True, slots=True, kw_only=True)
class CreditNote:
    """A credit note; a preview of one has no number. `to_credit` had been paid and is credit of whoever paid it."""

    credit_note_id: str
    number: str
    invoice_id: str
    invoice_number: str
    customer_id: str
    subtotal: Money
    tax: Money
    total: Money
    to_credit: Money
    reason_code: CreditReason
    reason: str
    issued_on: date
    created_at: datetime | None
    lines: tuple[CreditLine, ...] = ()
    taxes: tuple[TaxCredit, ...] = ()


@dataclass(frozen=True, slots=True)
class PaidBy:
    """A use of a payment for the invoice, and whose credit its money becomes."""

    use: Use
    customer_id: str


def creditable(invoice: Invoice) -> Money:
    """What can still be credited of an invoice."""
    if invoice.status not in PAYABLE | {Status.PAID}:
        return Money.zero(invoice.currency)
    return invoice.total - invoice.credited


def must_be_creditable(invoice: Invoice) -> None:
    """INVOICE_NOT_CREDITABLE for drafts, for what is voided and while something is written off."""
    if invoice.status not in PAYABLE | {Status.PAID} or not invoice.written_off.is_zero:
        raise ServiceError(
            Kind.FAILED_PRECONDITION, "INVOICE_NOT_CREDITABLE",
            "Only a final invoice of which nothing is written off can be credited.",
            invoice_id=invoice.invoice_id,
        )  # fmt: skip


def lines_left(invoice: Invoice, before: Mapping[int, LineCredited]) -> list[Money]:
    """What of each line can still be credited, with tax."""
    zero = Money.zero(invoice.currency)
    return [
        price - (before[line_no].amount if line_no in before else zero)
        for line_no, price in enumerate(prices(invoice), start=1)
    ]


def draft_credit(
    invoice: Invoice,
    wish: CreditWish,
    *,
    shares: Sequence[Share],
    corrected: Mapping[int, Money],
    before: Mapping[int, LineCredited],
    whole: str,
) -> CreditDraft:
    """What a wish takes off an invoice that was read with its lines.

    `corrected` was taken off each group before, `before` off each line; `whole` is the text of a line about no line of
    the invoice. CREDIT_EXCEEDS_INVOICE, INVOICE_LINE_NOT_FOUND.
    """
    must_be_creditable(invoice)
    most = creditable(invoice)
    left = left_of(shares, corrected)
    if wish.lines:
        draft = _by_lines(invoice, wish.lines, shares, before)
        if any(part > max(left[group_no], part - part) for group_no, part in draft.by_group.items()):
            raise exceeds(most)
    else:
        draft = _as_a_whole(invoice, wish.amount, left, before, whole)
    if draft.amount > most:
        raise exceeds(most)
    if draft.amount.minor_units <= 0:
        raise invalid("amount", "positive", "A credit note must come to more than zero.")
    return draft


def lift(paid: Sequence[PaidBy], amount: Money) -> list[PaidBy]:
    """Uses of payments that come to `amount`, the last payment first; each with what is taken of it."""
    found, left = [], amount
    for one in paid:
        takes = min(one.use.amount, left)
        if takes.minor_units > 0:
            use = Use(one.use.payment_id, one.use.source_payment_id, one.use.invoice_id, takes)
            found.append(PaidBy(use, one.customer_id))
            left -= takes
    return found


def _as_a_whole(
    invoice: Invoice,
    amount: Money | None,
    left: Mapping[int, Money],
    before: Mapping[int, LineCredited],
    text: str,
) -> CreditDraft:
    wanted = creditable(invoice) if amount is None else amount
    if wanted.currency != invoice.currency:
        raise invalid("amount.currency", "currency", f"This invoice is in {invoice.currency}.")
    if wanted.minor_units <= 0:
        return CreditDraft((), {}, wanted)
    each = lines_left(invoice, before)
    lines = [
        CreditLine(line_no, line.description, Decimal(0), rest)
        for line_no, (line, rest) in enumerate(zip(invoice.lines, each, strict=True), start=1)
        if not rest.is_zero
    ]
    if amount is not None or sum(each, Money.zero(invoice.currency)) != wanted:
        lines = [CreditLine(None, text, Decimal(1), wanted)]
    return CreditDraft(tuple(lines), spread(wanted, left), wanted)


def _by_lines(
    invoice: Invoice, wishes: Sequence[LineWish], shares: Sequence[Share], before: Mapping[int, LineCredited]
) -> CreditDraft:
    zero = Money.zero(invoice.currency)
    group_of = {share.taxes: share.group_no for share in shares}
    by_group: dict[int, Money] = defaultdict(lambda: zero)
    lines, seen = [], set()
    for at, wish in enumerate(wishes):
        if not 1 <= wish.line_no <= len(invoice.lines):
            raise not_found("invoice line")
        if wish.line_no in seen:
            raise invalid(f"lines[{at}].line_no", "unique", "Each line can be named once.")
        seen.add(wish.line_no)
        line = _line(invoice, at, wish, before.get(wish.line_no, LineCredited(Decimal(0), zero)))
        lines.append(line)
        by_group[group_of.get(invoice.lines[wish.line_no - 1].all_taxes, 0)] += line.amount
    return CreditDraft(tuple(lines), dict(by_group), sum((line.amount for line in lines), zero))


def _line(invoice: Invoice, at: int, wish: LineWish, before: LineCredited) -> CreditLine:
    sold = invoice.lines[wish.line_no - 1]
    price = prices(invoice)[wish.line_no - 1]
    left = price - before.amount
    if wish.amount is not None:
        if wish.amount.currency != invoice.currency:
            raise invalid(
                f"lines[{at}].amount.currency", "currency", f"This invoice is in {invoice.currency}."
            )
        if wish.amount.minor_units <= 0:
            raise invalid(f"lines[{at}].amount", "positive", "The amount must be more than zero.")
        if wish.amount > left:
            raise exceeds(left)
        return CreditLine(wish.line_no, sold.description, Decimal(0), wish.amount)
    quantity = sold.quantity - before.quantity if wish.quantity is None else wish.quantity
    reached = before.quantity + quantity
    if reached > sold.quantity:
        raise exceeds(left)
    if quantity == 0 and wish.quantity is not None:
        raise invalid(f"lines[{at}].quantity", "positive", "The quantity must be more than zero.")
    if reached == sold.quantity:
        return CreditLine(wish.line_no, sold.description, quantity, left)
    amount = _of(price, reached, sold.quantity) - _of(price, before.quantity, sold.quantity)
    if amount > left:
        raise exceeds(left)
    return CreditLine(wish.line_no, sold.description, quantity, amount)


def _of(price: Money, quantity: Decimal, quantities: Decimal) -> Money:
    return round_half_up(price.minor_units * quantity / quantities, price.currency)

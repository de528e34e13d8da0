"""Refunds by line: what of a line is given back, and that no line is given back twice."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import ROUND_HALF_UP, Decimal

from chassis.errors import Kind, ServiceError, invalid
from chassis.money import Money
from services.payments.domain.payment import Part
from services.payments.domain.refund import RefundLine
from services.payments.domain.refund_request import RefundWish

LineName = tuple[str, int]
"""Invoice and position of the line on it, from one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LineWish:
    """A line that staff name, with a quantity or an amount; with neither, all that is left of it."""

    invoice_id: str
    line_no: int
    quantity: Decimal | None = None
    amount: Money | None = None

    @property
    def name(self) -> LineName:
        return self.invoice_id, self.line_no


@dataclass(frozen=True, slots=True, kw_only=True)
class LinePrice:
    """What invoicing says of a line: how many were sold, and what they came to, tax included."""

    description: str
    quantity: Decimal
    amount: Money


@dataclass(frozen=True, slots=True)
class LineTaken:
    """What refunds that hold have given back of a line, by quantity or not."""

    quantity: Decimal
    minor_units: int


NOTHING_TAKEN = LineTaken(Decimal(0), 0)


def must_be_alone(wish: RefundWish, lines: Sequence[LineWish]) -> None:
    """VALIDATION_FAILED for lines beside other sums, for one line twice, and for two measures of one line."""
    if lines and (wish.parts or wish.amount is not None):
        raise invalid("lines", "not_alone", "Name lines, or invoices, or an amount.")
    if len({line.name for line in lines}) != len(lines):
        raise invalid("lines", "repeated_line", "Each line may be named once only.")
    for index, line in enumerate(lines):
        if line.quantity is not None and line.amount is not None:
            raise invalid(f"lines[{index}]", "two_measures", "Say how many, or how much.")


def with_lines(
    wish: RefundWish,
    lines: Sequence[LineWish],
    prices: Mapping[LineName, LinePrice],
    taken: Mapping[LineName, LineTaken],
) -> RefundWish:
    """The wish with its lines' amounts, and their sums by invoice as parts. REFUND_EXCEEDS_LINE."""
    if not lines:
        return wish
    found = tuple(
        _line(index, line, prices[line.name], taken.get(line.name, NOTHING_TAKEN))
        for index, line in enumerate(lines)
    )
    sums: dict[str, Money] = {}
    for one in found:
        sums[one.invoice_id] = sums.get(one.invoice_id, Money.zero(one.amount.currency)) + one.amount
    return replace(
        wish, lines=found, parts=tuple(Part(invoice_id, amount) for invoice_id, amount in sums.items())
    )


def _line(index: int, wish: LineWish, price: LinePrice, taken: LineTaken) -> RefundLine:
    left = Money(price.amount.minor_units - taken.minor_units, price.amount.currency)
    quantity, amount = wish.quantity, wish.amount
    if quantity is not None:
        if quantity <= 0:
            raise invalid(f"lines[{index}].quantity", "not_positive", "Say how many; more than zero.")
        if quantity + taken.quantity > price.quantity:
            raise _exceeds(wish, left)
        amount = _share(price, taken.quantity + quantity) - _share(price, taken.quantity)
    elif amount is None:
        amount = left
    if amount.currency != left.currency:
        raise invalid(f"lines[{index}].amount", "currency", f"The invoice is in {left.currency}.")
    if wish.amount is not None and amount.minor_units <= 0:
        raise invalid(f"lines[{index}].amount", "not_positive", "The amount must be more than zero.")
    if amount > left or amount.minor_units <= 0:
        raise _exceeds(wish, left)
    return RefundLine(
        invoice_id=wish.invoice_id, line_no=wish.line_no, description=price.description,
        quantity=quantity, amount=amount,
    )  # fmt: skip


def _share(price: LinePrice, quantity: Decimal) -> Money:
    """What so many of the line's units came to: all of them come to exactly all of it."""
    units = price.amount.minor_units * quantity / price.quantity
    return Money(int(units.quantize(Decimal(1), rounding=ROUND_HALF_UP)), price.amount.currency)


def _exceeds(wish: LineWish, left: Money) -> ServiceError:
    return ServiceError(
        Kind.FAILED_PRECONDITION,
        "REFUND_EXCEEDS_LINE",
        "This is more than is left of a line of the invoice.",
        invoice_id=wish.invoice_id,
        line_no=str(wish.line_no),
        refundable_minor_units=str(max(left.minor_units, 0)),
        currency=left.currency,
    )

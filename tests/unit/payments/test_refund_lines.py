"""Refunds by line: exactly what a line came to, and never more of it."""

from decimal import Decimal

import pytest

from chassis.errors import ServiceError
from chassis.money import Money
from services.payments.domain.refund import Destination
from services.payments.domain.refund_lines import (
    LinePrice,
    LineTaken,
    LineWish,
    must_be_alone,
    with_lines,
)
from services.payments.domain.refund_request import RefundWish

_WISH = RefundWish(
    payment_id="pay_1", amount=None, parts=(), destination=Destination.METHOD, forgives=True, reason="broken"
)
_PRICES = {("inv_1", 1): LinePrice(description="Lamp", quantity=Decimal(3), amount=Money(10_000, "EUR"))}


def _units(line: LineWish, taken: LineTaken | None = None) -> int:
    wish = with_lines(_WISH, [line], _PRICES, {line.name: taken} if taken else {})
    assert [part.amount for part in wish.parts] == [one.amount for one in wish.lines]
    return wish.parts[0].amount.minor_units


def _refusal(line: LineWish, taken: LineTaken | None = None) -> str:
    with pytest.raises(ServiceError) as caught:
        _units(line, taken)
    return caught.value.reason


def test_one_after_the_other_gives_back_exactly_the_whole_line() -> None:
    one, taken, given = (
        LineWish(invoice_id="inv_1", line_no=1, quantity=Decimal(1)),
        LineTaken(Decimal(0), 0),
        [],
    )
    for _turn in range(3):
        given.append(_units(one, taken))
        taken = LineTaken(taken.quantity + 1, taken.minor_units + given[-1])
    assert given == [3_333, 3_334, 3_333]
    assert _refusal(one, taken) == "REFUND_EXCEEDS_LINE"


def test_without_measure_all_that_is_left_of_the_line_goes_back() -> None:
    assert _units(LineWish(invoice_id="inv_1", line_no=1), LineTaken(Decimal(0), 2_500)) == 7_500


def test_more_than_the_line_has_left_is_refused_by_amount_and_by_quantity() -> None:
    taken = LineTaken(Decimal(1), 9_000)
    assert (
        _refusal(LineWish(invoice_id="inv_1", line_no=1, amount=Money(1_001, "EUR")), taken)
        == "REFUND_EXCEEDS_LINE"
    )
    assert (
        _refusal(LineWish(invoice_id="inv_1", line_no=1, quantity=Decimal(1)), taken) == "REFUND_EXCEEDS_LINE"
    )
    assert _refusal(LineWish(invoice_id="inv_1", line_no=1, quantity=Decimal(4))) == "REFUND_EXCEEDS_LINE"
    assert _refusal(LineWish(invoice_id="inv_1", line_no=1, amount=Money(1, "USD"))) == "VALIDATION_FAILED"


def test_lines_stand_alone_and_only_once() -> None:
    line = LineWish(invoice_id="inv_1", line_no=1)
    with pytest.raises(ServiceError):
        must_be_alone(_WISH, [line, line])
    with pytest.raises(ServiceError):
        must_be_alone(
            RefundWish(
                payment_id="pay_1",
                amount=Money(1, "EUR"),
                parts=(),
                destination=Destination.METHOD,
                forgives=True,
                reason="",
            ),
            [line],
        )
    must_be_alone(_WISH, [line])

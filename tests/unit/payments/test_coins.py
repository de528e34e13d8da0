"""Coins count as they came, and every sum still adds up."""

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from chassis.money import Money
from services.payments.domain.coins import as_came
from services.payments.domain.outcome import Outcome, Status
from services.payments.domain.payment import Method, Part, Payment


def _payment(
    parts: list[int], *, surcharge: int = 0, credit: int = 0, method: Method = Method.STABLECOIN
) -> Payment:
    return Payment(
        payment_id="pay_1",
        customer_id="cus_1",
        status=Status.PROCESSING,
        amount=Money(sum(parts) + surcharge - credit, "USD"),
        parts=tuple(Part(f"inv_{at}", Money(units, "USD")) for at, units in enumerate(parts)),
        method=method,
        initiated_by="Ada",
        created_at=datetime(2026, 1, 1, tzinfo=UTC),
        surcharge_minor_units=surcharge,
        credit_used_minor_units=credit,
    )


def _came(units: int, currency: str = "USD") -> Outcome:
    return Outcome(status=Status.SUCCEEDED, amount=Money(units, currency))


@given(
    st.lists(st.integers(1, 5_000), min_size=1, max_size=5),
    st.integers(-100, 300),
    st.integers(0, 400),
    st.integers(1, 40_000),
)
def test_whatever_comes_is_parts_credit_and_surcharge_to_the_cent(
    parts: list[int], surcharge: int, credit: int, came: int
) -> None:
    payment = _payment([units + 500 for units in parts], surcharge=surcharge, credit=credit)
    after = as_came(payment, _came(came))
    total = sum(part.amount.minor_units for part in after.parts)
    assert after.amount == Money(came, "USD")
    assert (
        total - after.credit_used_minor_units + after.prepayment_minor_units + after.surcharge_minor_units
        == came
    )
    assert after.prepayment_minor_units >= 0
    assert all(one.amount.minor_units > 0 for one in after.parts)
    assert all(one.amount <= asked.amount for one, asked in zip(after.parts, payment.parts, strict=False))


def test_only_coins_in_the_asked_currency_may_differ() -> None:
    card, coins = _payment([1_000], method=Method.CARD), _payment([1_000])
    assert as_came(card, _came(900)) is card
    assert as_came(coins, _came(900, "EUR")) is coins
    assert as_came(coins, _came(1_000)) is coins

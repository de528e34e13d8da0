"""Refunds never exceed what was captured: ten thousand random sequences of refunds, failures and disputes."""

import os
import secrets
from random import Random

import pytest

from chassis.errors import ServiceError
from services.payments.domain.outcome import DisputeState, DisputeView, Outcome, Status
from services.payments.domain.payment import Part
from services.payments.domain.refund import Destination, RefundStatus, share_of
from tests.unit.payments.reversals.little_books import NOW, LittleBooks, usd

SEQUENCES = 10_000
SEED = int(os.environ.get("MODEL_SEED", "0")) or secrets.randbits(32)


def sequence(chance: Random) -> LittleBooks:
    net = chance.randint(1, 30_000)
    surcharge = net * chance.randint(-200, 200) // 1000
    books = LittleBooks.open(net + surcharge, surcharge=surcharge)
    books.hear(Outcome(status=Status.SUCCEEDED, amount=books.payment.amount))
    for number in range(chance.randint(1, 8)):
        refund_id = f"ref_{number}"
        units = chance.choice([None, chance.randint(1, net), chance.randint(1, max(1, net // 3))])
        agreed = books.try_refund(units, destination=chance.choice(list(Destination)), refund_id=refund_id)
        if agreed and chance.random() < 0.3:
            books.hear_of_refund(refund_id, chance.choice([RefundStatus.FAILED, RefundStatus.SUCCEEDED]))
        if chance.random() < 0.1:
            view = DisputeView(
                provider_reference="dp_1", state=chance.choice(list(DisputeState)),
                amount=usd(chance.randint(1, net)), fee=usd(0), reason="", opened_at=NOW,
            )  # fmt: skip
            books.hear(Outcome(status=Status.SUCCEEDED, amount=books.payment.amount, disputes=(view,)))
        books.check()
    return books


def test_refunds_never_exceed_what_was_captured_in_ten_thousand_sequences() -> None:
    print(f"MODEL_SEED={SEED}")
    chance = Random(SEED)
    for _ in range(SEQUENCES):
        books = sequence(chance)
        given = sum(one.amount.minor_units for one in books.standing.refunds if one.holds)
        assert given <= books.payment.amount.minor_units


def test_refunds_of_everything_in_pieces_give_back_everything_with_the_surcharge() -> None:
    chance = Random(SEED)
    for _ in range(2_000):
        net = chance.randint(10, 30_000)
        books = LittleBooks.open(net + net // 40, surcharge=net // 40)
        books.hear(Outcome(status=Status.SUCCEEDED, amount=books.payment.amount))
        pieces = chance.randint(1, 6)
        for number in range(pieces):
            units = None if number == pieces - 1 else max(1, net // (pieces + chance.randint(1, 5)))
            books.refund(units, refund_id=f"ref_{number}")
        assert books.standing.funds.is_zero
        assert books.standing.surcharge_left.is_zero
        assert not any(units for units in books.ledger.values())


def test_a_refund_of_one_unit_of_a_payment_with_a_discount_is_one_unit() -> None:
    books = LittleBooks.open(87, surcharge=-13)
    books.hear(Outcome(status=Status.SUCCEEDED, amount=books.payment.amount))
    books.refund(3, destination=Destination.CREDIT)
    assert books.refund(1, refund_id="ref_2").amount == usd(1)
    assert books.refund(None, refund_id="ref_3").amount == usd(83)
    assert books.standing.left.is_zero


@pytest.mark.parametrize(
    ("whole", "part", "of", "share"),
    [(299, 3_333, 10_000, 100), (5, 1, 2, 3), (-5, 1, 2, -3), (7, 0, 9, 0), (7, 9, 9, 7)],
)
def test_a_share_is_rounded_to_the_nearest_unit(whole: int, part: int, of: int, share: int) -> None:
    assert share_of(whole, part=part, of=of) == share


def test_a_refund_that_names_an_invoice_twice_is_refused() -> None:
    from services.payments.domain.refund_request import Refundable, RefundWish, agree

    books = LittleBooks.open(1_000)
    books.hear(Outcome(status=Status.SUCCEEDED, amount=usd(1_000)))
    facts = Refundable(
        status=Status.SUCCEEDED,
        went_to_provider=True,
        finished_at=NOW,
        parts=books.payment.parts,
        window_days=0,
    )
    wish = RefundWish(
        payment_id="pay_1", amount=None, parts=(Part("inv_1", usd(1)), Part("inv_1", usd(2))),
        destination=Destination.METHOD, forgives=True, reason="",
    )  # fmt: skip
    with pytest.raises(ServiceError, match="once only"):
        agree(wish, books.standing, facts, refund_id="ref_1", by="Sam", now=NOW)

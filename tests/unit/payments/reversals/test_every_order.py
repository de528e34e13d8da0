"""Whatever a provider tells, in whichever order it arrives, ends in one state: every permutation of up to five."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import permutations

from services.payments.domain.outcome import DisputeState, DisputeView, Outcome, Status
from services.payments.domain.refund import RefundStatus
from tests.unit.payments.reversals.little_books import NOW, LittleBooks, usd

Event = Callable[[LittleBooks], None]
AMOUNT, REFUNDED = 10_300, 3_000


def dispute(state: DisputeState, units: int, *, reference: str = "dp_1") -> DisputeView:
    fee = 0 if state is DisputeState.WON else 1_500
    return DisputeView(
        provider_reference=reference, state=state, amount=usd(units), fee=usd(fee), reason="fraudulent",
        opened_at=NOW,
    )  # fmt: skip


def outcome(*disputes: DisputeView, status: Status = Status.SUCCEEDED, return_code: str = "") -> Event:
    said = Outcome(
        status=status, amount=usd(AMOUNT), disputes=disputes, return_code=return_code, returned_at=NOW
    )
    return lambda books: books.hear(said)


def refund(status: RefundStatus) -> Event:
    return lambda books: books.hear_of_refund("ref_1", status)


EVENTS: dict[str, Event] = {
    "processing": outcome(status=Status.PROCESSING),
    "succeeded": outcome(),
    "dispute opened": outcome(dispute(DisputeState.OPEN, AMOUNT)),
    "dispute under review": outcome(dispute(DisputeState.UNDER_REVIEW, AMOUNT)),
    "dispute won": outcome(dispute(DisputeState.WON, AMOUNT)),
    "dispute lost in part": outcome(dispute(DisputeState.LOST, 8_000)),
    "second dispute": outcome(dispute(DisputeState.LOST, 2_500, reference="dp_2")),
    "returned": outcome(return_code="R10"),
    "refund processing": refund(RefundStatus.PROCESSING),
    "refund succeeded": refund(RefundStatus.SUCCEEDED),
    "refund failed": refund(RefundStatus.FAILED),
}
BEFORE_ANY_REFUND = [name for name in EVENTS if not name.startswith("refund")]


@dataclass
class Orders:
    """Every order of up to `most` events, walked once: orders that begin alike share their beginning."""

    most: int
    ends: dict[frozenset[str], dict[tuple[object, ...], tuple[str, ...]]] = field(default_factory=dict)
    walked: int = 0

    def walk(self, books: LittleBooks, names: Sequence[str], order: tuple[str, ...] = ()) -> "Orders":
        for name in names if len(order) < self.most else ():
            if name in order:
                continue
            after, longer = books.copy(), (*order, name)
            EVENTS[name](after)
            after.check()
            self.walked += 1
            self.ends.setdefault(frozenset(longer), {}).setdefault(_hashable(after.end()), longer)
            self.walk(after, names, longer)
        return self

    def that_differ(self) -> list[object]:
        return [found for found in self.ends.values() if len(found) > 1]


def refunded() -> LittleBooks:
    """A payment of which a part is being refunded."""
    books = LittleBooks.open(AMOUNT, surcharge=300)
    EVENTS["succeeded"](books)
    books.refund(REFUNDED)
    return books


def _hashable(end: tuple[object, ...]) -> tuple[object, ...]:
    return tuple(tuple(one) if isinstance(one, list) else one for one in end)


def test_every_order_of_up_to_five_events_after_a_refund_ends_alike() -> None:
    orders = Orders(5).walk(refunded(), list(EVENTS))
    assert orders.walked == 11 + 110 + 990 + 7_920 + 55_440
    assert orders.that_differ() == []


def test_every_order_of_up_to_five_events_of_a_new_payment_ends_alike() -> None:
    orders = Orders(5).walk(LittleBooks.open(AMOUNT, surcharge=300), BEFORE_ANY_REFUND)
    assert orders.that_differ() == []


def test_an_event_that_comes_again_changes_nothing() -> None:
    for order in permutations(EVENTS, 3):
        books = refunded()
        for name in order:
            EVENTS[name](books)
        end = books.end()
        for name in order:
            EVENTS[name](books)
        assert books.end() == end, order


def test_a_dispute_opened_and_decided_while_a_refund_fails_gives_everything_back() -> None:
    books = refunded()
    EVENTS["dispute opened"](books)
    assert books.standing.disputed == usd(AMOUNT - REFUNDED - books.standing.refunds[0].surcharge.minor_units)
    assert books.ledger["gone_twice"] == AMOUNT - books.standing.disputed.minor_units
    EVENTS["refund failed"](books)
    assert books.standing.disputed == usd(AMOUNT)
    EVENTS["dispute won"](books)
    assert books.standing.funds == usd(AMOUNT - 300)
    assert {account: units for account, units in books.ledger.items() if units} == {
        "provider_clearing": AMOUNT, "customer_funds": -(AMOUNT - 300), "surcharge_income": -300,
    }  # fmt: skip


def test_a_chargeback_too_small_for_a_share_leaves_the_surcharge() -> None:
    books = LittleBooks.open(102, surcharge=2)
    for state in (DisputeState.OPEN, DisputeState.LOST):
        small = dispute(state, 1)
        books.hear(Outcome(status=Status.SUCCEEDED, amount=usd(102), disputes=(small,)))
        books.check()
    assert books.standing.surcharge_left == usd(2)

"""Payments, refunds, returns, disputes and credit against a sheet of paper: thousands of random steps agree."""

import os
import secrets

import pytest
from hypothesis import HealthCheck, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    initialize,
    invariant,
    multiple,
    precondition,
    rule,
    run_state_machine_as_test,
)

from services.payments.domain.outcome import DisputeState, DisputeView, Outcome, Status
from services.payments.domain.refund import Destination, RefundStatus
from tests.unit.payments.reversals.little_books import NOW, LittleBooks, usd
from tests.unit.payments.reversals.reference import Sheet

EXAMPLES, STEPS_EACH = 300, 50
SEED = int(os.environ.get("MODEL_SEED", "0")) or secrets.randbits(32)
steps_taken = 0
REFERENCES = ("dp_1", "dp_2")


class Reversals(RuleBasedStateMachine):
    """One payment and all that can happen to it, on the rules and on the sheet."""

    refunds = Bundle("refunds")

    @initialize(amount=st.integers(100, 20_000), permille=st.integers(-150, 150))
    def pay(self, amount: int, permille: int) -> None:
        self.surcharge = amount * permille // 1000
        self.sheet = Sheet(amount + self.surcharge, self.surcharge)
        self.books = LittleBooks.open(amount + self.surcharge, surcharge=self.surcharge)
        self.numbers = 0
        self.hear()

    @rule(
        status=st.sampled_from([Status.PROCESSING, Status.SUCCEEDED, Status.REQUIRES_ACTION, Status.FAILED])
    )
    def hear_old_news(self, status: Status) -> None:
        self.hear(status=status)

    @rule(
        target=refunds,
        share=st.integers(1, 1_200),
        destination=st.sampled_from(list(Destination)),
        everything=st.booleans(),
    )
    def ask_for_refund(self, share: int, destination: Destination, everything: bool) -> object:
        self.numbers += 1
        refund_id = f"ref_{self.numbers:04d}"
        units = None if everything else max(1, (self.sheet.amount - self.surcharge) * share // 1_000)
        refundable = self.sheet.refundable
        agreed = self.books.try_refund(units, destination=destination, refund_id=refund_id)
        if not agreed:
            net = self.sheet.amount - self.surcharge if units is None else units
            assert refundable == 0 or net > refundable - abs(self.surcharge) - 1 or units is None
            return multiple()
        refund = self.books.standing.refund(refund_id)
        assert refund is not None
        assert 0 < refund.amount.minor_units <= refundable
        if destination is Destination.CREDIT:
            self.sheet.made_credit[refund_id] = refund.amount.minor_units
        else:
            self.sheet.sent[refund_id] = refund.amount.minor_units
        return refund_id if destination is Destination.METHOD else multiple()

    @rule(
        refund_id=refunds,
        status=st.sampled_from([RefundStatus.PROCESSING, RefundStatus.SUCCEEDED, RefundStatus.UNKNOWN]),
    )
    def hear_of_refund(self, refund_id: str, status: RefundStatus) -> None:
        self.books.hear_of_refund(refund_id, status)

    @rule(refund_id=consumes(refunds))
    def refund_fails(self, refund_id: str) -> None:
        self.books.hear_of_refund(refund_id, RefundStatus.FAILED)
        self.sheet.ended_badly.add(refund_id)

    @rule(
        reference=st.sampled_from(REFERENCES),
        state=st.sampled_from(list(DisputeState)),
        share=st.integers(1, 1_000),
    )
    def dispute(self, reference: str, state: DisputeState, share: int) -> None:
        units = max(1, self.sheet.amount * share // 1_000)
        self.sheet.dispute(reference, state.value, units)
        fee = 0 if state is DisputeState.WON else 1_500
        view = DisputeView(
            provider_reference=reference, state=state, amount=usd(units), fee=usd(fee), reason="fraudulent",
            opened_at=NOW,
        )  # fmt: skip
        self.hear(disputes=(view,))

    @precondition(lambda self: self.numbers >= 2)
    @rule()
    def come_back(self) -> None:
        self.sheet.is_returned = True
        self.hear(return_code="R10", returned_at=NOW)

    @invariant()
    def agrees_with_the_sheet(self) -> None:
        global steps_taken
        if not hasattr(self, "sheet"):
            return
        steps_taken += 1
        ledger, standing, sheet = self.books.ledger, self.books.standing, self.sheet
        self.books.check()
        assert (
            ledger["provider_clearing"] + ledger["chargeback_fees"] + ledger["refunds_payable"]
            == sheet.at_provider
        )
        assert ledger["gone_twice"] == sheet.gone_twice
        assert standing.refunded.minor_units == sheet.out + sum(sheet.made_credit.values())
        assert (
            standing.refunded - standing.recredited + standing.disputed + standing.returned_amount
        ).minor_units == (sheet.amount - sheet.left_gross)
        kept = -ledger["customer_funds"] - ledger["surcharge_income"] - ledger["discounts_given"]
        assert kept == sheet.left_gross
        assert 0 <= standing.refunded.minor_units <= sheet.amount

    def hear(self, *, status: Status = Status.SUCCEEDED, **said: object) -> None:
        amount = usd(self.sheet.amount)
        self.books.hear(Outcome(status=status, amount=amount, **said))  # type: ignore[arg-type]


def test_ten_thousand_random_steps_agree_with_the_sheet() -> None:
    print(f"MODEL_SEED={SEED}")
    machine = seed(SEED)(Reversals)
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=EXAMPLES, stateful_step_count=STEPS_EACH, deadline=None, database=None,
            suppress_health_check=list(HealthCheck), print_blob=True,
        ),
    )  # fmt: skip
    print(f"{steps_taken} steps")
    assert steps_taken >= 10_000


def test_the_model_finds_a_rule_that_is_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    """Were the money of a failed refund kept, it would be seen."""
    from services.payments.domain.refund import Refund

    monkeypatch.setattr(Refund, "holds", property(lambda refund: True))
    with pytest.raises(AssertionError):
        run_state_machine_as_test(
            seed(1)(Reversals),
            settings=settings(
                max_examples=100, stateful_step_count=30, deadline=None, database=None,
                suppress_health_check=list(HealthCheck),
            ),
        )  # fmt: skip

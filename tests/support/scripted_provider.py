"""A payment provider in memory that does what a test tells it: the world outside, with its own idea of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime

from chassis.money import Money
from services.payments.domain.attempt import Attempt
from services.payments.domain.outcome import DisputeState, DisputeView, MethodView, Outcome, Status
from services.payments.providers import (
    Order,
    PayoutView,
    ProviderSilentError,
    ProviderUnreachableError,
    RefundOrder,
    RefundOutcome,
    RefundState,
    SetupOrder,
    SetupOutcome,
    WebhookEvent,
    WebhookRefusedError,
)

OPENED_AT = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass
class ScriptedProvider:
    """Charges and refunds by key. `refund_result` is what a new refund becomes; the last lines are faults."""

    name: str = "scripted"
    outcomes: dict[str, Outcome] = field(default_factory=dict)
    refunds: dict[str, RefundOutcome] = field(default_factory=dict)
    disputes: dict[str, DisputeView] = field(default_factory=dict)
    refund_result: RefundState = RefundState.SUCCEEDED
    refunds_carried_out: int = 0
    silent: bool = False
    unreachable: bool = False
    lost_answers: int = 0
    lookups: int = 0

    def pay(self, attempt_id: str, amount: Money) -> Outcome:
        """The attempt's money came."""
        return self._set(attempt_id, Outcome(status=Status.SUCCEEDED, amount=amount))

    def give_back(self, attempt_id: str, code: str, *, at: datetime = OPENED_AT) -> Outcome:
        """The bank returns a debit that had settled."""
        return self._set(attempt_id, replace(self.outcomes[attempt_id], return_code=code, returned_at=at))

    def dispute(
        self, attempt_id: str, reference: str, state: DisputeState, amount: Money, *, fee_units: int = 1_500
    ) -> Outcome:
        """Open a chargeback, or decide it."""
        view = DisputeView(
            provider_reference=reference, state=state, amount=amount, fee=Money(fee_units, amount.currency),
            reason="fraudulent", opened_at=OPENED_AT,
        )  # fmt: skip
        self.disputes[reference] = view
        known = self.outcomes[attempt_id]
        others = tuple(one for one in known.disputes if one.provider_reference != reference)
        return self._set(attempt_id, replace(known, disputes=(*others, view)))

    def finish_refund(self, refund_id: str, state: RefundState, failure_code: str = "") -> RefundOutcome:
        """A refund ends, or ends otherwise."""
        self.refunds[refund_id] = replace(self.refunds[refund_id], state=state, failure_code=failure_code)
        return self.refunds[refund_id]

    async def create_checkout(self, order: Order, *, timeout_seconds: float) -> Outcome:
        raise ProviderUnreachableError("this provider has no pages")

    async def charge(self, order: Order, *, timeout_seconds: float) -> Outcome:
        self._answer_or_not()
        return self.pay(order.attempt_id, order.amount)

    async def refund(self, order: RefundOrder, *, timeout_seconds: float) -> RefundOutcome:
        if self.unreachable:
            raise ProviderUnreachableError("no route")
        if order.refund_id not in self.refunds:
            self.refunds_carried_out += 1
            self.refunds[order.refund_id] = RefundOutcome(
                state=self.refund_result,
                provider_reference=f"re_{order.refund_id}",
                amount=order.amount,
                failure_code="account_closed" if self.refund_result is RefundState.FAILED else "",
            )
        if self.lost_answers:
            self.lost_answers -= 1
            return RefundOutcome(state=RefundState.UNKNOWN)
        return self.refunds[order.refund_id]

    async def lookup_refund(self, order: RefundOrder, *, timeout_seconds: float) -> RefundOutcome | None:
        self._answer_or_not()
        return self.refunds.get(order.refund_id)

    async def lookup(self, attempt: Attempt, *, timeout_seconds: float) -> Outcome | None:
        self._answer_or_not()
        self.lookups += 1
        return self.outcomes.get(attempt.attempt_id)

    async def cancel(self, attempt: Attempt, *, timeout_seconds: float) -> Outcome:
        raise ProviderSilentError("nothing to close")

    async def submit_evidence(
        self, dispute_reference: str, evidence: str, *, timeout_seconds: float
    ) -> DisputeView:
        return self._decide(dispute_reference, DisputeState.UNDER_REVIEW)

    async def accept_dispute(self, dispute_reference: str, *, timeout_seconds: float) -> DisputeView:
        return self._decide(dispute_reference, DisputeState.LOST)

    async def start_setup(self, order: SetupOrder, *, timeout_seconds: float) -> SetupOutcome:
        raise ProviderUnreachableError("this provider saves nothing")

    async def lookup_setup(self, setup_id: str, *, timeout_seconds: float) -> SetupOutcome | None:
        return None

    async def lookup_method(self, method_token: str, *, timeout_seconds: float) -> MethodView | None:
        return None

    async def detach(self, method_token: str, *, timeout_seconds: float) -> None:
        return None

    async def payouts(self, since: date, *, timeout_seconds: float) -> Sequence[PayoutView]:
        return ()

    def verify_webhook(self, headers: Mapping[str, str], body: bytes, *, now: datetime) -> WebhookEvent:
        raise WebhookRefusedError("WEBHOOK_SIGNATURE_INVALID", "This provider sends no webhooks.")

    async def close(self) -> None:
        return None

    def _decide(self, reference: str, state: DisputeState) -> DisputeView:
        self._answer_or_not()
        view = replace(self.disputes[reference], state=state)
        self.disputes[reference] = view
        for attempt_id, outcome in self.outcomes.items():
            mine = tuple(view if one.provider_reference == reference else one for one in outcome.disputes)
            self.outcomes[attempt_id] = replace(outcome, disputes=mine)
        return view

    def _set(self, attempt_id: str, outcome: Outcome) -> Outcome:
        self.outcomes[attempt_id] = outcome
        return outcome

    def _answer_or_not(self) -> None:
        if self.unreachable:
            raise ProviderUnreachableError("no route")
        if self.silent:
            raise ProviderSilentError("no answer")

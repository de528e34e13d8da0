"""A provider inside the process that answers at once: for benchmarks, never for real money.

It remembers nothing beyond the process; the settings refuse it in production.
"""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import TypeVar

from services.payments.domain.attempt import Attempt
from services.payments.domain.outcome import DisputeView, MethodView, Outcome, Status
from services.payments.providers import (
    Order,
    PayoutView,
    ProviderSilentError,
    RefundOrder,
    RefundOutcome,
    RefundState,
    SetupOrder,
    SetupOutcome,
    SetupState,
    WebhookEvent,
    WebhookRefusedError,
)

T = TypeVar("T")

DECLINED_TOKEN = "tok_declined"  # noqa: S105
REMEMBERED = 10_000


class Instant:
    """Charges everything but DECLINED_TOKEN. A hosted page counts as paid as soon as somebody asks about it."""

    name = "instant"

    def __init__(self) -> None:
        self._outcomes: dict[str, Outcome] = {}
        self._refunds: dict[str, RefundOutcome] = {}
        self._refunded: dict[str, int] = {}
        self._setups: dict[str, SetupOutcome] = {}
        self._methods: dict[str, MethodView] = {}

    async def create_checkout(self, order: Order, *, timeout_seconds: float) -> Outcome:
        """Sends the payer straight back."""
        self._outcomes.setdefault(order.attempt_id, self._paid(order))
        _forget_oldest(self._outcomes)
        return Outcome(
            status=Status.REQUIRES_ACTION,
            amount=order.amount,
            provider_reference=order.attempt_id,
            redirect_url=order.return_url,
        )

    async def charge(self, order: Order, *, timeout_seconds: float) -> Outcome:
        """The same answer for the same attempt."""
        known = self._outcomes.get(order.attempt_id)
        if known is None:
            known = self._decide(order)
            self._outcomes[order.attempt_id] = known
            _forget_oldest(self._outcomes)
        return known

    async def lookup(self, attempt: Attempt, *, timeout_seconds: float) -> Outcome | None:
        """None for what this process has not seen."""
        return self._outcomes.get(attempt.attempt_id)

    async def cancel(self, attempt: Attempt, *, timeout_seconds: float) -> Outcome:
        """Too late: it is paid."""
        known = self._outcomes.get(attempt.attempt_id)
        if known is None:
            raise ProviderSilentError("not seen by this process")
        return known

    async def refund(self, order: RefundOrder, *, timeout_seconds: float) -> RefundOutcome:
        """At once, and never more than was charged."""
        known = self._refunds.get(order.refund_id)
        if known is None:
            known = self._give_back(order)
            self._refunds[order.refund_id] = known
            _forget_oldest(self._refunds)
        return known

    async def lookup_refund(self, order: RefundOrder, *, timeout_seconds: float) -> RefundOutcome | None:
        """None for what this process has not seen."""
        return self._refunds.get(order.refund_id)

    async def start_setup(self, order: SetupOrder, *, timeout_seconds: float) -> SetupOutcome:
        """Sends the payer straight back; the method is saved by then."""
        if order.setup_id not in self._setups:
            method = MethodView(
                method_token=f"pm_{order.setup_id}",
                customer_token=order.customer_token or f"cus_{order.setup_id}",
                kind="card",
                brand="Visa",
                last_digits="4242",
                expiry_month=12,
                expiry_year=2034,
                fingerprint="instant",
            )
            self._methods[method.method_token] = method
            self._setups[order.setup_id] = SetupOutcome(
                state=SetupState.SUCCEEDED, provider_reference=order.setup_id, method=method
            )
            _forget_oldest(self._methods)
            _forget_oldest(self._setups)
        return SetupOutcome(
            state=SetupState.REQUIRES_ACTION,
            provider_reference=order.setup_id,
            redirect_url=order.return_url,
        )

    async def lookup_setup(self, setup_id: str, *, timeout_seconds: float) -> SetupOutcome | None:
        """None for what this process has not seen."""
        return self._setups.get(setup_id)

    async def lookup_method(self, method_token: str, *, timeout_seconds: float) -> MethodView | None:
        """None for what this process has not seen, or has forgotten."""
        return self._methods.get(method_token)

    async def detach(self, method_token: str, *, timeout_seconds: float) -> None:
        """Forget it."""
        self._methods.pop(method_token, None)

    async def submit_evidence(
        self, dispute_reference: str, evidence: str, *, timeout_seconds: float
    ) -> DisputeView:
        """Nobody disputes its charges."""
        raise ProviderSilentError("there are no disputes here")

    async def accept_dispute(self, dispute_reference: str, *, timeout_seconds: float) -> DisputeView:
        """Nobody disputes its charges."""
        raise ProviderSilentError("there are no disputes here")

    async def payouts(self, since: date, *, timeout_seconds: float) -> Sequence[PayoutView]:
        """It pays nothing out."""
        return ()

    def verify_webhook(self, headers: Mapping[str, str], body: bytes, *, now: datetime) -> WebhookEvent:
        """It sends none."""
        raise WebhookRefusedError("WEBHOOK_SIGNATURE_INVALID", "This provider sends no webhooks.")

    async def close(self) -> None:
        self._outcomes.clear()

    def _decide(self, order: Order) -> Outcome:
        if order.card_token == DECLINED_TOKEN:
            return Outcome.failed("card_declined")
        if order.method_token and order.method_token not in self._methods:
            return Outcome.failed("payment_method_gone")
        return self._paid(order)

    def _give_back(self, order: RefundOrder) -> RefundOutcome:
        attempt_id = order.attempt.attempt_id
        paid = self._outcomes.get(attempt_id)
        refunded = self._refunded.get(attempt_id, 0)
        if paid is None or paid.amount is None or paid.status is not Status.SUCCEEDED:
            return RefundOutcome(state=RefundState.FAILED, failure_code="charge_not_refundable")
        if order.amount.currency != paid.amount.currency:
            return RefundOutcome(state=RefundState.FAILED, failure_code="currency_mismatch")
        if refunded + order.amount.minor_units > paid.amount.minor_units:
            return RefundOutcome(state=RefundState.FAILED, failure_code="refund_too_large")
        self._refunded[attempt_id] = refunded + order.amount.minor_units
        _forget_oldest(self._refunded)
        return RefundOutcome(
            state=RefundState.SUCCEEDED, provider_reference=order.refund_id, amount=order.amount
        )

    def _paid(self, order: Order) -> Outcome:
        return Outcome(
            status=Status.SUCCEEDED,
            amount=order.amount,
            provider_reference=order.attempt_id,
            method_summary="Visa 4242",
        )


def _forget_oldest(remembered: dict[str, T]) -> None:
    while len(remembered) > REMEMBERED:
        del remembered[next(iter(remembered))]

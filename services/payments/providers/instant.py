"""A provider inside the process that answers at once: for benchmarks, never for real money.

It remembers nothing beyond the process; the settings refuse it in production.
"""

from collections.abc import Mapping
from datetime import datetime

from services.payments.domain.attempt import Attempt
from services.payments.domain.outcome import Outcome, Status
from services.payments.providers import Order, ProviderSilentError, WebhookEvent, WebhookRefusedError

DECLINED_TOKEN = "tok_declined"  # noqa: S105
REMEMBERED = 10_000


class Instant:
    """Charges everything but DECLINED_TOKEN. A hosted page counts as paid as soon as somebody asks about it."""

    name = "instant"

    def __init__(self) -> None:
        self._outcomes: dict[str, Outcome] = {}

    async def create_checkout(self, order: Order, *, timeout_seconds: float) -> Outcome:
        """Sends the payer straight back."""
        self._remember(order, self._paid(order))
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
            declined = order.card_token == DECLINED_TOKEN
            known = Outcome.failed("card_declined") if declined else self._paid(order)
            self._remember(order, known)
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

    def verify_webhook(self, headers: Mapping[str, str], body: bytes, *, now: datetime) -> WebhookEvent:
        """It sends none."""
        raise WebhookRefusedError("WEBHOOK_SIGNATURE_INVALID", "This provider sends no webhooks.")

    async def close(self) -> None:
        self._outcomes.clear()

    def _paid(self, order: Order) -> Outcome:
        return Outcome(
            status=Status.SUCCEEDED,
            amount=order.amount,
            provider_reference=order.attempt_id,
            method_summary="Visa 4242",
        )

    def _remember(self, order: Order, outcome: Outcome) -> None:
        self._outcomes[order.attempt_id] = outcome
        while len(self._outcomes) > REMEMBERED:
            del self._outcomes[next(iter(self._outcomes))]

"""One try of a payment at a provider, and when to ask again what became of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from chassis.money import Money
from services.payments.domain.outcome import Status

KEY_VALID_FOR = timedelta(hours=23)
"""How long the same key surely means the same charge at every provider (Stripe v1 forgets after 24 h)."""

CREDIT_PROVIDER = "credit"
"""Named by attempts that use credit alone: nobody outside is asked about them."""
SLOW_CHECK = timedelta(hours=12)
"""How often to ask about what takes days by nature: the provider's webhook tells it earlier."""
SLOW_KINDS = frozenset({"bank_debit", "stablecoin"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """A try at a provider. Its id is the provider's idempotency key: it can never charge twice.

    `card_token` stays only as long as it may be needed to repeat the same request.
    """

    attempt_id: str
    payment_id: str
    provider: str
    state: Status
    amount: Money
    is_hosted: bool
    """Paid on the provider's page rather than with a token."""
    created_at: datetime
    provider_reference: str | None = None
    card_token: str | None = None
    next_check_at: datetime | None = None
    checks: int = 0
    kind: str = "card"
    """A word of domain.payment.Method."""
    wallet: str = ""
    method_token: str = ""
    customer_token: str = ""
    save_method: bool = False
    off_session: bool = False

    def key_is_valid(self, now: datetime) -> bool:
        """Whether repeating the request with the same key is still safe."""
        return now - self.created_at < KEY_VALID_FOR


def next_check_at(
    status: Status, *, checks: int, now: datetime, delays_seconds: Sequence[int], kind: str = "card"
) -> datetime | None:
    """When to ask the provider next: soon at first, hourly at last, never once the answer is certain."""
    if not status.is_live:
        return None
    if status is Status.PROCESSING and kind in SLOW_KINDS:
        return now + SLOW_CHECK
    return now + timedelta(seconds=delays_seconds[min(checks, len(delays_seconds) - 1)])

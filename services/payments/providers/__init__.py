"""What payments asks of a card provider, whoever it is."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from chassis.money import Money
from services.payments.domain.attempt import Attempt
from services.payments.domain.outcome import Outcome

CHECKOUT_EXPIRES_SECONDS = 1800
"""A hosted page that nobody has paid on by then is given up."""


class ProviderSilentError(Exception):
    """The provider could not be asked: nothing is known that was not known before."""


class ProviderUnreachableError(ProviderSilentError):
    """No connection came about, so this request never left: nothing can have been charged by it."""


class WebhookRefusedError(Exception):
    """Not from the provider, or too old; `reason` is our error's reason."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class OrderLine:
    """What the payer sees on the provider's page."""

    description: str
    amount: Money


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """A request to a provider. The same attempt must always give the same order: its id is the key."""

    organization_id: str
    payment_id: str
    attempt_id: str
    amount: Money
    merchant_name: str
    return_url: str
    card_token: str | None
    lines: Sequence[OrderLine]


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookEvent:
    """A verified hint. What it says about its object is not believed: the object is fetched."""

    event_id: str
    type: str
    organization_id: str
    attempt_id: str


class Provider(Protocol):
    """A card provider. An unclear answer is an Outcome with UNKNOWN; it is never an exception or a failure."""

    @property
    def name(self) -> str:
        """As stored with attempts and used in webhook addresses."""
        ...

    async def create_checkout(self, order: Order, *, timeout_seconds: float) -> Outcome:
        """Open a hosted page. Raises ProviderUnreachableError."""
        ...

    async def charge(self, order: Order, *, timeout_seconds: float) -> Outcome:
        """Charge a card token. Raises ProviderUnreachableError."""
        ...

    async def lookup(self, attempt: Attempt, *, timeout_seconds: float) -> Outcome | None:
        """What became of an attempt; None if the provider surely never saw it. Raises ProviderSilentError."""
        ...

    async def cancel(self, attempt: Attempt, *, timeout_seconds: float) -> Outcome:
        """Close a hosted page; the outcome is what is true afterwards. Raises ProviderSilentError."""
        ...

    def verify_webhook(self, headers: Mapping[str, str], body: bytes, *, now: datetime) -> WebhookEvent:
        """Check signature and age. Raises WebhookRefusedError."""
        ...

    async def close(self) -> None:
        """Give connections back."""
        ...

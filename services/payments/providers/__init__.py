"""What payments asks of a card provider, whoever it is."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Protocol, runtime_checkable

from chassis.money import Money
from services.payments.domain.attempt import Attempt
from services.payments.domain.outcome import DisputeView, MethodView, Outcome

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
    kind: str = "card"
    """A word of domain.payment.Method: which page to open, or what is charged."""
    wallet: str = ""
    """apple_pay or google_pay when `card_token` is a wallet's."""
    method_token: str = ""
    """A saved method to charge instead of a token."""
    customer_token: str = ""
    """The provider's own customer, when a method is charged or saved."""
    save_method: bool = False
    """Whether the method is to be kept for later."""
    off_session: bool = False
    """Nobody is there to answer questions: autopay and scheduled payments."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SetupOrder:
    """A request to save a method without paying. `setup_id` is the provider's idempotency key."""

    organization_id: str
    setup_id: str
    kind: str
    customer_token: str
    merchant_name: str
    return_url: str


class SetupState(StrEnum):
    """What became of a setup."""

    REQUIRES_ACTION = "requires_action"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class SetupOutcome:
    """What a provider says about a setup."""

    state: SetupState
    provider_reference: str | None = None
    redirect_url: str = ""
    failure_code: str = ""
    method: MethodView | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundOrder:
    """A request to give money back. `refund_id` is the provider's idempotency key."""

    organization_id: str
    refund_id: str
    attempt: Attempt
    amount: Money
    reason: str


class RefundState(StrEnum):
    """What became of a refund, in rising order of certainty: one that a bank refuses fails after it succeeded."""

    UNKNOWN = "unknown"
    PROCESSING = "processing"
    SUCCEEDED = "succeeded"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundOutcome:
    """What a provider says about a refund. UNKNOWN when no usable answer came: money may have moved."""

    state: RefundState
    provider_reference: str | None = None
    amount: Money | None = None
    failure_code: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PayoutLineView:
    """A line of a settlement report. `kind`: charge, refund, chargeback, chargeback_reversal, fee, adjustment, return.

    `attempt_id` is ours as the provider kept it, empty when it was not made by us. `amount` is signed: what it
    adds to the payout before the fee.
    """

    kind: str
    provider_reference: str
    attempt_id: str
    organization_id: str
    amount: Money
    fee: Money


@dataclass(frozen=True, slots=True, kw_only=True)
class PayoutView:
    """Money that a provider sent to the bank; `net` is the sum of the lines less their fees."""

    provider_reference: str
    arrives_on: date
    net: Money
    lines: Sequence[PayoutLineView]


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookEvent:
    """A verified hint. What it says about its object is not believed: the object is fetched."""

    event_id: str
    type: str
    organization_id: str
    attempt_id: str
    refund_id: str = ""
    """Ours, for news of refunds; they carry the attempt as well."""
    setup_id: str = ""
    """Ours, for news of saved methods."""
    provider_reference: str = ""
    """The provider's id of the charge, where an event does not name our attempt (Stripe's disputes)."""


@runtime_checkable
class FollowsClocks(Protocol):
    """A provider for tests, in whose world an organization's test clock can be followed."""

    async def go_to(self, organization_id: str, moment: datetime, *, timeout_seconds: float) -> int:
        """Let the organization's time there pass; how much happened. Raises ProviderSilentError."""
        ...

    async def next_due_at(self, organization_id: str, *, timeout_seconds: float) -> datetime | None:
        """When something will happen there next. Raises ProviderSilentError."""
        ...

    async def let_go(self, organization_id: str, *, timeout_seconds: float) -> None:
        """The organization has no test clock any more. Raises ProviderSilentError."""
        ...


class Provider(Protocol):
    """A card provider. An unclear answer is an Outcome with UNKNOWN; it is never an exception or a failure."""

    @property
    def name(self) -> str:
        """As stored with attempts and used in webhook addresses."""
        ...

    async def create_checkout(self, order: Order, *, timeout_seconds: float) -> Outcome:
        """Open a hosted page for `order.kind`. Raises ProviderUnreachableError."""
        ...

    async def charge(self, order: Order, *, timeout_seconds: float) -> Outcome:
        """Charge a token or a saved method. Raises ProviderUnreachableError."""
        ...

    async def refund(self, order: RefundOrder, *, timeout_seconds: float) -> RefundOutcome:
        """Give money back. Raises ProviderUnreachableError."""
        ...

    async def lookup_refund(self, order: RefundOrder, *, timeout_seconds: float) -> RefundOutcome | None:
        """What became of a refund; None if the provider never saw it. Raises ProviderSilentError."""
        ...

    async def start_setup(self, order: SetupOrder, *, timeout_seconds: float) -> SetupOutcome:
        """Open a page on which a method is saved. Raises ProviderUnreachableError."""
        ...

    async def lookup_setup(self, setup_id: str, *, timeout_seconds: float) -> SetupOutcome | None:
        """What became of a setup; None if the provider never saw it. Raises ProviderSilentError."""
        ...

    async def lookup_method(self, method_token: str, *, timeout_seconds: float) -> MethodView | None:
        """A saved method as it is now (renewed card, revoked mandate); None if gone. Raises ProviderSilentError."""
        ...

    async def detach(self, method_token: str, *, timeout_seconds: float) -> None:
        """Forget a saved method and revoke its mandate; harmless when it is gone. Raises ProviderSilentError."""
        ...

    async def submit_evidence(
        self, dispute_reference: str, evidence: str, *, timeout_seconds: float
    ) -> DisputeView:
        """Answer a chargeback. Raises ProviderSilentError."""
        ...

    async def accept_dispute(self, dispute_reference: str, *, timeout_seconds: float) -> DisputeView:
        """Give in. Raises ProviderSilentError."""
        ...

    async def payouts(self, since: date, *, timeout_seconds: float) -> Sequence[PayoutView]:
        """Payouts that arrive on or after a day, each with its lines. Raises ProviderSilentError."""
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

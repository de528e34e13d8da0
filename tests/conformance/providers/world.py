"""The interface of a subject: what tests may ask of the world around a provider's adapter."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Protocol

from chassis.money import Money
from services.payments.domain.attempt import Attempt
from services.payments.domain.outcome import Outcome, Status
from services.payments.providers import Order, OrderLine, Provider, RefundOrder, SetupOrder

TIMEOUT_SECONDS = 5.0
RETURN_URL = "https://portal.example/back"
CAPABILITIES = frozenset(
    {
        "challenges",  # charges that answer requires_action with an address
        "debits",  # bank debits on the hosted page
        "disputes",
        "faults",
        "kept_redirects",  # what a payer was sent to can be charged again
        "left_pages",  # the provider notices that a payer went back without paying
        "mandate_texts",  # what an account holder agreed to is told
        "pages",  # hosted pages on which a payer can do different things
        "payouts",
        "redirects",
        "setup_pages",
        "stablecoins",
        "stripe_documents",  # documents that Stripe's own library declares
        "wallets",
        "webhooks",
    }
)


class Card(StrEnum):
    """Cards by what becomes of them; a world knows its provider's token for each."""

    GOOD = "good"
    DECLINED = "declined"
    NO_FUNDS = "no_funds"
    ASKS = "asks"
    ASKS_UNLESS_SAVED = "asks_unless_saved"
    SAVED_THEN_DECLINED = "saved_then_declined"
    DISPUTED = "disputed"
    REFUND_WAITS = "refund_waits"
    REFUND_FAILS = "refund_fails"


class Act(StrEnum):
    """What a payer does on a hosted page."""

    PAYS = "pays"
    """By a good card, or the good account, or by approving: whatever the page is for."""
    IS_DECLINED = "is_declined"
    CONFIRMS = "confirms"
    """Pays with a card whose bank asks, and says yes."""
    REFUSES = "refuses"
    """Pays with a card whose bank asks, and says no."""
    LEAVES = "leaves"
    BOUNCES = "bounces"
    """Debit from an account that sends it back before it settles."""
    BOUNCES_2_DAYS_LATER = "bounces_2_days_later"
    BOUNCES_6_DAYS_LATER = "bounces_6_days_later"
    BOUNCES_40_DAYS_LATER = "bounces_40_days_later"
    REVOKES_MANDATE = "revokes_mandate"
    """Debit from an account whose holder revokes the mandate after it settled."""
    SENDS_LESS = "sends_less"
    SENDS_MORE = "sends_more"
    NEVER_RETURNS = "never_returns"


class Fault(StrEnum):
    """Bad luck with one request. BEFORE and AFTER: whether the money had moved."""

    HANG_BEFORE = "hang_before"
    HANG_AFTER = "hang_after"
    ERROR_BEFORE = "error_before"
    ERROR_AFTER = "error_after"
    RESET_BEFORE = "reset_before"
    RESET_AFTER = "reset_after"
    CUT_BODY = "cut_body"
    WRONG_AMOUNT = "wrong_amount"
    WRONG_CURRENCY = "wrong_currency"
    TWICE_TOLD = "twice_told"
    """The event is delivered more than once."""
    TOLD_BACKWARDS = "told_backwards"
    """The next two events are delivered the last first."""


@dataclass(frozen=True)
class Hook:
    """A webhook as it came."""

    headers: Mapping[str, str]
    body: bytes


class World(Protocol):
    """A provider's adapter with everything around it."""

    @property
    def name(self) -> str:
        """As on the command line."""
        ...

    @property
    def can(self) -> frozenset[str]:
        """Some of CAPABILITIES."""
        ...

    @property
    def provider(self) -> Provider:
        """Our adapter."""
        ...

    def card(self, card: Card) -> str:
        """The provider's token for a card."""
        ...

    def wallet_token(self, wallet: str) -> str:
        """A token as apple_pay or google_pay would hand it over."""
        ...

    async def pay_on_page(self, url: str, act: Act) -> None:
        """Do something on a hosted page, or on the page of a setup."""
        ...

    async def answer_challenge(self, url: str, *, approve: bool) -> None:
        """Answer the bank's question about a charge."""
        ...

    async def advance(self, *, days: int) -> None:
        """Let time pass at the provider; what was due has happened when this returns."""
        ...

    async def open_dispute(self, attempt_id: str) -> None:
        """The card holder of a successful charge wants the money back."""
        ...

    def evidence(self, *, winning: bool) -> str:
        """What to write so that a dispute is won, or lost."""
        ...

    async def decide_dispute(self, dispute_reference: str) -> None:
        """Have the bank look at the evidence now."""
        ...

    async def revoke_mandate(self, method_token: str) -> None:
        """The account holder goes to the bank."""
        ...

    async def pay_out(self, organization_id: str) -> None:
        """Send what is there to the merchant's bank."""
        ...

    async def fault(self, fault: Fault, key: str) -> None:
        """Bad luck for the next request about the object with that id of ours (attempt, refund or setup)."""
        ...

    async def captured(self, attempt_id: str) -> Sequence[Money]:
        """The successful charges of an attempt, as the payer's bank statement shows them."""
        ...

    async def next_webhooks(self, about: str, *, at_least: int = 1) -> Sequence[Hook]:
        """Everything delivered so far that names that id of ours, oldest first, once there are so many."""
        ...


@dataclass
class Shop:
    """An organization with its orders: what tests hand to the adapter."""

    provider: Provider
    organization_id: str = field(default_factory=lambda: f"org_{uuid.uuid4().hex[:12]}")

    def order(self, units: int = 12_500, currency: str = "USD", **settings: Any) -> Order:
        """An order for a charge; `kind` opens a page when it is handed to create_checkout."""
        amount, mark = Money(units, currency), uuid.uuid4().hex[:12]
        values: dict[str, Any] = {
            "organization_id": self.organization_id,
            "payment_id": f"pay_{mark}",
            "attempt_id": f"att_{mark}",
            "amount": amount,
            "merchant_name": "Harbor Freight Services",
            "return_url": RETURN_URL,
            "card_token": None,
            "lines": (OrderLine("Invoice HF-00017", amount),),
        }
        return Order(**values | settings)

    async def charge(self, order: Order) -> Outcome:
        return await self.provider.charge(order, timeout_seconds=TIMEOUT_SECONDS)

    async def open_page(self, order: Order) -> Outcome:
        """A page that surely is open."""
        outcome = await self.provider.create_checkout(order, timeout_seconds=TIMEOUT_SECONDS)
        assert outcome.status is Status.REQUIRES_ACTION
        assert outcome.redirect_url
        return outcome

    async def lookup(self, order: Order, *, reference: str | None = None, hosted: bool = False) -> Outcome:
        """What the provider says now about an attempt that it knows."""
        attempt = attempt_of(order, reference=reference, hosted=hosted)
        found = await self.provider.lookup(attempt, timeout_seconds=TIMEOUT_SECONDS)
        assert found is not None
        return found

    def refund_order(
        self,
        order: Order,
        units: int,
        *,
        hosted: bool = False,
        currency: str = "",
        reference: str | None = None,
    ) -> RefundOrder:
        """A request to give back some of an order."""
        return RefundOrder(
            organization_id=self.organization_id,
            refund_id=f"ref_{uuid.uuid4().hex[:12]}",
            attempt=attempt_of(order, hosted=hosted, reference=reference),
            amount=Money(units, currency or order.amount.currency),
            reason="requested_by_customer",
        )

    def setup_order(self, kind: str = "card", customer_token: str = "") -> SetupOrder:
        """A request to save a method."""
        return SetupOrder(
            organization_id=self.organization_id,
            setup_id=f"set_{uuid.uuid4().hex[:12]}",
            kind=kind,
            customer_token=customer_token,
            merchant_name="Harbor Freight Services",
            return_url=RETURN_URL,
        )


def attempt_of(order: Order, *, reference: str | None = None, hosted: bool = False) -> Attempt:
    """The attempt as it would stand in the database."""
    attempt = Attempt(
        attempt_id=order.attempt_id,
        payment_id=order.payment_id,
        provider="",
        state=Status.SUBMITTING,
        amount=order.amount,
        is_hosted=hosted,
        created_at=datetime.now(UTC),
        provider_reference=reference,
        card_token=order.card_token,
    )
    return replace(attempt, kind=order.kind)

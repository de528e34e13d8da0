"""What a provider says about an attempt, in our own words."""

from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum
from typing import Self

from chassis.money import Money


class Status(StrEnum):
    """State of a payment and of its attempt, in rising order of what the provider has made certain.

    The first two are of payments that have no attempt and hold nothing yet.

    A later word wins only if it stands higher, so the order of arrival never matters. SUBMITTING and REVIEW
    are ours alone: people see them as "on its way" and "being checked".
    """

    AWAITING_APPROVAL = "awaiting_approval"
    SCHEDULED = "scheduled"
    SUBMITTING = "submitting"
    UNKNOWN = "unknown"
    REQUIRES_ACTION = "requires_action"
    PROCESSING = "processing"
    REVIEW = "review"
    CANCELED = "canceled"
    FAILED = "failed"
    SUCCEEDED = "succeeded"

    @property
    def rank(self) -> int:
        """Position in the order above."""
        return _RANKS[self]

    @property
    def is_live(self) -> bool:
        """Money may still move: nobody may pay the same thing again."""
        return self.rank < Status.CANCELED.rank

    @property
    def is_waiting(self) -> bool:
        """It has not begun: no provider has heard of it and no invoice is held."""
        return self in (Status.AWAITING_APPROVAL, Status.SCHEDULED)

    @property
    def is_uncertain(self) -> bool:
        """Only the provider knows whether money moved."""
        return self in (Status.SUBMITTING, Status.UNKNOWN, Status.PROCESSING, Status.REVIEW)


_RANKS = {status: rank for rank, status in enumerate(Status)}
LIVE = tuple(status for status in Status if status.is_live)


@dataclass(frozen=True, slots=True, kw_only=True)
class MethodView:
    """A card or account as a provider keeps it. Tokens and what people may see; never a number.

    `kind` is a word of domain.payment.Method. Mandate fields are for bank debits.
    """

    method_token: str
    customer_token: str
    kind: str
    brand: str
    last_digits: str
    expiry_month: int = 0
    expiry_year: int = 0
    fingerprint: str = ""
    """The same for the same card or account, as far as the provider tells."""
    mandate_reference: str = ""
    mandate_text: str = ""
    mandate_accepted_at: datetime | None = None
    is_revoked: bool = False


class DisputeState(StrEnum):
    """Where a chargeback stands, in rising order of certainty."""

    OPEN = "open"
    UNDER_REVIEW = "under_review"
    WON = "won"
    LOST = "lost"


@dataclass(frozen=True, slots=True, kw_only=True)
class DisputeView:
    """A chargeback as a provider tells it."""

    provider_reference: str
    state: DisputeState
    amount: Money
    fee: Money
    reason: str
    opened_at: datetime
    evidence_due_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """One observation at the provider. `amount` is what the provider says it is about, to be compared.

    A debit that settled and came back is SUCCEEDED with a `return_code`; one that came back before it had settled
    is FAILED. What the provider says of chargebacks stands in `disputes`.
    """

    status: Status
    amount: Money | None = None
    provider_reference: str | None = None
    redirect_url: str = ""
    failure_code: str = ""
    method_summary: str = ""
    review_reason: str = ""
    return_code: str = ""
    returned_at: datetime | None = None
    expected_on: date | None = None
    saved_method: MethodView | None = None
    disputes: tuple[DisputeView, ...] = ()
    declines: int = 0
    """How many numbers were declined on the provider's page before it was closed, where the provider tells."""

    def checked(self, expected: Money) -> Self:
        """The same, unless it is about another sum than the one asked for: then a person must look at it.

        A mismatch is neither success nor failure, since money may have moved.
        """
        if self.amount is None or self.amount == expected:
            return self
        reason = f"provider reports {self.amount}, asked for {expected}"
        return replace(self, status=Status.REVIEW, redirect_url="", failure_code="", review_reason=reason)

    @classmethod
    def unknown(cls, provider_reference: str | None = None) -> Self:
        """The provider was asked and no usable answer came: money may have moved."""
        return cls(status=Status.UNKNOWN, provider_reference=provider_reference)

    @classmethod
    def failed(cls, failure_code: str) -> Self:
        """Surely nothing was charged."""
        return cls(status=Status.FAILED, failure_code=failure_code)

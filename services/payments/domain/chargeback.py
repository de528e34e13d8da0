"""Money that the payer's bank takes back: returned debits and chargebacks."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Self

from chassis.money import Money
from services.payments.domain.outcome import DisputeState, DisputeView

_RANKS = {state: rank for rank, state in enumerate(DisputeState)}
_REVOKING = frozenset(
    {
        *("R02", "R05", "R07", "R08", "R10", "R11", "R16", "R29"),  # ACH
        *("AC04", "AC06", "MD01", "MD02", "MD06", "MD07", "MS02"),  # SEPA
        *("mandate_revoked", "revocation_of_authorization", "debit_not_authorized", "account_closed"),
        "customer_initiated",  # MD06 in Stripe's words
    }
)
UNMATCHED = "unmatched"
"""Return code of a payment whose bank line was somebody else's money: staff undid the match."""


def revokes_mandate(code: str) -> bool:
    """Whether the account must not be debited again after a return or failure with this code.

    The authority is revoked or was never given, the account is closed or barred, or its holder demanded the money back.
    """
    return code in _REVOKING


@dataclass(frozen=True, slots=True, kw_only=True)
class Return:
    """A bank debit that came back after it had settled, or a match undone. There is one for a payment, ever."""

    return_id: str
    code: str
    returned_at: datetime

    @property
    def is_unmatch(self) -> bool:
        """No money left: it was only booked for the wrong customer or invoices."""
        return self.code == UNMATCHED


@dataclass(frozen=True, slots=True, kw_only=True)
class Chargeback:
    """A payment, or a part of it, that the payer's bank disputes."""

    chargeback_id: str
    payment_id: str
    customer_id: str
    provider: str
    provider_reference: str
    state: DisputeState
    amount: Money
    fee: Money
    reason: str
    opened_at: datetime
    evidence_due_at: datetime | None = None
    closed_at: datetime | None = None
    evidence: str = ""

    @property
    def holds(self) -> bool:
        """Whether the bank has the money: from the opening on, unless it was won."""
        return self.state is not DisputeState.WON

    @property
    def is_open(self) -> bool:
        """Not decided yet."""
        return self.state in (DisputeState.OPEN, DisputeState.UNDER_REVIEW)

    def after(self, view: DisputeView, *, now: datetime) -> Self:
        """The chargeback after an observation; the very same object if it says nothing new.

        Each view says the whole state, so a state that stands lower is old news and changes nothing.
        """
        if _RANKS[view.state] <= _RANKS[self.state]:
            return self
        closed = view.state in (DisputeState.WON, DisputeState.LOST)
        return replace(
            self,
            state=view.state,
            amount=view.amount,
            fee=view.fee,
            evidence_due_at=view.evidence_due_at or self.evidence_due_at,
            closed_at=(self.closed_at or now) if closed else None,
        )

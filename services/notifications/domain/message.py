"""Messages to people: their states, and when a failed try is repeated."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

LEASE: Final = timedelta(seconds=45)
"""How long a worker has a message to itself; longer than all its time limits together."""
GIVE_UP_AFTER: Final = timedelta(days=3)
"""A message that nobody took by then has failed; staff see it and may try again."""
MOST_BROKEN_TRIES: Final = 10
"""A mail that cannot be put together is given up within hours: what is missing does not come by itself."""
NO_ADDRESS: Final = "no address"
BAD_ADDRESS: Final = "not an e-mail address"
_SERVER_DELAYS_SECONDS: Final = (5, 30, 120, 600, 3600, 21_600)
_INSIDE_DELAYS_SECONDS: Final = (2, 5, 15, 60, 300, 900, 3600)
_ADDRESS: Final = re.compile(r"\A[^\s@<>,;:\"\\\x00-\x1f\x7f]+@[^\s@<>,;:\"\\\x00-\x1f\x7f]+\Z")
_MAX_ADDRESS_CHARACTERS: Final = 254


class Kind(StrEnum):
    """What a message is for."""

    INVOICE = "invoice"
    RECEIPT = "receipt"
    AUTOPAY_ANNOUNCED = "autopay_announced"
    AUTOPAY_FAILED = "autopay_failed"
    CARD_EXPIRING = "card_expiring"
    APPROVAL_REQUESTED = "approval_requested"
    REVERSAL = "reversal"
    INVOICE_UPCOMING = "invoice_upcoming"
    PRICE_CHANGE = "price_change"
    PLAN_OFFERED = "plan_offered"
    PLAN_ACTIVE = "plan_active"
    INSTALMENT_DUE = "instalment_due"
    PLAN_BROKEN = "plan_broken"
    DISPUTE_OPENED = "dispute_opened"
    DISPUTE_ANSWERED = "dispute_answered"
    DISPUTE_RESOLVED = "dispute_resolved"
    DUNNING = "dunning"
    CREDIT_NOTE = "credit_note"


class State(StrEnum):
    """QUEUED until the mail server took it or it failed for good."""

    QUEUED = "queued"
    SENT = "sent"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A message. `payload` is the event that asked for it; `version` counts the message's own events."""

    organization_id: str
    message_id: str
    kind: Kind
    state: State
    event_id: str
    customer_id: str
    recipient: str
    about_id: str
    payload: bytes
    traceparent: str
    created_at: datetime
    queued_at: datetime
    due_at: datetime
    subject: str = ""
    attempts: int = 0
    last_error: str = ""
    leased_until: datetime | None = None
    sent_at: datetime | None = None
    version: int = 0

    def gives_up_at(self) -> datetime:
        return self.queued_at + GIVE_UP_AFTER


def address_problem(recipient: str) -> str:
    """Why nothing can be sent to it; empty when it looks like an address."""
    if not recipient:
        return NO_ADDRESS
    if len(recipient) > _MAX_ADDRESS_CHARACTERS or not _ADDRESS.match(recipient):
        return BAD_ADDRESS
    return ""


class TryLater(Exception):
    """The try did not succeed and another may. `inside`: one of our own services did not do its part.

    `is_broken`: it was there and failed, so that it is not asked as often as one that is away.
    """

    def __init__(self, reason: str, *, inside: bool, is_broken: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.inside = inside
        self.is_broken = is_broken


class Refused(Exception):
    """The message cannot be delivered, however often it is tried."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def delay_after(attempts: int, *, inside: bool) -> timedelta:
    """Time to the next try. Our own services are back soon; a mail server wants to be left alone."""
    delays = _INSIDE_DELAYS_SECONDS if inside else _SERVER_DELAYS_SECONDS
    return timedelta(seconds=delays[min(max(attempts, 1), len(delays)) - 1])

"""A payer says that a transfer is on its way: it pauses reminders until the money is found or time is up."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from chassis.errors import invalid
from chassis.money import Money

VALID_FOR = timedelta(days=10)
OLDEST = timedelta(days=366)
LARGEST_PROOF_BYTES = 5 * 1024 * 1024
_SIGNATURES = (
    (b"%PDF-", "application/pdf"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
)


class ClaimStatus(StrEnum):
    """State of a claim."""

    OPEN = "open"
    MATCHED = "matched"
    EXPIRED = "expired"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True, kw_only=True)
class TransferClaim:
    """A claim without its proof."""

    claim_id: str
    customer_id: str
    invoice_ids: Sequence[str]
    amount: Money
    transferred_on: date
    note: str
    status: ClaimStatus
    expires_on: date
    created_at: datetime
    claimed_by: str
    proof_file_name: str = ""
    payment_id: str = ""
    reopened: int = 0
    """How often a match that had ended it was undone."""

    @property
    def version(self) -> int:
        """Number of its newest event: claimed, closed, and so on in turn."""
        return 1 + 2 * self.reopened + (self.status is not ClaimStatus.OPEN)


@dataclass(frozen=True, slots=True)
class Proof:
    """A document by its content: what its name says does not count."""

    file_name: str
    media_type: str
    content: bytes


def sniff_proof(file_name: str, content: bytes) -> Proof | None:
    """PDF, PNG or JPEG by the first bytes; None without a proof. Anything else is refused."""
    if not content:
        return None
    if len(content) > LARGEST_PROOF_BYTES:
        raise invalid("proof", "too_large", "The proof is larger than 5 MB.")
    for signature, media_type in _SIGNATURES:
        if content.startswith(signature):
            return Proof(_safe_name(file_name, media_type), media_type, content)
    raise invalid("proof", "not_a_document", "The proof must be a PDF, PNG or JPEG file.")


def check_day(transferred_on: date, today: date) -> None:
    """A transfer is of today, of tomorrow at most where clocks differ, or of the last year."""
    if transferred_on > today + timedelta(days=1):
        raise invalid("transferred_on", "in_the_future", "The day of the transfer lies in the future.")
    if transferred_on < today - OLDEST:
        raise invalid("transferred_on", "too_old", "The day of the transfer is more than a year ago.")


def _safe_name(file_name: str, media_type: str) -> str:
    """The last part of the name without signs that mean something, with the ending of its content."""
    ending = {"application/pdf": ".pdf", "image/png": ".png", "image/jpeg": ".jpg"}[media_type]
    last = file_name.replace("\\", "/").rpartition("/")[2]
    stem = last.rpartition(".")[0] or last
    plain = "".join(sign for sign in stem if sign.isalnum() or sign in " -_.()").strip(" .")
    return (plain[:100] or "proof") + ending

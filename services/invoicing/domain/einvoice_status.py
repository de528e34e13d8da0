"""What the receiver of an e-invoice says, and where the e-invoice stands by it.

News are ordered by when they were said, not by when they came in: an older one never overwrites a newer one.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from chassis.errors import Kind, ServiceError, invalid

PREFIX = "ein"


class Code(StrEnum):
    """Codes of the Peppol Invoice Response (UNCL4343)."""

    ACKNOWLEDGED = "AB"
    IN_PROCESS = "IP"
    UNDER_QUERY = "UQ"
    CONDITIONALLY_ACCEPTED = "CA"
    REJECTED = "RE"
    ACCEPTED = "AP"
    PAID = "PD"


NEEDS_ANSWER = frozenset({Code.REJECTED, Code.UNDER_QUERY})
"""What the receiver will not pay before somebody has done something about it."""
REASON_CODES = frozenset(
    ("NON", "REF", "LEG", "REC", "QUA", "DEL", "PRI", "QTY", "ITM", "PAY", "UNR", "FIN", "PPD", "OTH")
)
"""The list OPStatusReason."""
ACTION_CODES = frozenset(("NOA", "PIN", "NIN", "CNF", "CNP", "CNA", "OTH"))
"""The list OPStatusAction."""


@dataclass(frozen=True, slots=True)
class Clarification:
    """Why, or what is asked for: a code of one of the lists, a text, or both."""

    code: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """A report. `external_id` is its id where it comes from."""

    external_id: str
    code: Code
    occurred_at: datetime
    reported_at: datetime
    reasons: tuple[Clarification, ...] = ()
    actions: tuple[Clarification, ...] = ()
    network: str = ""
    recipient: str = ""
    reported_by_name: str = ""

    def says_the_same(self, other: "Status") -> bool:
        """Whether a report that came again is the one that is known; who reports it, and when, does not count."""
        mine = (self.code, self.reasons, self.actions, self.network, self.recipient)
        return mine == (other.code, other.reasons, other.actions, other.network, other.recipient)

    def reason_words(self) -> list[str]:
        """Texts, or codes where there is no text."""
        return [one.text or one.code for one in self.reasons]


@dataclass(frozen=True, slots=True, kw_only=True)
class EInvoice:
    """Where the e-invoice of an invoice or credit note stands. While it `waits`, staff have to decide."""

    einvoice_id: str
    document_id: str
    number: str
    invoice_id: str
    customer_id: str
    code: Code
    occurred_at: datetime
    last_external_id: str
    waits: bool
    upheld_at: datetime | None = None
    upheld_by_name: str = ""
    uphold_reason: str = ""
    event_version: int = 1

    def heard(self, status: Status) -> "EInvoice | None":
        """As it stands with these news; None when they are older than what is known."""
        if status.occurred_at < self.occurred_at:
            return None
        return replace(
            self, code=status.code, occurred_at=status.occurred_at, last_external_id=status.external_id,
            waits=status.code in NEEDS_ANSWER, upheld_at=None, upheld_by_name="", uphold_reason="",
            event_version=self.event_version + 1,
        )  # fmt: skip

    def upheld(self, at: datetime, *, by_name: str, reason: str) -> "EInvoice":
        """As it stands once staff let it stand. E_INVOICE_NOT_WAITING."""
        if not self.waits:
            raise ServiceError(
                Kind.FAILED_PRECONDITION, "E_INVOICE_NOT_WAITING", "There is nothing to decide about it."
            )
        return replace(
            self, waits=False, upheld_at=at, upheld_by_name=by_name, uphold_reason=reason,
            event_version=self.event_version + 1,
        )  # fmt: skip


def must_be_known(field: str, clarifications: Sequence[Clarification], codes: frozenset[str]) -> None:
    """VALIDATION_FAILED for a code that is not in its list, or for a clarification that says nothing."""
    for at, one in enumerate(clarifications):
        if one.code and one.code not in codes:
            raise invalid(f"{field}[{at}].code", "in", f"Known codes are {', '.join(sorted(codes))}.")
        if not (one.code or one.text):
            raise invalid(f"{field}[{at}].text", "required", "Give a code, a text, or both.")

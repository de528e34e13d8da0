"""A line of a bank statement as reconciliation sees it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from chassis.errors import Kind, ServiceError
from chassis.money import Money
from services.payments.domain.invoice_numbers import clues, compact
from services.payments.domain.matching import IncomingLine
from services.payments.domain.payer_names import Likeness, likeness

AUTOMATIC = "automatic"
BY_RULE = "rule"
JOINED = "joined"
"""Note of a part that is in the whole line again."""
PAYOUT_EARLY_DAYS = 4
PAYOUT_LATE_DAYS = 10
"""How long before and after the day that the provider told a payout may be booked."""
RECORDED_WITHIN = timedelta(days=10)
"""Cheques take days, and people record late."""


class LineStatus(StrEnum):
    """What became of a line."""

    UNMATCHED = "unmatched"
    MATCHED = "matched"
    IGNORED = "ignored"
    OUTGOING = "outgoing"
    SUPERSEDED = "superseded"
    """Other lines stand for it: it was split, or its parts were joined again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BankLine:
    """Money that moved at a bank account of the organization. `matched_by`: automatic, rule, or who did it."""

    bank_line_id: str
    bank_account_id: str
    bank_statement_id: str
    booked_on: date
    value_on: date | None
    amount: Money
    counterparty_name: str = ""
    counterparty_account: str = ""
    remittance_text: str = ""
    structured_reference: str = ""
    end_to_end_id: str = ""
    status: LineStatus = LineStatus.UNMATCHED
    payment_id: str = ""
    payout_id: str = ""
    matched_by: str = ""
    assignee: str = ""
    note: str = ""
    split_from: str = ""
    """Line of which it is a part."""

    @property
    def was_joined(self) -> bool:
        """Whether it was a part that is in the whole line again."""
        return self.status is LineStatus.SUPERSEDED and self.note == JOINED

    @property
    def reference(self) -> str:
        """What the payer gave as reference; the end-to-end id stands in for it."""
        return self.structured_reference or self.end_to_end_id

    def as_incoming(self) -> IncomingLine:
        """What matching looks at."""
        return IncomingLine(
            bank_line_id=self.bank_line_id,
            amount=self.amount,
            booked_on=self.booked_on,
            name=self.counterparty_name,
            account=self.counterparty_account,
            text=self.remittance_text,
            reference=" ".join(each for each in (self.structured_reference, self.end_to_end_id) if each),
        )

    def check_can_be_matched(self) -> None:
        """BANK_LINE_MATCHED, BANK_LINE_SPLIT or BANK_LINE_OUTGOING if it is no money that waits."""
        if self.status is LineStatus.MATCHED:
            raise ServiceError(Kind.FAILED_PRECONDITION, "BANK_LINE_MATCHED", "This line is matched already.")
        if self.status is LineStatus.SUPERSEDED:
            raise ServiceError(
                Kind.FAILED_PRECONDITION, "BANK_LINE_SPLIT", "Other lines stand for this one: it was split."
            )
        if self.status is LineStatus.OUTGOING or self.amount.minor_units <= 0:
            raise ServiceError(
                Kind.FAILED_PRECONDITION,
                "BANK_LINE_OUTGOING",
                "This money left the account; it pays no invoice.",
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpectedPayout:
    """Money that a provider has sent and that no bank line has shown yet."""

    payout_id: str
    provider: str
    provider_reference: str
    net: Money
    arrives_on: date

    def is_in(self, line: BankLine) -> bool:
        """Whether a line may be it: the same sum around the day, from somebody of the provider's name."""
        early, late = timedelta(days=PAYOUT_EARLY_DAYS), timedelta(days=PAYOUT_LATE_DAYS)
        if line.amount != self.net or not self.arrives_on - early <= line.booked_on <= self.arrives_on + late:
            return False
        return self.is_named_in(line) or self.provider.casefold() in _told(line)

    def is_named_in(self, line: BankLine) -> bool:
        """Whether the line has the provider's reference of it."""
        return bool(self.provider_reference) and self.provider_reference.casefold() in _told(line)


def payout_of(line: BankLine, expected: Sequence[ExpectedPayout]) -> ExpectedPayout | None:
    """The payout that a line is; of several alike the one whose reference is named, or else the first expected."""
    possible = sorted((each for each in expected if each.is_in(line)), key=lambda each: each.arrives_on)
    named = [each for each in possible if each.is_named_in(line)]
    return next(iter(named or possible), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedTransfer:
    """Money for the bank that staff have recorded themselves, and that no bank line has shown yet."""

    payment_id: str
    customer_id: str
    customer_name: str
    amount: Money
    received_on: date
    invoice_numbers: tuple[str, ...]

    def is_in(self, line: BankLine) -> bool:
        """The same sum within days, from somebody of the customer's name or with one of the invoices' numbers."""
        if line.amount != self.amount or abs(line.booked_on - self.received_on) > RECORDED_WITHIN:
            return False
        if likeness(line.counterparty_name, self.customer_name) is not Likeness.NONE:
            return True
        told = clues(f"{line.remittance_text} \n {line.reference}")
        return any(compact(number) in told for number in self.invoice_numbers if number)


def recorded_of(line: BankLine, recorded: Sequence[RecordedTransfer]) -> RecordedTransfer | None:
    """The recorded payment that a line is; none if it could be several."""
    possible = [each for each in recorded if each.is_in(line)]
    return possible[0] if len(possible) == 1 else None


def _told(line: BankLine) -> str:
    return f"{line.counterparty_name} {line.remittance_text} {line.reference}".casefold()

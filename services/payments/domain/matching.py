"""What bank lines and open invoices are, and what a line may be for."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

from chassis.money import Money

AUTOMATIC_PER_MILLE = 950
"""From here on a line is matched by itself. Every kind of evidence that reaches it has been measured on labelled
statements with at least 0.999 right (tests/unit/payments/matching); a wrong match costs a customer's trust, a line
in the queue costs a click."""


class ReasonCode(StrEnum):
    """Why, for programs."""

    CREDITOR_REFERENCE = "creditor_reference"
    INVOICE_NUMBER = "invoice_number"
    EXACT_AMOUNT = "exact_amount"
    SUM_OF_INVOICES = "sum_of_invoices"
    NAME = "name"
    ACCOUNT_HISTORY = "account_history"
    RULE = "rule"
    CLAIM = "claim"
    SUM_OF_LINES = "sum_of_lines"


@dataclass(frozen=True, slots=True)
class Reason:
    """Why, for programs and for people."""

    code: ReasonCode
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class IncomingLine:
    """Money that arrived at the bank."""

    bank_line_id: str
    amount: Money
    booked_on: date
    name: str = ""
    account: str = ""
    text: str = ""
    reference: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenItem:
    """An invoice. What is due is zero once it is paid: it is here because a line names it.

    Money that came by `discount_until` settles it with `discounted_due`. `instalment_due` is what a plan asks for.
    """

    invoice_id: str
    number: str
    customer_id: str
    customer_name: str
    due: Money
    total: Money
    due_on: date
    purchase_order: str = ""
    customer_external_id: str = ""
    disputed: bool = False
    discounted_due: Money | None = None
    discount_until: date | None = None
    instalment_due: Money | None = None

    def settled_by(self, day: date) -> Money | None:
        """What settles it for less than is due, for money of that day; None when nothing may be kept."""
        if self.discount_until is None or day > self.discount_until:
            return None
        return self.discounted_due


@dataclass(frozen=True, slots=True, kw_only=True)
class MatchRule:
    """Lines that it fits belong to the customer, or are ignored if there is none."""

    match_rule_id: str
    name: str
    text_contains: str = ""
    account: str = ""
    customer_id: str = ""
    ignore: bool = False
    position: int = 0

    def fits(self, line: IncomingLine) -> bool:
        """Whether every condition it has holds; a rule without conditions fits nothing."""
        wanted = self.text_contains.casefold()
        told = f"{line.name}\n{line.text}\n{line.reference}".casefold()
        if not wanted and not self.account:
            return False
        return wanted in told and (
            not self.account or plain_account(self.account) == plain_account(line.account)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A payer says that this transfer is on its way."""

    claim_id: str
    customer_id: str
    invoice_ids: tuple[str, ...]
    amount: Money


@dataclass(frozen=True, slots=True)
class MatchedPart:
    """What of a line goes to an invoice."""

    invoice_id: str
    number: str
    amount: Money


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """What a line may be for. `rule_id` and `claim_id` name what it follows."""

    customer_id: str
    customer_name: str
    parts: tuple[MatchedPart, ...]
    credit: Money
    confidence_per_mille: int
    reasons: tuple[Reason, ...]
    rule_id: str = ""
    claim_id: str = ""
    together_with: tuple[IncomingLine, ...] = ()
    """Other lines that pay the same invoice with it. Such proposals are for people."""

    @property
    def is_automatic(self) -> bool:
        return self.confidence_per_mille >= AUTOMATIC_PER_MILLE


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What becomes of a line by itself: ignored by a rule, matched, or nothing."""

    bank_line_id: str
    ignored_by: MatchRule | None = None
    proposal: Proposal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Knowledge:
    """Everything that lines are compared with. `history`: whose payments came from an account, how often."""

    items: Sequence[OpenItem]
    history: Mapping[str, Counter[str]] = field(default_factory=dict)
    rules: Sequence[MatchRule] = ()
    claims: Sequence[Claim] = ()
    referenced: Mapping[str, str] = field(default_factory=dict)
    """Customers by the body of the creditor reference that names them; see creditor_reference.py."""
    other_names: Mapping[str, str] = field(default_factory=dict)
    """Customers without open items: a name that is theirs as well is nobody's for certain."""


def plain_account(account: str) -> str:
    """An account number without blanks and case."""
    return "".join(account.split()).upper()

"""What the mails say: plain facts of an invoice or a payment."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from chassis.money import Money


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    """Whom a customer's mail goes to; empty where nothing is known."""

    customer_id: str
    email: str = ""
    name: str = ""
    locale: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class InvoiceFacts:
    """An invoice that is to be paid."""

    contact_name: str
    number: str
    total: Money
    invoice_date: date
    due_date: date


@dataclass(frozen=True, slots=True, kw_only=True)
class AppliedPart:
    """A part of a payment used for an invoice, and what is still to pay on it."""

    number: str
    amount: Money
    amount_due: Money


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiptFacts:
    """A payment and what it was used for; `credited` is what no invoice took."""

    contact_name: str
    receipt_number: str
    received: Money
    parts: tuple[AppliedPart, ...]
    credited: Money


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedFacts:
    """An automatic payment that is announced; with `needs_confirmation` nothing is charged unprompted."""

    amount: Money
    pay_on: date
    parts: tuple[tuple[str, Money], ...]
    """Numbers of the invoices, and what each gets."""
    method: str
    needs_confirmation: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class FailedFacts:
    """An automatic payment that failed; given up when there is no next try."""

    amount: Money
    failure_code: str
    next_try_on: date | None
    method: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpiringFacts:
    """A saved card and the first day of its last month."""

    method: str
    month: date
    used_by_autopay: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalFacts:
    """A payment that waits for approval."""

    amount: Money
    requested_by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReversalFacts:
    """Money that went back, the invoices it was taken from, and what is to pay on them now."""

    kind: str
    """refund, return, chargeback or unmatched."""
    receipt_number: str
    amount: Money
    parts: tuple[AppliedPart, ...]
    from_credit: Money
    fee: Money
    forgiven: bool
    to_credit: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class UpcomingFacts:
    """The next invoice of a schedule; with `more_by_usage` it may come to more."""

    name: str
    invoice_on: date
    total: Money
    more_by_usage: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceChangeFacts:
    """A new price of a line of a schedule, and the first day it counts on."""

    name: str
    line: str
    old_price: Money
    new_price: Money
    effective_on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    """A file that goes along."""

    file_name: str
    content: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class InvoiceDocument:
    """The invoice as it is when the mail leaves: what is still to pay then, and the way to pay it."""

    pay_link_token: str
    amount_due: Money
    pdf: Attachment
    late_fee_for: str = ""
    """Number of the invoice that a late fee is about."""
    early_discount: Money | None = None
    early_discount_until: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
    """A mail ready to be sent. `message_id` names it for ever: sending it twice is recognizable."""

    message_id: str
    recipient: str
    recipient_name: str
    subject: str
    text: str
    html: str
    attachment: Attachment | None
    sender_name: str
    reply_to: str
    logo: bytes
    dated: datetime | None = None
    """The organization's time when it is sent; the machine's if not said."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanFacts:
    """An instalment plan as a mail tells it.

    `amount` is the first or next instalment, or what was missed. `day` is the last day of an offer, the day of the last
    instalment, or that of the next one. `text` is what staff wrote with an offer, or the terms.
    """

    plan_id: str
    invoice_numbers: Sequence[str]
    total: Money
    open: Money
    instalments: int
    amount: Money
    day: date
    first_on: date | None = None
    discount: Money | None = None
    number: int = 0
    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DisputeFacts:
    """A dispute as a mail tells it. `rest` is what can be paid meanwhile, or what is to be paid afterwards.

    `text` is what staff wrote; `outcome` is empty while it is open.
    """

    dispute_id: str
    invoice_number: str
    amount: Money
    rest: Money | None = None
    credited: Money | None = None
    text: str = ""
    outcome: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DunningFacts:
    """A reminder as it was issued; title and text are its policy's, in the customer's language."""

    notice_id: str
    invoice_number: str
    title: str
    text: str
    amount: Money
    due_date: date
    deadline_on: date
    has_letter: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class CreditNoteFacts:
    """A credit note; `to_credit` had been paid and is credit now."""

    credit_note_id: str
    number: str
    invoice_id: str
    invoice_number: str
    total: Money
    to_credit: Money


@dataclass(frozen=True, slots=True, kw_only=True)
class CreditNoteDocument:
    """The credit note, and what is still to pay on its invoice when the mail leaves."""

    amount_due: Money
    pdf: Attachment

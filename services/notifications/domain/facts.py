"""What the mails say: plain facts of an invoice or a payment."""

from dataclasses import dataclass
from datetime import date

from chassis.money import Money


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
    """A mail ready to be sent. `message_id` names it for ever: sending it twice is recognizable."""

    message_id: str
    recipient: str
    recipient_name: str
    subject: str
    text: str
    html: str
    attachment: Attachment
    sender_name: str
    reply_to: str
    logo: bytes

"""Double-entry bookings of receivables. Debits equal credits by construction in each booking."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from chassis.money import Money
from services.invoicing.domain.invoice import Invoice


class Account(StrEnum):
    """Accounts of the receivables ledger. Receivable and customer credit are kept per customer (`owner`)."""

    RECEIVABLE = "receivable"
    REVENUE = "revenue"
    TAX_PAYABLE = "tax_payable"
    CASH_CLEARING = "cash_clearing"
    CUSTOMER_CREDIT = "customer_credit"


class Side(StrEnum):
    """Left or right."""

    DEBIT = "D"
    CREDIT = "C"


@dataclass(frozen=True, slots=True)
class Posting:
    """One line of a booking; the amount is always more than zero."""

    account: Account
    owner: str
    side: Side
    amount: Money


@dataclass(frozen=True, slots=True, kw_only=True)
class Booking:
    """A balanced entry. (`source`, `source_id`, `kind`) is booked once, whoever repeats it."""

    source: str
    source_id: str
    kind: str
    occurred_at: datetime
    postings: tuple[Posting, ...]
    description: str = ""
    corrects_kind: str | None = None
    """The kind of the same source's entry that this one takes back."""


def finalization(invoice: Invoice, at: datetime) -> Booking:
    """The customer owes; revenue and tax are earned."""
    return Booking(
        source="invoice", source_id=invoice.invoice_id, kind="finalized", occurred_at=at,
        description=f"Invoice {invoice.number}", postings=_of_invoice(invoice),
    )  # fmt: skip


def voiding(invoice: Invoice, at: datetime) -> Booking:
    """The opposite of the finalization."""
    return Booking(
        source="invoice", source_id=invoice.invoice_id, kind="voided", occurred_at=at,
        description=f"Invoice {invoice.number} voided",
        postings=tuple(_opposite(posting) for posting in _of_invoice(invoice)), corrects_kind="finalized",
    )  # fmt: skip


def application(
    payment_id: str, customer_id: str, *, received: Money, credited: Money, at: datetime
) -> Booking:
    """Money came in: the customer owes less, and the rest is their credit."""
    return Booking(
        source="payment", source_id=payment_id, kind="applied", occurred_at=at,
        description=f"Payment {payment_id}",
        postings=_postings(
            (Account.CASH_CLEARING, "", Side.DEBIT, received),
            (Account.RECEIVABLE, customer_id, Side.CREDIT, received - credited),
            (Account.CUSTOMER_CREDIT, customer_id, Side.CREDIT, credited),
        ),
    )  # fmt: skip


def _of_invoice(invoice: Invoice) -> tuple[Posting, ...]:
    return _postings(
        (Account.RECEIVABLE, invoice.customer_id, Side.DEBIT, invoice.total),
        (Account.REVENUE, "", Side.CREDIT, invoice.subtotal),
        (Account.TAX_PAYABLE, "", Side.CREDIT, invoice.tax_total),
    )


def _postings(*lines: tuple[Account, str, Side, Money]) -> tuple[Posting, ...]:
    """Leave out zeros and write negative amounts on the other side."""
    return tuple(_normal(lines))


def _normal(lines: Iterable[tuple[Account, str, Side, Money]]) -> Iterable[Posting]:
    for account, owner, side, amount in lines:
        if amount.is_zero:
            continue
        posting = Posting(account, owner, side, abs(amount))
        yield _opposite(posting) if amount.is_negative else posting


def _opposite(posting: Posting) -> Posting:
    side = Side.CREDIT if posting.side is Side.DEBIT else Side.DEBIT
    return Posting(posting.account, posting.owner, side, posting.amount)

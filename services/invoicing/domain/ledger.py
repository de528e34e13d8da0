"""Double-entry bookings of receivables. Debits equal credits by construction in each booking."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from chassis.money import Money
from services.invoicing.domain.adjustment import Adjustment, AdjustmentKind
from services.invoicing.domain.invoice import Invoice


class Account(StrEnum):
    """Accounts of the receivables ledger. Receivable and customer credit are kept per customer (`owner`).

    Cash clearing mirrors payments' customer funds, discount clearing their discounts given. Suspense is money that went
    back though none of it was found here: it must be zero. Early and hardship discounts lessen revenue; bad
    debt is what was written off, tax and all, less what came of it later.
    """

    RECEIVABLE = "receivable"
    REVENUE = "revenue"
    TAX_PAYABLE = "tax_payable"
    CASH_CLEARING = "cash_clearing"
    CUSTOMER_CREDIT = "customer_credit"
    SALES_DISCOUNTS = "sales_discounts"
    DISCOUNT_CLEARING = "discount_clearing"
    SALES_RETURNS = "sales_returns"
    SUSPENSE = "suspense"
    EARLY_DISCOUNTS = "early_discounts"
    HARDSHIP_DISCOUNTS = "hardship_discounts"
    BAD_DEBT = "bad_debt"


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Movement:
    """Sums of a payment that comes in or, taken back, goes out again.

    `cash` is what came, without surcharge; `applied` what invoices took of it and of `credit_used`; `credited` what
    became credit; `forgiven` how much of the invoices is not asked for again; `missing` what nobody knows of.
    `of_others` is how much less or more others than the payer owe, by customer: a parent pays for its children.
    """

    cash: Money
    applied: Money
    credited: Money
    credit_used: Money
    surcharge: Money
    forgiven: Money
    missing: Money
    of_others: Mapping[str, Money] = field(default_factory=dict)

    def postings(self, customer_id: str) -> tuple[Posting, ...]:
        """As money that comes in; `_opposite` ones for money that goes out."""
        own = self.applied - self.forgiven - sum(self.of_others.values(), Money.zero(self.applied.currency))
        discount = -self.surcharge if self.surcharge.is_negative else Money.zero(self.surcharge.currency)
        return _postings(
            (Account.CASH_CLEARING, "", Side.DEBIT, self.cash),
            (Account.CUSTOMER_CREDIT, customer_id, Side.DEBIT, self.credit_used),
            (Account.SALES_DISCOUNTS, "", Side.DEBIT, discount),
            (Account.RECEIVABLE, customer_id, Side.CREDIT, own),
            *(
                (Account.RECEIVABLE, one, Side.CREDIT, amount)
                for one, amount in sorted(self.of_others.items())
            ),
            (Account.SALES_RETURNS, "", Side.CREDIT, self.forgiven),
            (Account.CUSTOMER_CREDIT, customer_id, Side.CREDIT, self.credited),
            (Account.DISCOUNT_CLEARING, "", Side.CREDIT, discount),
            (Account.SUSPENSE, "", Side.CREDIT, self.missing),
        )


def application(
    payment_id: str,
    customer_id: str,
    *,
    received: Money,
    credited: Money,
    at: datetime,
    credit_used: Money | None = None,
    surcharge: Money | None = None,
    of_others: Mapping[str, Money] | None = None,
) -> Booking:
    """Money came in: the customer, and those it paid for, owe less, and the rest is the customer's credit."""
    zero = Money.zero(received.currency)
    used = credit_used or zero
    movement = Movement(
        cash=received, applied=received - credited + used, credited=credited, credit_used=used,
        surcharge=surcharge or zero, forgiven=zero, missing=zero, of_others=of_others or {},
    )  # fmt: skip
    return Booking(
        source="payment", source_id=payment_id, kind="applied", occurred_at=at,
        description=f"Payment {payment_id}", postings=movement.postings(customer_id),
    )  # fmt: skip


def of_others(payer_id: str, parts: Iterable[tuple[str, Money]]) -> dict[str, Money]:
    """What parts of invoices, given with the customer who owes each, come to for others than the payer."""
    sums: dict[str, Money] = {}
    for customer_id, amount in parts:
        if customer_id != payer_id:
            sums[customer_id] = sums[customer_id] + amount if customer_id in sums else amount
    return sums


def reversal(
    payment_id: str, customer_id: str, reversal_id: str, movement: Movement, at: datetime
) -> Booking:
    """The opposite of what is taken back of a payment."""
    return Booking(
        source="payment", source_id=payment_id, kind=f"reversed:{reversal_id}", occurred_at=at,
        description=f"Payment {payment_id} taken back",
        postings=tuple(_opposite(posting) for posting in movement.postings(customer_id)),
        corrects_kind="applied",
    )  # fmt: skip


def reinstatement(
    payment_id: str, customer_id: str, reversal_id: str, movement: Movement, at: datetime
) -> Booking:
    """The money of a reversal is there again."""
    return Booking(
        source="payment", source_id=payment_id, kind=f"reinstated:{reversal_id}", occurred_at=at,
        description=f"Payment {payment_id} there again", postings=movement.postings(customer_id),
        corrects_kind=f"reversed:{reversal_id}",
    )  # fmt: skip


_LESSENED: Mapping[AdjustmentKind, Account] = {
    AdjustmentKind.CREDIT_NOTE: Account.REVENUE,
    AdjustmentKind.EARLY_DISCOUNT: Account.EARLY_DISCOUNTS,
    AdjustmentKind.HARDSHIP_DISCOUNT: Account.HARDSHIP_DISCOUNTS,
    AdjustmentKind.WRITE_OFF: Account.BAD_DEBT,
    AdjustmentKind.RECOVERY: Account.BAD_DEBT,
}


def adjustment(
    made: Adjustment, customer_id: str, *, tax: Money, returned: Mapping[str, Money], at: datetime
) -> Booking:
    """Less is owed without money. `returned` had been paid and becomes credit, by the customers who had paid it.

    Refunds that are forgiven are booked with their reversal.
    """
    received = sum(returned.values(), Money.zero(made.amount.currency))
    return Booking(
        source="adjustment", source_id=made.adjustment_id, kind=made.kind.value, occurred_at=at,
        description=f"{made.kind.value.replace('_', ' ').capitalize()} {made.source_id}",
        postings=_postings(
            (_LESSENED[made.kind], "", Side.DEBIT, made.amount - tax),
            (Account.TAX_PAYABLE, "", Side.DEBIT, tax),
            (Account.RECEIVABLE, customer_id, Side.CREDIT, made.amount - received),
            *((Account.CUSTOMER_CREDIT, one, Side.CREDIT, amount) for one, amount in sorted(returned.items())),
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

"""What payments were used for: applications, allocations and the credit that no invoice took."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import text

from chassis.database import ReadTx, WriteTx
from chassis.money import Money
from services.invoicing.domain.allocation import Allocation, CreditUse
from services.invoicing.store.rows import enqueue_rows
from services.invoicing.tables.money import allocations, credit_allocations


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceivedPayment:
    """Money that came in, as the payments service tells it.

    `surcharge` is a part of `received` that pays no invoice; negative it is a discount, which pays invoices though no
    money came for it. `credit_used` is what was to be paid by credit besides.
    """

    payment_id: str
    customer_id: str
    received: Money
    receipt_number: str
    received_on: date
    surcharge: Money
    credit_used: Money

    @property
    def net(self) -> Money:
        """What pays invoices."""
        return self.received - self.surcharge


@dataclass(frozen=True, slots=True)
class InvoicePayment:
    """A part of a payment that an invoice took."""

    payment_id: str
    receipt_number: str
    amount: Money
    received_on: date


async def insert_applications(tx: WriteTx, received: Sequence[ReceivedPayment]) -> frozenset[str]:
    """Note that payments are being applied. Returns the ids of those that were not applied before."""
    written = await tx.execute(
        _INSERT_APPLICATIONS,
        {
            "organization_id": tx.organization_id,
            "payment_ids": [payment.payment_id for payment in received],
            "customer_ids": [payment.customer_id for payment in received],
            "receipt_numbers": [payment.receipt_number for payment in received],
            "received": [payment.received.minor_units for payment in received],
            "currencies": [payment.received.currency for payment in received],
            "received_on": [payment.received_on for payment in received],
            "surcharges": [payment.surcharge.minor_units for payment in received],
            "now": tx.now(),
        },
    )
    return frozenset(row.payment_id for row in written)


@dataclass(frozen=True, slots=True)
class Made:
    """What became of a payment."""

    payment: ReceivedPayment
    allocation: Allocation
    credit_uses: Sequence[CreditUse]


async def insert_allocations(tx: WriteTx, made: Sequence[Made]) -> None:
    """Write what each invoice took of payments' own money, and of credit; the lots are written before."""
    own = [
        {
            "payment_id": one.payment.payment_id,
            "invoice_id": applied.invoice.invoice_id,
            "amount_minor_units": applied.own.minor_units,
        }
        for one in made
        for applied in one.allocation.applied
        if not applied.own.is_zero
    ]
    enqueue_rows(tx, allocations, own)
    from_credit = [
        {
            "payment_id": use.payment_id,
            "source_payment_id": use.source_payment_id,
            "invoice_id": use.invoice_id,
            "amount_minor_units": use.amount.minor_units,
        }
        for one in made
        for use in one.credit_uses
    ]
    enqueue_rows(tx, credit_allocations, from_credit)


async def note_credit(tx: WriteTx, made: Sequence[Made]) -> None:
    """Note with payments what became credit and what credit paid, where there is any."""
    found = [one for one in made if one.allocation.credited.minor_units or one.credit_uses]
    if not found:
        return
    tx.enqueue(
        _NOTE_CREDIT,
        {
            "organization_id": tx.organization_id,
            "payment_ids": [one.payment.payment_id for one in found],
            "credited": [one.allocation.credited.minor_units for one in found],
            "used": [one.allocation.credit_used.minor_units for one in found],
        },
    )


async def payments_of_invoice(tx: ReadTx, invoice_id: str) -> list[InvoicePayment]:
    """What is paid on an invoice, credit included and reversals taken off, the newest first."""
    rows = await tx.execute(_OF_INVOICE, {"organization_id": tx.organization_id, "invoice_id": invoice_id})
    return [
        InvoicePayment(
            row.payment_id, row.receipt_number, Money(int(row.amount), row.currency), row.received_on
        )
        for row in rows
    ]


_INSERT_APPLICATIONS = text("""
    INSERT INTO payment_applications (
        organization_id, payment_id, customer_id, receipt_number, received_minor_units, credited_minor_units,
        currency, received_on, surcharge_minor_units, applied_at
    )
    SELECT :organization_id, payment_id, customer_id, receipt_number, received, 0, currency, received_on, surcharge,
           :now
    FROM unnest(
        CAST(:payment_ids AS text[]), CAST(:customer_ids AS text[]), CAST(:receipt_numbers AS text[]),
        CAST(:received AS bigint[]), CAST(:currencies AS text[]), CAST(:received_on AS date[]),
        CAST(:surcharges AS bigint[])
    ) AS new (payment_id, customer_id, receipt_number, received, currency, received_on, surcharge)
    ON CONFLICT DO NOTHING RETURNING payment_id
""")
_NOTE_CREDIT = text("""
    UPDATE payment_applications AS application
    SET credited_minor_units = new.credited, credit_used_minor_units = new.used
    FROM unnest(
        CAST(:payment_ids AS text[]), CAST(:credited AS bigint[]), CAST(:used AS bigint[])
    ) AS new (payment_id, credited, used)
    WHERE application.organization_id = :organization_id AND application.payment_id = new.payment_id
""")
_OF_INVOICE = text("""
    SELECT application.payment_id, application.receipt_number, application.received_on, application.currency,
        sum(part.amount_minor_units) AS amount
    FROM (
        SELECT payment_id, amount_minor_units FROM allocations
        WHERE organization_id = :organization_id AND invoice_id = :invoice_id
        UNION ALL
        SELECT payment_id, amount_minor_units FROM credit_allocations
        WHERE organization_id = :organization_id AND invoice_id = :invoice_id
    ) AS part
    JOIN payment_applications AS application
        ON application.organization_id = :organization_id AND application.payment_id = part.payment_id
    GROUP BY application.organization_id, application.payment_id
    ORDER BY application.received_on DESC, application.applied_at DESC
""")

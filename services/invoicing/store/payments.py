"""What payments were used for: applications, allocations and the credit that no invoice took."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import insert, select
from sqlalchemy.dialects.postgresql import insert as insert_or_skip

from chassis.database import ReadTx, WriteTx
from chassis.money import Money
from services.invoicing.domain.allocation import Allocation
from services.invoicing.store.rows import insert_rows
from services.invoicing.tables import allocations, customer_credits, payment_applications


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
    rows = [
        {
            "organization_id": tx.organization_id,
            "payment_id": payment.payment_id,
            "customer_id": payment.customer_id,
            "receipt_number": payment.receipt_number,
            "received_minor_units": payment.received.minor_units,
            "credited_minor_units": 0,
            "currency": payment.received.currency,
            "received_on": payment.received_on,
            "surcharge_minor_units": payment.surcharge.minor_units,
            "applied_at": tx.now(),
        }
        for payment in received
    ]
    statement = insert_or_skip(payment_applications).values(rows).on_conflict_do_nothing()
    written = await tx.execute(statement.returning(payment_applications.c.payment_id))
    return frozenset(written.scalars())


async def insert_allocations(tx: WriteTx, made: Sequence[tuple[ReceivedPayment, Allocation]]) -> None:
    """Write what each invoice took, and the rest as the customers' credit."""
    taken = [
        {
            "payment_id": payment.payment_id,
            "invoice_id": applied.invoice.invoice_id,
            "amount_minor_units": applied.amount.minor_units,
        }
        for payment, allocation in made
        for applied in allocation.applied
        if not applied.amount.is_zero
    ]
    await insert_rows(tx, allocations, taken)
    for payment, allocation in made:
        if not allocation.credited.is_zero:
            await _insert_credit(tx, payment, allocation.credited)


async def _insert_credit(tx: WriteTx, payment: ReceivedPayment, credited: Money) -> None:
    await tx.execute(
        payment_applications.update()
        .where(payment_applications.c.organization_id == tx.organization_id)
        .where(payment_applications.c.payment_id == payment.payment_id)
        .values(credited_minor_units=credited.minor_units)
    )
    await tx.execute(
        insert(customer_credits).values(
            organization_id=tx.organization_id,
            payment_id=payment.payment_id,
            customer_id=payment.customer_id,
            currency=credited.currency,
            amount_minor_units=credited.minor_units,
            remaining_minor_units=credited.minor_units,
            created_at=tx.now(),
        )
    )


async def payments_of_invoice(tx: ReadTx, invoice_id: str) -> list[InvoicePayment]:
    """What was paid on an invoice, the newest first."""
    query = (
        select(
            allocations.c.payment_id,
            allocations.c.amount_minor_units,
            payment_applications.c.receipt_number,
            payment_applications.c.received_on,
            payment_applications.c.currency,
        )
        .join(
            payment_applications,
            (payment_applications.c.organization_id == allocations.c.organization_id)
            & (payment_applications.c.payment_id == allocations.c.payment_id),
        )
        .where(allocations.c.organization_id == tx.organization_id)
        .where(allocations.c.invoice_id == invoice_id)
        .order_by(payment_applications.c.received_on.desc(), payment_applications.c.applied_at.desc())
    )
    return [
        InvoicePayment(
            row.payment_id, row.receipt_number, Money(row.amount_minor_units, row.currency), row.received_on
        )
        for row in await tx.execute(query)
    ]

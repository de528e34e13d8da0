"""Charge a fee for money that came back: an invoice of its own, open at once."""

from dataclasses import replace
from decimal import Decimal

from chassis import audit
from chassis.database import WriteTx
from chassis.ids import new_id
from chassis.money import Money
from services.invoicing.domain import ledger as books
from services.invoicing.domain.customer import Customer
from services.invoicing.domain.invoice import new_draft
from services.invoicing.domain.pricing import Line
from services.invoicing.domain.reversal import Reversal
from services.invoicing.operations.issue_invoice import free_number
from services.invoicing.store import ledger
from services.invoicing.store.invoices import insert_invoices, taken_external_ids
from services.invoicing.store.organizations import get_organization
from services.invoicing.translate import events


async def charge_fee(tx: WriteTx, reversal: Reversal, fee: Money, customer: Customer) -> None:
    """An invoice with one line, known by the reversal's id as its external id, so that it is made once."""
    if fee.minor_units <= 0 or await taken_external_ids(tx, [reversal.reversal_id]):
        return
    today = (await get_organization(tx)).date_of(tx.now())
    draft = new_draft(
        invoice_id=new_id("inv"), customer_id=customer.customer_id, currency=fee.currency,
        buyer=customer.as_buyer(), invoice_date=today,
        due_date=customer.terms.due_date(today), created_at=tx.now(),
    )  # fmt: skip
    line = Line(f"Fee for returned payment {reversal.receipt_number}".rstrip(), Decimal(1), fee, Decimal(0))
    invoice = (
        replace(draft, external_id=reversal.reversal_id)
        .with_lines([line])
        .finalized(await free_number(tx), customer.as_buyer(), tx.now())
    )
    await insert_invoices(tx, [invoice])
    await ledger.post(tx, [books.finalization(invoice, tx.now())])
    events.invoice_finalized(tx, invoice, customer, notify=reversal.notify)
    audit.record(tx, "invoice.finalized", invoice.invoice_id, reason="fee for a returned payment")

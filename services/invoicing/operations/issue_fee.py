"""Issue the invoice of a fee: one line, no tax, open at once."""

from dataclasses import dataclass, replace
from decimal import Decimal

from chassis import audit
from chassis.database import WriteTx
from chassis.ids import new_id
from chassis.money import Money
from services.invoicing.domain import ledger as books
from services.invoicing.domain.customer import Customer
from services.invoicing.domain.invoice import Invoice, InvoiceKind, Terms, new_draft
from services.invoicing.domain.pricing import Line
from services.invoicing.store import ledger
from services.invoicing.store.invoices import insert_invoices, taken_external_ids
from services.invoicing.store.numbers import free_number
from services.invoicing.store.organizations import get_organization
from services.invoicing.translate import events


@dataclass(frozen=True, slots=True, kw_only=True)
class Fee:
    """What a fee is for. `external_id` is what it is known by, so that it is made once; `why` is for the audit log."""

    kind: InvoiceKind
    external_id: str
    description: str
    amount: Money
    why: str
    relates_to: str = ""
    notify: bool = True


async def issue_fee(tx: WriteTx, fee: Fee, customer: Customer) -> Invoice | None:
    """The invoice of the fee; None when it is there already, or when there is nothing to charge."""
    if fee.amount.minor_units <= 0 or await taken_external_ids(tx, [fee.external_id]):
        return None
    today = (await get_organization(tx)).date_of(tx.now())
    draft = new_draft(
        invoice_id=new_id("inv"), customer_id=customer.customer_id, currency=fee.amount.currency,
        buyer=customer.as_buyer(), invoice_date=today,
        due_date=customer.terms.due_date(today), created_at=tx.now(),
    )  # fmt: skip
    terms = Terms(kind=fee.kind, relates_to=fee.relates_to)
    invoice = (
        replace(draft, external_id=fee.external_id, terms=terms)
        .with_lines([Line(fee.description, Decimal(1), fee.amount, Decimal(0))])
        .finalized(await free_number(tx), customer.as_buyer(), tx.now())
    )
    await insert_invoices(tx, [invoice])
    await ledger.post(tx, [books.finalization(invoice, tx.now())])
    events.invoice_finalized(tx, invoice, customer, notify=fee.notify)
    audit.record(tx, "invoice.finalized", invoice.invoice_id, reason=fee.why)
    return invoice

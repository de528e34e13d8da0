"""Make an invoice that somebody planned: final and sent, or a draft that waits for staff."""

from dataclasses import dataclass

from chassis.database import WriteTx
from chassis.errors import Kind, ServiceError
from services.invoicing.domain.customer import Customer
from services.invoicing.domain.invoice import Invoice
from services.invoicing.domain.invoice_draft import InvoiceDraft
from services.invoicing.domain.subscription import Outcome
from services.invoicing.operations.check_customer_credit import must_take_invoice
from services.invoicing.operations.issue_invoice import draft_invoice, issue_invoice
from services.invoicing.translate.schedule_events import invoice_waiting


@dataclass(frozen=True, slots=True)
class Issued:
    """The invoice and whether it is final."""

    invoice: Invoice
    outcome: Outcome


async def issue_planned(
    tx: WriteTx, draft: InvoiceDraft, customer: Customer, *, review: bool, schedule_id: str = ""
) -> Issued:
    """Whoever asked for a review gets a draft, and so does a customer on hold, over the limit or without the order
    number that they demand; staff hear of all of these.
    """
    invoice, _ = await draft_invoice(tx, draft, to_wait=True)
    refusal = await _refusal(tx, customer, invoice)
    if not review and not refusal:
        final, _ = await issue_invoice(tx, invoice)
        return Issued(final, Outcome.FINALIZED)
    invoice_waiting(tx, invoice, customer, schedule_id=schedule_id, refusal=refusal)
    return Issued(invoice, Outcome.DRAFT)


async def _refusal(tx: WriteTx, customer: Customer, invoice: Invoice) -> str:
    """Why the customer may not be sent it; empty when nothing is against it."""
    try:
        await must_take_invoice(tx, customer, invoice)
    except ServiceError as error:
        if error.kind is not Kind.FAILED_PRECONDITION:
            raise
        return error.reason
    return ""

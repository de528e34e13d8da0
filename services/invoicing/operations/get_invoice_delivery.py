"""Get what a mail about an invoice needs: the pay link, what is due and the PDF."""

from dataclasses import dataclass
from datetime import date

from chassis.database import Database, WriteTx
from chassis.money import Money
from services.invoicing.domain.invoice import InvoiceKind
from services.invoicing.domain.pay_link import PayLink, token_of
from services.invoicing.formats.invoice_pdf import asked_now
from services.invoicing.operations.create_pay_link import ensure_pay_link
from services.invoicing.operations.invoice_paper import InvoicePaper, print_invoice, read_paper
from services.invoicing.payments import FindTransferSlip
from services.invoicing.store.invoices import get_invoice


@dataclass(frozen=True, slots=True)
class Delivery:
    """What a mail about an invoice needs."""

    pay_link_token: str
    amount_due: Money
    file_name: str
    pdf: bytes
    kind: InvoiceKind
    about_number: str
    """Of the invoice that a fee is about; empty when it is about none."""
    early_discount: Money | None
    early_discount_until: date | None


async def get_invoice_delivery(
    db: Database, key: bytes, find_slip: FindTransferSlip, organization_id: str, invoice_id: str
) -> Delivery:
    """The invoice's delivery; makes a pay link if none works. INVOICE_NOT_FINALIZED for a draft."""

    async def work(tx: WriteTx) -> tuple[InvoicePaper, PayLink, str]:
        invoice = await get_invoice(tx, invoice_id, for_update=True)
        link = await ensure_pay_link(tx, invoice)
        about = invoice.terms.relates_to
        about_number = (await get_invoice(tx, about)).number if about else ""
        return await read_paper(tx, invoice), link, about_number or ""

    paper, link, about_number = await db.run_write(organization_id, work)
    file_name, pdf = await print_invoice(paper, find_slip)
    invoice, kept = paper.invoice, offered_early(paper)
    return Delivery(
        pay_link_token=token_of(key, organization_id, link.pay_link_id), amount_due=invoice.due,
        file_name=file_name, pdf=pdf, kind=invoice.terms.kind, about_number=about_number, early_discount=kept,
        early_discount_until=invoice.terms.early_discount_until if kept else None,
    )  # fmt: skip


def offered_early(paper: InvoicePaper) -> Money | None:
    """What may be kept by whoever pays all of it now, as the paper says it."""
    is_all_asked = asked_now(paper.invoice, paper.reductions) == paper.invoice.due
    return paper.invoice.early_offer(paper.today) if is_all_asked else None

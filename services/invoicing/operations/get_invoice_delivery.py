"""Get what a mail about an invoice needs: the pay link, what is due and the PDF."""

from dataclasses import dataclass

from chassis.database import Database, WriteTx
from chassis.money import Money
from services.invoicing.domain.pay_link import PayLink, token_of
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


async def get_invoice_delivery(
    db: Database, key: bytes, find_slip: FindTransferSlip, organization_id: str, invoice_id: str
) -> Delivery:
    """The invoice's delivery; makes a pay link if none works. INVOICE_NOT_FINALIZED for a draft."""

    async def work(tx: WriteTx) -> tuple[InvoicePaper, PayLink]:
        invoice = await get_invoice(tx, invoice_id, for_update=True)
        link = await ensure_pay_link(tx, invoice)
        return await read_paper(tx, invoice), link

    paper, link = await db.run_write(organization_id, work)
    file_name, pdf = await print_invoice(paper, find_slip)
    return Delivery(token_of(key, organization_id, link.pay_link_id), paper.invoice.due, file_name, pdf)

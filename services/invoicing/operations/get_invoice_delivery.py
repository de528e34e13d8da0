"""Get what a mail about an invoice needs: the pay link, what is due and the PDF."""

from dataclasses import dataclass

from chassis.database import Database, WriteTx
from chassis.money import Money
from services.invoicing.domain.customer import Customer
from services.invoicing.domain.invoice import Invoice
from services.invoicing.domain.organization import Organization
from services.invoicing.domain.pay_link import PayLink, token_of
from services.invoicing.formats.invoice_pdf import file_name_of, invoice_pdf
from services.invoicing.operations.create_pay_link import ensure_pay_link
from services.invoicing.payments import FindTransferSlip
from services.invoicing.store.customers import get_customer
from services.invoicing.store.invoices import get_invoice
from services.invoicing.store.organizations import get_organization


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

    async def work(tx: WriteTx) -> tuple[Invoice, PayLink, Organization, Customer]:
        invoice = await get_invoice(tx, invoice_id, for_update=True)
        link = await ensure_pay_link(tx, invoice)
        return invoice, link, await get_organization(tx), await get_customer(tx, invoice.customer_id)

    invoice, link, organization, customer = await db.run_write(organization_id, work)
    today = organization.date_of(await db.now_of(organization_id))
    slip = await find_slip(organization_id, invoice)
    return Delivery(
        token_of(key, organization_id, link.pay_link_id),
        invoice.due,
        file_name_of(invoice),
        await invoice_pdf(invoice, organization, locale=customer.locale, today=today, slip=slip),
    )

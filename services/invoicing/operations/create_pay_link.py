"""Make a pay link for an invoice, or give the one that is there."""

from chassis import audit
from chassis.caller import current_call
from chassis.database import Database, WriteTx
from chassis.errors import Kind, ServiceError
from chassis.ids import new_id
from services.invoicing.domain.invoice import Invoice, Status
from services.invoicing.domain.pay_link import LIFETIME, PREFIX, PayLink
from services.invoicing.store import pay_links
from services.invoicing.store.invoices import get_invoice


async def create_pay_link(db: Database, invoice_id: str) -> PayLink:
    """A working link. INVOICE_NOT_FINALIZED for a draft."""

    async def work(tx: WriteTx) -> PayLink:
        return await ensure_pay_link(tx, await get_invoice(tx, invoice_id, for_update=True))

    return await db.run_write(current_call().organization_id, work)


async def ensure_pay_link(tx: WriteTx, invoice: Invoice) -> PayLink:
    """The working link of an invoice that is locked; an expired one gives way to a new one."""
    if invoice.status is Status.DRAFT:
        raise ServiceError(
            Kind.FAILED_PRECONDITION, "INVOICE_NOT_FINALIZED", "A draft cannot be paid; finalize it first.",
            invoice_id=invoice.invoice_id,
        )  # fmt: skip
    existing = await pay_links.unrevoked_pay_link(tx, invoice.invoice_id)
    if existing is not None and existing.works(tx.now()):
        return existing
    if existing is not None:
        await pay_links.revoke_pay_link(tx, existing.pay_link_id)
    link = PayLink(new_id(PREFIX), invoice.invoice_id, tx.now() + LIFETIME)
    await pay_links.insert_pay_link(tx, link)
    audit.record(tx, "pay_link.created", link.pay_link_id, reason=invoice.invoice_id)
    return link

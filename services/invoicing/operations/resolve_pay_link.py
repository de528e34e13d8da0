"""Recognize a pay link. Reading it changes nothing, however often."""

from chassis.database import Database
from chassis.errors import not_found
from services.invoicing.domain.invoice import Invoice
from services.invoicing.domain.pay_link import PayLink, ids_of
from services.invoicing.store.invoices import get_invoice
from services.invoicing.store.pay_links import find_pay_link


async def resolve_pay_link(db: Database, key: bytes, token: str) -> tuple[str, PayLink, Invoice]:
    """(organization_id, link, invoice). PAY_LINK_NOT_FOUND if it is forged, unknown, revoked or expired."""
    ids = ids_of(key, token)
    if ids is None:
        raise not_found("pay link")
    organization_id, pay_link_id = ids
    async with db.read(organization_id) as tx:
        link = await find_pay_link(tx, pay_link_id)
        if link is None or not link.works(tx.now()):
            raise not_found("pay link")
        return organization_id, link, await get_invoice(tx, link.invoice_id)

"""Pay links."""

from typing import Any

from sqlalchemy import Row, insert, select, update

from chassis.database import ReadTx, WriteTx
from services.invoicing.domain.pay_link import PayLink
from services.invoicing.tables.invoices import pay_links


async def insert_pay_link(tx: WriteTx, link: PayLink) -> None:
    """Add a link; the invoice must have no unrevoked one."""
    await tx.execute(
        insert(pay_links).values(
            organization_id=tx.organization_id,
            pay_link_id=link.pay_link_id,
            invoice_id=link.invoice_id,
            expires_at=link.expires_at,
            created_at=tx.now(),
        )
    )


async def find_pay_link(tx: ReadTx, pay_link_id: str) -> PayLink | None:
    """A link of the transaction's organization, working or not."""
    query = select(pay_links).where(
        pay_links.c.organization_id == tx.organization_id, pay_links.c.pay_link_id == pay_link_id
    )
    row = (await tx.execute(query)).first()
    return None if row is None else _link(row)


async def unrevoked_pay_link(tx: ReadTx, invoice_id: str) -> PayLink | None:
    """The invoice's link, which may have expired."""
    query = select(pay_links).where(
        pay_links.c.organization_id == tx.organization_id,
        pay_links.c.invoice_id == invoice_id,
        pay_links.c.revoked_at.is_(None),
    )
    row = (await tx.execute(query)).first()
    return None if row is None else _link(row)


async def revoke_pay_link(tx: WriteTx, pay_link_id: str) -> None:
    """Make a link useless from now on."""
    await tx.execute(
        update(pay_links)
        .where(pay_links.c.organization_id == tx.organization_id)
        .where(pay_links.c.pay_link_id == pay_link_id)
        .values(revoked_at=tx.now())
    )


def _link(row: Row[Any]) -> PayLink:
    return PayLink(row.pay_link_id, row.invoice_id, row.expires_at, row.revoked_at)

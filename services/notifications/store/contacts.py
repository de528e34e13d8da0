"""Rows of contacts."""

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from chassis.database import ReadTx, WriteTx
from services.notifications.domain.facts import Contact
from services.notifications.tables import contacts


async def keep_contact(tx: WriteTx, contact: Contact, *, version: int) -> None:
    """The newest version wins, in whatever order they come."""
    statement = insert(contacts).values(
        organization_id=tx.organization_id,
        customer_id=contact.customer_id,
        email=contact.email,
        name=contact.name,
        locale=contact.locale,
        version=version,
    )
    await tx.execute(
        statement.on_conflict_do_update(
            constraint="pk_contacts",
            set_={name: getattr(statement.excluded, name) for name in ("email", "name", "locale", "version")},
            where=contacts.c.version < statement.excluded.version,
        )
    )


async def get_contact(tx: ReadTx, customer_id: str) -> Contact:
    """Where the customer's mail goes now, to whom and in which language; all empty when not known."""
    query = select(contacts).where(
        contacts.c.organization_id == tx.organization_id, contacts.c.customer_id == customer_id
    )
    row = (await tx.execute(query)).first()
    if row is None:
        return Contact(customer_id=customer_id)
    return Contact(customer_id=customer_id, email=row.email, name=row.name, locale=row.locale)


async def get_email(tx: ReadTx, customer_id: str) -> str:
    """Where the customer's mail goes now; empty when that is nowhere or not known."""
    return (await get_contact(tx, customer_id)).email

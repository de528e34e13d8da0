"""Rows of contacts."""

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from chassis.database import ReadTx, WriteTx
from services.notifications.tables import contacts


async def keep_contact(tx: WriteTx, customer_id: str, *, email: str, version: int) -> None:
    """The newest version wins, in whatever order they come."""
    statement = insert(contacts).values(
        organization_id=tx.organization_id, customer_id=customer_id, email=email, version=version
    )
    await tx.execute(
        statement.on_conflict_do_update(
            constraint="pk_contacts",
            set_={"email": statement.excluded.email, "version": statement.excluded.version},
            where=contacts.c.version < statement.excluded.version,
        )
    )


async def get_email(tx: ReadTx, customer_id: str) -> str:
    """Where the customer's mail goes now; empty when that is nowhere or not known."""
    query = select(contacts.c.email).where(
        contacts.c.organization_id == tx.organization_id, contacts.c.customer_id == customer_id
    )
    row = (await tx.execute(query)).first()
    return "" if row is None else row.email

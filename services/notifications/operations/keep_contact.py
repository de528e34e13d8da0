"""Keeps what invoicing tells about where a customer's mail goes."""

from chassis.database import WriteTx
from services.notifications.store import contacts


async def keep_contact(tx: WriteTx, customer_id: str, *, email: str, version: int) -> None:
    """Older versions than the kept one change nothing."""
    await contacts.keep_contact(tx, customer_id, email=email, version=version)

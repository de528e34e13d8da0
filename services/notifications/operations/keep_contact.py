"""Keeps what invoicing tells about where a customer's mail goes."""

from chassis.database import WriteTx
from services.notifications.domain.facts import Contact
from services.notifications.store import contacts


async def keep_contact(tx: WriteTx, contact: Contact, *, version: int) -> None:
    """Older versions than the kept one change nothing."""
    await contacts.keep_contact(tx, contact, version=version)

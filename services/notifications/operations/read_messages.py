"""Reads messages, for staff."""

from chassis import ids
from chassis.database import Database
from chassis.errors import invalid, not_found
from services.notifications.domain.message import Message, State
from services.notifications.store import messages

DEFAULT_PAGE_SIZE = 25


async def get_message(db: Database, organization_id: str, message_id: str) -> Message:
    """Raises MESSAGE_NOT_FOUND."""
    async with db.read(organization_id) as tx:
        message = await messages.get_message(tx, message_id)
    if message is None:
        raise not_found("message")
    return message


async def list_messages(
    db: Database,
    organization_id: str,
    *,
    about_id: str,
    state: State | None,
    page_size: int,
    page_token: str,
) -> tuple[list[Message], str]:
    """A page, the newest first, and the token of the next page: the last id of this one."""
    if page_token and not ids.is_id("msg", page_token):
        raise invalid("page_token", "unknown", "This page token is not from an earlier answer.")
    size = page_size or DEFAULT_PAGE_SIZE
    async with db.read(organization_id) as tx:
        found = await messages.list_messages(
            tx, about_id=about_id, state=state, before_id=page_token, limit=size + 1
        )
    return found[:size], found[size - 1].message_id if len(found) > size else ""

"""Tries a failed message again, because staff say so: to the address that the customer has now."""

from dataclasses import replace

from chassis import audit
from chassis.database import WriteTx
from chassis.errors import Kind, ServiceError, not_found
from services.notifications.domain.message import Message, State, address_problem
from services.notifications.store import contacts, messages


async def retry_message(tx: WriteTx, message_id: str) -> Message:
    """Raises MESSAGE_NOT_FOUND, MESSAGE_NOT_FAILED or MESSAGE_HAS_NO_ADDRESS (FAILED_PRECONDITION)."""
    message = await messages.get_message(tx, message_id, for_update=True)
    if message is None:
        raise not_found("message")
    if message.state is not State.FAILED:
        raise ServiceError(
            Kind.FAILED_PRECONDITION, "MESSAGE_NOT_FAILED", "Only a message that failed can be tried again."
        )
    recipient = await contacts.get_email(tx, message.customer_id) or message.recipient
    if address_problem(recipient):
        raise ServiceError(
            Kind.FAILED_PRECONDITION,
            "MESSAGE_HAS_NO_ADDRESS",
            "The customer has no usable e-mail address. Add one and try again.",
        )
    now = tx.now()
    queued = replace(message, recipient=recipient, state=State.QUEUED, attempts=0, queued_at=now, due_at=now)
    await messages.requeue_message(tx, queued)
    audit.record(tx, "message.retried", message_id)
    return queued

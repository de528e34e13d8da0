"""Queues a message that an event asks for: one for each event, recipient and kind, however often it comes."""

from dataclasses import dataclass, replace

from chassis import ids, telemetry
from chassis.database import WriteTx
from services.notifications.domain.message import Kind, Message, State, address_problem
from services.notifications.operations.announce import announce
from services.notifications.store import messages


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What an event asks for; `payload` is the event itself."""

    kind: Kind
    event_id: str
    customer_id: str
    recipient: str
    about_id: str
    payload: bytes


async def queue_message(tx: WriteTx, request: Request) -> None:
    """Without a usable address the message is there at once, failed, so that staff see why nobody heard."""
    now = tx.now()
    message = Message(
        organization_id=tx.organization_id,
        message_id=ids.new_id("msg"),
        kind=request.kind,
        state=State.QUEUED,
        event_id=request.event_id,
        customer_id=request.customer_id,
        recipient=request.recipient,
        about_id=request.about_id,
        payload=request.payload,
        traceparent=telemetry.current_traceparent() or "",
        created_at=now,
        queued_at=now,
        due_at=now,
    )
    problem = address_problem(request.recipient)
    if problem:
        message = replace(message, state=State.FAILED, last_error=problem, version=1)
    if await messages.insert_message(tx, message) and problem:
        announce(tx, message)

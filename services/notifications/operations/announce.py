"""What notifications tells the other services: a message was taken by the mail server, or failed."""

from chassis import outbox
from chassis.database import WriteTx
from services.notifications.domain.message import Message
from services.notifications.translate import to_proto_outcome


def announce(tx: WriteTx, message: Message) -> None:
    """MessageSent or MessageFailed, when the transaction commits."""
    outbox.append(
        tx,
        to_proto_outcome(message),
        aggregate_type="message",
        aggregate_id=message.message_id,
        aggregate_version=message.version,
    )

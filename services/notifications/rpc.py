"""Servicer of the notifications service: translate, call one operation, translate back."""

from collections.abc import Sequence
from typing import Any

from chassis import idempotency
from chassis.caller import current_call
from chassis.database import Database, WriteTx
from services.notifications import translate
from services.notifications.operations import read_messages, retry_message
from tallyport.notifications.v1 import messages_pb2, messages_pb2_grpc

Context = Any
"""Servicers leave gRPC's context to the boundary."""


class Messages(messages_pb2_grpc.MessagesServicer):
    """Messages to people, and what became of them."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def ListMessages(
        self, request: messages_pb2.ListMessagesRequest, context: Context
    ) -> messages_pb2.ListMessagesResponse:
        found, next_page_token = await read_messages.list_messages(
            self._db,
            current_call().organization_id,
            about_id=request.about_id,
            state=translate.from_proto_state(request.state),
            page_size=request.page_size,
            page_token=request.page_token,
        )
        messages = [translate.to_proto_message(message) for message in found]
        return messages_pb2.ListMessagesResponse(messages=messages, next_page_token=next_page_token)

    async def GetMessage(
        self, request: messages_pb2.GetMessageRequest, context: Context
    ) -> messages_pb2.Message:
        organization_id = current_call().organization_id
        message = await read_messages.get_message(self._db, organization_id, request.message_id)
        return translate.to_proto_message(message)

    async def RetryMessage(
        self, request: messages_pb2.RetryMessageRequest, context: Context
    ) -> messages_pb2.Message:
        async def retry(tx: WriteTx) -> messages_pb2.Message:
            return translate.to_proto_message(await retry_message.retry_message(tx, request.message_id))

        return await idempotency.once(self._db, messages_pb2.Message, retry)


def servicers(db: Database) -> Sequence[tuple[Any, object]]:
    """What the server serves."""
    return ((messages_pb2_grpc.add_MessagesServicer_to_server, Messages(db)),)

"""A small service whose contract exists in tests only, with one method for each kind of rule."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import grpc
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.message import Message

from buf.validate import validate_pb2
from chassis.caller import Call, current_call
from chassis.idempotency import mark_replayed
from tallyport.options.v1 import options_pb2

_PACKAGE = "tallyport.echotest.v1"
SERVICE = f"{_PACKAGE}.Echo"
_Field = descriptor_pb2.FieldDescriptorProto

STAFF, CUSTOMER, PAY_LINK, PUBLIC, OTHERS = (
    options_pb2.AUDIENCE_STAFF,
    options_pb2.AUDIENCE_CUSTOMER,
    options_pb2.AUDIENCE_PAY_LINK,
    options_pb2.AUDIENCE_PUBLIC,
    options_pb2.AUDIENCE_SERVICE,
)
_METHODS: dict[str, dict[str, Any]] = {
    "GetPublic": {"audiences": [PUBLIC]},
    "GetEverybodys": {"audiences": [STAFF, CUSTOMER, PAY_LINK]},
    "SendReminder": {"audiences": [STAFF], "permission": "reminders.send"},
    "ChangeBank": {"audiences": [STAFF], "step_up": True},
    "Pay": {"audiences": [CUSTOMER, PAY_LINK], "key": True},
    "Reserve": {"audiences": [OTHERS], "callers": ["payments"]},
    "GetShared": {"audiences": [STAFF, OTHERS], "callers": ["payments", "gateway"]},
    "ListTicks": {"audiences": [CUSTOMER], "streams": True},
}


def _describe() -> descriptor_pb2.FileDescriptorProto:
    file = descriptor_pb2.FileDescriptorProto(name="echotest.proto", package=_PACKAGE, syntax="proto3")
    file.dependency.extend(["buf/validate/validate.proto", "tallyport/options/v1/options.proto"])
    line = file.message_type.add(name="Line")
    quantity = line.field.add(name="quantity", number=1, type=_Field.TYPE_INT64, label=_Field.LABEL_OPTIONAL)
    quantity.options.Extensions[validate_pb2.field].int64.gte = 0
    request = file.message_type.add(name="EchoRequest")
    text = request.field.add(name="text", number=1, type=_Field.TYPE_STRING, label=_Field.LABEL_OPTIONAL)
    text.options.Extensions[validate_pb2.field].string.max_len = 20
    lines = request.field.add(name="lines", number=2, type=_Field.TYPE_MESSAGE, label=_Field.LABEL_REPEATED)
    lines.type_name = f".{_PACKAGE}.Line"
    secret = request.field.add(
        name="password", number=3, type=_Field.TYPE_STRING, label=_Field.LABEL_OPTIONAL
    )
    secret.options.Extensions[options_pb2.secret] = True
    request.field.add(name="organization_id", number=4, type=_Field.TYPE_STRING, label=_Field.LABEL_OPTIONAL)
    response = file.message_type.add(name="EchoResponse")
    response.field.add(name="text", number=1, type=_Field.TYPE_STRING, label=_Field.LABEL_OPTIONAL)
    service = file.service.add(name="Echo")
    for name, rules in _METHODS.items():
        method = service.method.add(name=name, server_streaming=rules.get("streams", False))
        method.input_type, method.output_type = f".{_PACKAGE}.EchoRequest", f".{_PACKAGE}.EchoResponse"
        access = method.options.Extensions[options_pb2.access]
        access.audiences.extend(rules["audiences"])
        access.callers.extend(rules.get("callers", ()))
        access.permission, access.step_up = rules.get("permission", ""), rules.get("step_up", False)
        if rules.get("key"):
            method.options.Extensions[options_pb2.idempotency] = options_pb2.IDEMPOTENCY_REQUIRED
    open_service = file.service.add(name="Unmarked")
    open_method = open_service.method.add(name="Leak")
    open_method.input_type, open_method.output_type = (
        f".{_PACKAGE}.EchoRequest",
        f".{_PACKAGE}.EchoResponse",
    )
    return file


descriptor_pool.Default().AddSerializedFile(_describe().SerializeToString())
_pool = descriptor_pool.Default()
EchoRequest: Any = message_factory.GetMessageClass(_pool.FindMessageTypeByName(f"{_PACKAGE}.EchoRequest"))
EchoResponse: Any = message_factory.GetMessageClass(_pool.FindMessageTypeByName(f"{_PACKAGE}.EchoResponse"))

Behavior = Callable[[Any], Awaitable[Any]]


class EchoServicer:
    """Answers with the request's text; `behavior` may be replaced by a test, `calls` shows what arrived."""

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self.behavior: Behavior | None = None
        self._replies: dict[str, str] = {}

    async def answer(self, request: Any, _context: Any) -> Any:
        """Every unary method."""
        call = current_call()
        self.calls.append(call)
        if self.behavior is not None:
            return await self.behavior(request)
        key = call.idempotency_key
        if key is not None:
            if key in self._replies:
                mark_replayed()
            return EchoResponse(text=self._replies.setdefault(key, request.text))
        return EchoResponse(text=request.text)

    async def ticks(self, request: Any, _context: Any) -> AsyncIterator[Any]:
        """The streaming method: three answers, then whatever `behavior` does."""
        self.calls.append(current_call())
        for number in range(3):
            yield EchoResponse(text=f"{request.text}{number}")
            await asyncio.sleep(0)
        if self.behavior is not None:
            await self.behavior(request)


def add_echo_to_server(servicer: EchoServicer, server: Any) -> None:
    """As the generated functions do it."""
    handlers = {}
    for name, rules in _METHODS.items():
        make: Any = (
            grpc.unary_stream_rpc_method_handler
            if rules.get("streams")
            else grpc.unary_unary_rpc_method_handler
        )
        handlers[name] = make(
            servicer.ticks if rules.get("streams") else servicer.answer,
            request_deserializer=EchoRequest.FromString,
            response_serializer=_serialize,
        )
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(SERVICE, handlers),))
    server.add_registered_method_handlers(SERVICE, handlers)


def add_unmarked_to_server(servicer: EchoServicer, server: Any) -> None:
    """A service whose method does not say who may call it."""
    handler = grpc.unary_unary_rpc_method_handler(
        servicer.answer, request_deserializer=EchoRequest.FromString, response_serializer=_serialize
    )
    server.add_registered_method_handlers(f"{_PACKAGE}.Unmarked", {"Leak": handler})


class EchoStub:
    """As the generated stubs are."""

    def __init__(self, channel: Any) -> None:
        for name, rules in _METHODS.items():
            make = channel.unary_stream if rules.get("streams") else channel.unary_unary
            setattr(
                self,
                name,
                make(
                    f"/{SERVICE}/{name}",
                    request_serializer=_serialize,
                    response_deserializer=EchoResponse.FromString,
                    _registered_method=True,
                ),
            )

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(name)


def _serialize(message: Message) -> bytes:
    return message.SerializeToString()

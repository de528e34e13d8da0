"""What the contracts say about methods and fields, read off the descriptors once and cached."""

import importlib
import pkgutil
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from google.protobuf.descriptor import Descriptor, FieldDescriptor, MethodDescriptor, ServiceDescriptor
from google.protobuf.descriptor_pb2 import MethodOptions
from google.protobuf.message import Message

from chassis.caller import Audience
from tallyport.options.v1 import options_pb2

SERVICES = ("identity", "invoicing", "payments", "notifications")
"""The services that own contracts; the gateway and the command line only call."""

_READ_PREFIXES = ("Get", "List", "Search")
_AUDIENCES: Mapping[int, Audience] = {
    options_pb2.AUDIENCE_PUBLIC: Audience.PUBLIC,
    options_pb2.AUDIENCE_CUSTOMER: Audience.CUSTOMER,
    options_pb2.AUDIENCE_STAFF: Audience.STAFF,
    options_pb2.AUDIENCE_PAY_LINK: Audience.PAY_LINK,
    options_pb2.AUDIENCE_SERVICE: Audience.SERVICE,
}


class ContractError(Exception):
    """A contract lacks something that the house demands of every method."""


@dataclass(frozen=True, slots=True)
class Access:
    """Who may call a method. `callers` are peers besides the gateway; for services the only ones."""

    audiences: frozenset[Audience]
    permission: str
    step_up: bool
    callers: frozenset[str]


def path_of(method: MethodDescriptor) -> str:
    """The method's name on the wire: `/tallyport.payments.v1.Payments/CreatePayment`."""
    service: ServiceDescriptor = method.containing_service
    return f"/{service.full_name}/{method.name}"


@cache
def access_of(method: MethodDescriptor) -> Access:
    """Raises ContractError when the method does not say who may call it."""
    option = method.GetOptions().Extensions[options_pb2.access]
    try:
        audiences = frozenset(_AUDIENCES[audience] for audience in option.audiences)
    except KeyError:
        raise ContractError(f"{path_of(method)} names an unknown audience") from None
    if not audiences:
        raise ContractError(f"{path_of(method)} has no access option")
    if Audience.SERVICE in audiences and not option.callers:
        raise ContractError(f"{path_of(method)} is for services but names no callers")
    return Access(audiences, option.permission, option.step_up, frozenset(option.callers))


@cache
def needs_idempotency_key(method: MethodDescriptor) -> bool:
    """True when the call is refused without a key."""
    option = method.GetOptions().Extensions[options_pb2.idempotency]
    return option == options_pb2.IDEMPOTENCY_REQUIRED


@cache
def is_read(method: MethodDescriptor) -> bool:
    """True when repeating the call changes nothing, so that a client may retry it without a key."""
    if method.GetOptions().idempotency_level == MethodOptions.NO_SIDE_EFFECTS:
        return True
    return method.name.startswith(_READ_PREFIXES)


@cache
def personal_fields(message: Descriptor) -> frozenset[str]:
    """Names of the message's own fields that hold data about a person."""
    return frozenset(f.name for f in message.fields if f.GetOptions().Extensions[options_pb2.personal])


@cache
def secret_fields(message: Descriptor) -> frozenset[str]:
    """Names of the message's own fields that must never be logged or exported."""
    return frozenset(f.name for f in message.fields if f.GetOptions().Extensions[options_pb2.secret])


def redacted(message: Message) -> dict[str, object]:
    """The message's set fields for a log line, without what is personal or secret, at any depth."""
    hidden = personal_fields(message.DESCRIPTOR) | secret_fields(message.DESCRIPTOR)
    return {
        field.name: "[redacted]" if field.name in hidden else _plain(field, value)
        for field, value in message.ListFields()
    }


def _plain(field: FieldDescriptor, value: object) -> object:
    if field.type == FieldDescriptor.TYPE_BYTES:
        return "[bytes]"
    if field.message_type is None:
        return list(value) if field.is_repeated else value  # type: ignore[call-overload]
    if field.message_type.GetOptions().map_entry:
        return "[map]"
    if field.is_repeated:
        return [redacted(item) for item in value]  # type: ignore[attr-defined]
    assert isinstance(value, Message)
    return redacted(value)


@cache
def all_methods() -> Mapping[str, MethodDescriptor]:
    """Every method of the mesh's services by its path. Imports all contracts: for the gateway and tests."""
    import tallyport

    methods: dict[str, MethodDescriptor] = {}
    for owner in (*SERVICES, "common"):
        folders = [f"{location}/{owner}/v1" for location in tallyport.__path__]
        for module in pkgutil.iter_modules(folders):
            if not module.name.endswith("_pb2"):
                continue
            contract = importlib.import_module(f"tallyport.{owner}.v1.{module.name}")
            for service in contract.DESCRIPTOR.services_by_name.values():
                methods.update({path_of(method): method for method in service.methods})
    return methods

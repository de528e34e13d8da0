"""JSON for messages. A codec is compiled once per message type; calls then run plain closures, no reflection.

Rules: snake_case names; every field is present in answers, absent messages and unset enums as null; 64-bit integers are
JSON numbers, in requests within 2^53 - 1; enums are the value's name without its prefix, in lower case; timestamps are
RFC 3339 in UTC; bytes are base64; field masks are comma separated paths. Unknown and repeated names in requests are
errors.
"""

import base64
import binascii
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from google.protobuf import message_factory
from google.protobuf.descriptor import Descriptor, EnumDescriptor, FieldDescriptor
from google.protobuf.message import Message

from chassis.enum_words import enum_word
from chassis.errors import FieldError, Kind, ServiceError

Encode = Callable[[Any], Any]
Decode = Callable[[Any, str], Any]

MAX_SAFE_INTEGER: Final = 2**53 - 1
_INTEGERS: Final = {
    FieldDescriptor.TYPE_INT32: (-(2**31), 2**31 - 1),
    FieldDescriptor.TYPE_SINT32: (-(2**31), 2**31 - 1),
    FieldDescriptor.TYPE_UINT32: (0, 2**32 - 1),
    FieldDescriptor.TYPE_INT64: (-MAX_SAFE_INTEGER, MAX_SAFE_INTEGER),
    FieldDescriptor.TYPE_SINT64: (-MAX_SAFE_INTEGER, MAX_SAFE_INTEGER),
    FieldDescriptor.TYPE_UINT64: (0, MAX_SAFE_INTEGER),
}
_RFC3339: Final = re.compile(
    r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,9})?(Z|[+-]\d{2}:\d{2})$", re.ASCII
)


class BadField(Exception):
    """One value of a request that cannot be read; `path` is a JSON pointer."""

    def __init__(self, path: str, code: str, message: str) -> None:
        super().__init__(message)
        self.path, self.code, self.message = path, code, message


class Codec:
    """Encodes and decodes one message type."""

    def __init__(self, descriptor: Descriptor) -> None:
        self.descriptor = descriptor
        self.message_class: type[Message] = message_factory.GetMessageClass(descriptor)
        self._encoders: list[tuple[str, Callable[[Message], Any]]] = []
        self._decoders: dict[str, Callable[[Message, Any, str], None]] = {}

    def encode(self, message: Message) -> dict[str, Any]:
        """The message as JSON data."""
        return {name: read(message) for name, read in self._encoders}

    def decode(self, data: Any, path: str = "") -> Message:
        """A message from JSON data. Raises BadField for the first value that cannot be read."""
        message = self.message_class()
        self.decode_into(message, data, path)
        return message

    def decode_into(self, message: Message, data: Any, path: str = "") -> None:
        """Sets the fields named in `data`. Raises BadField."""
        if not isinstance(data, Mapping):
            raise BadField(path, "type", "An object is expected here.")
        for name, value in data.items():
            decode = self._decoders.get(name)
            if decode is None:
                raise BadField(f"{path}/{name}", "unknown_field", f"There is no field named {name!r} here.")
            decode(message, value, f"{path}/{name}")


class Codecs:
    """All codecs, each compiled when first asked for."""

    def __init__(self) -> None:
        self._by_name: dict[str, Codec] = {}

    def of(self, descriptor: Any) -> Codec:
        """The codec of a message type."""
        codec = self._by_name.get(descriptor.full_name)
        if codec is None:
            codec = self._by_name[descriptor.full_name] = Codec(descriptor)
            for field in descriptor.fields:
                encode, decode = self._value(field)
                codec._encoders.append((field.name, _reader(field, encode)))
                codec._decoders[field.name] = _writer(field, decode)
        return codec

    def _value(self, field: FieldDescriptor) -> tuple[Encode, Decode]:
        if field.message_type is not None and field.message_type.GetOptions().map_entry:
            return self._value(field.message_type.fields_by_name["value"])
        if field.type == FieldDescriptor.TYPE_MESSAGE:
            assert field.message_type is not None
            if (well_known := _WELL_KNOWN.get(field.message_type.full_name)) is not None:
                return well_known
            codec = self.of(field.message_type)
            return codec.encode, codec.decode
        if field.type == FieldDescriptor.TYPE_ENUM:
            assert field.enum_type is not None
            return _enum_codec(field.enum_type)
        if field.type in _INTEGERS:
            return _identity, _integer_decoder(*_INTEGERS[field.type])
        return _SCALARS[field.type]


def _identity(value: Any) -> Any:
    return value


def _enum_codec(descriptor: EnumDescriptor) -> tuple[Encode, Decode]:
    words = {value.number: enum_word(descriptor, value.number) for value in descriptor.values}
    numbers = {word: number for number, word in words.items() if word is not None}

    def encode(value: int) -> str | None:
        return words[value] if value in words else str(value)

    def decode(value: Any, path: str) -> int:
        number = numbers.get(value) if isinstance(value, str) else None
        if number is None:
            raise BadField(path, "enum", f"One of {', '.join(numbers)} is expected here.")
        return number

    return encode, decode


def _integer_decoder(low: int, high: int) -> Decode:
    def decode(value: Any, path: str) -> int:
        if isinstance(value, bool) or not isinstance(value, int):
            raise BadField(path, "type", "A whole number is expected here.")
        if not low <= value <= high:
            raise BadField(path, "out_of_range", f"A number from {low} to {high} is expected here.")
        return value

    return decode


def _decode_string(value: Any, path: str) -> str:
    if not isinstance(value, str):
        raise BadField(path, "type", "A text is expected here.")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise BadField(path, "encoding", "The text is not valid Unicode.") from None
    if "\x00" in value:
        raise BadField(path, "encoding", "The text contains a zero character.")
    return value


def _decode_bool(value: Any, path: str) -> bool:
    if not isinstance(value, bool):
        raise BadField(path, "type", "true or false is expected here.")
    return value


def _decode_bytes(value: Any, path: str) -> bytes:
    text = _decode_string(value, path)
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise BadField(path, "base64", "Base64 is expected here.") from None


def _encode_bytes(value: bytes) -> str:
    return base64.b64encode(value).decode()


def _decode_number(value: Any, path: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise BadField(path, "type", "A number is expected here.")
    return float(value)


def _encode_timestamp(value: Any) -> str:
    text: str = value.ToJsonString()
    return text


def _decode_timestamp(value: Any, path: str) -> datetime:
    if isinstance(value, str) and _RFC3339.match(value):
        try:
            return datetime.fromisoformat(value).astimezone(UTC)
        except (ValueError, OverflowError):
            pass
    raise BadField(path, "timestamp", "A time such as 2026-01-31T12:00:00Z is expected here.")


def _encode_mask(value: Any) -> str:
    return ",".join(value.paths)


def _decode_mask(value: Any, path: str) -> dict[str, list[str]]:
    text = _decode_string(value, path)
    return {"paths": [part.strip() for part in text.split(",") if part.strip()]}


_SCALARS: Final[dict[int, tuple[Encode, Decode]]] = {
    FieldDescriptor.TYPE_STRING: (_identity, _decode_string),
    FieldDescriptor.TYPE_BOOL: (_identity, _decode_bool),
    FieldDescriptor.TYPE_BYTES: (_encode_bytes, _decode_bytes),
    FieldDescriptor.TYPE_DOUBLE: (_identity, _decode_number),
    FieldDescriptor.TYPE_FLOAT: (_identity, _decode_number),
}
_WELL_KNOWN: Final[dict[str, tuple[Encode, Decode]]] = {
    "google.protobuf.Timestamp": (_encode_timestamp, _decode_timestamp),
    "google.protobuf.FieldMask": (_encode_mask, _decode_mask),
}


def _reader(field: FieldDescriptor, encode: Encode) -> Callable[[Message], Any]:
    name = field.name
    if field.message_type is not None and field.message_type.GetOptions().map_entry:
        return lambda message: {key: encode(value) for key, value in getattr(message, name).items()}
    if field.is_repeated:
        return lambda message: [encode(value) for value in getattr(message, name)]
    if field.has_presence:
        return lambda message: encode(getattr(message, name)) if message.HasField(name) else None
    if encode is _identity:
        return lambda message: getattr(message, name)
    return lambda message: encode(getattr(message, name))


def _writer(field: FieldDescriptor, decode: Decode) -> Callable[[Message, Any, str], None]:
    name = field.name
    if field.message_type is not None and field.message_type.GetOptions().map_entry:
        return _map_writer(name, decode)
    if field.is_repeated:
        return _list_writer(name, decode)
    if field.type != FieldDescriptor.TYPE_MESSAGE:

        def write_scalar(message: Message, value: Any, path: str) -> None:
            if value is not None:
                setattr(message, name, decode(value, path))

        return write_scalar
    return _message_writer(field, decode)


def _message_writer(field: FieldDescriptor, decode: Decode) -> Callable[[Message, Any, str], None]:
    name = field.name
    oneof = field.containing_oneof.name if field.containing_oneof is not None else None
    plain = field.message_type is not None and field.message_type.full_name not in _WELL_KNOWN
    mask = field.message_type is not None and field.message_type.full_name == "google.protobuf.FieldMask"

    def write_message(message: Message, value: Any, path: str) -> None:
        if value is None:
            return
        if oneof is not None and message.WhichOneof(oneof) is not None:
            raise BadField(path, "oneof", f"Only one of the ways of {oneof!r} may be given.")
        decoded = decode(value, path)
        target = getattr(message, name)
        if plain:
            target.CopyFrom(decoded)
        elif mask:
            target.paths.extend(decoded["paths"])
        else:
            target.FromDatetime(decoded)
        target.SetInParent()

    return write_message


def _list_writer(name: str, decode: Decode) -> Callable[[Message, Any, str], None]:
    def write(message: Message, value: Any, path: str) -> None:
        if value is None:
            return
        if not isinstance(value, list):
            raise BadField(path, "type", "A list is expected here.")
        getattr(message, name).extend(decode(item, f"{path}/{index}") for index, item in enumerate(value))

    return write


def _map_writer(name: str, decode: Decode) -> Callable[[Message, Any, str], None]:
    def write(message: Message, value: Any, path: str) -> None:
        if value is None:
            return
        if not isinstance(value, Mapping):
            raise BadField(path, "type", "An object is expected here.")
        target = getattr(message, name)
        for key, item in value.items():
            target[key] = decode(item, f"{path}/{key}")

    return write


def refused(problem: BadField) -> ServiceError:
    """A value that cannot be read, as the error the client sees."""
    field = FieldError(problem.path, problem.code, problem.message)
    return ServiceError(
        Kind.INVALID_ARGUMENT, "VALIDATION_FAILED", "The request has errors.", fields=(field,)
    )

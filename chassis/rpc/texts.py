"""Texts of requests: none that must be there is blank, and none holds signs that garble what is printed.

Control characters, and those that turn the direction of writing, make a document say other things than what is stored.
Texts of up to LONGEST_LINE characters, and those of lists, are one line; longer ones may have several.
"""

import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, Final

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

from buf.validate import validate_pb2
from chassis.errors import FieldError

LONGEST_LINE: Final = 200
_LONGEST_SIGN: Final = 1
"""What is a single sign, as between columns of a file, may be any."""
_NEVER: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e]")
_NOT_IN_A_LINE: Final = re.compile("[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]")


def wrong_texts(message: Message, path: str = "") -> Iterator[FieldError]:
    """What is wrong with the texts that are set, however deep."""
    for field, value in message.ListFields():
        name = f"{path}{field.name}"
        if isinstance(value, str):
            yield from _wrong(field, name, value)
        elif isinstance(value, Message):
            yield from wrong_texts(value, f"{name}.")
        elif isinstance(value, Mapping):
            for key, one in value.items():
                yield from _wrong_item(f"{name}.{key}", one)
        elif field.type in (FieldDescriptor.TYPE_STRING, FieldDescriptor.TYPE_MESSAGE):
            for at, one in enumerate(value):
                yield from _wrong_item(f"{name}[{at}]", one)


def _wrong_item(name: str, value: Any) -> Iterator[FieldError]:
    if isinstance(value, Message):
        yield from wrong_texts(value, f"{name}.")
    elif isinstance(value, str) and _NOT_IN_A_LINE.search(value):
        yield _garbled(name)


def _wrong(field: FieldDescriptor, name: str, text: str) -> Iterator[FieldError]:
    if text.isprintable() and not text[:1].isspace():
        return
    shortest, is_line = _rules(field)
    if shortest and not text.strip():
        yield FieldError(name, "string.min_len", "must not be blank")
    elif (_NOT_IN_A_LINE if is_line else _NEVER).search(text):
        yield _garbled(name)


def _garbled(name: str) -> FieldError:
    return FieldError(
        name, "text", "must not hold control characters or signs that turn the direction of writing"
    )


@cache
def _rules(field: FieldDescriptor) -> tuple[int, bool]:
    """The shortest that a text may be, and whether it is one line."""
    rules = field.GetOptions().Extensions[validate_pb2.field].string
    return rules.min_len, rules.HasField("max_len") and _LONGEST_SIGN < rules.max_len <= LONGEST_LINE

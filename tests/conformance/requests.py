"""Requests made from the descriptors: they pass the rules of the contract and name what they are told to name."""

import re
import time
from typing import Any

from google.protobuf.descriptor import Descriptor, FieldDescriptor, MethodDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from buf.validate import validate_pb2

_WORDS = {
    "email": "nobody@nowhere.example",
    "password": "a-long-enough-password",
    "name": "Nobody",
    "reason": "because",
    "token": "tok_visa_of_nobody_at_all",
}
_GUESSES = ("2099-01-31", "1", "USD", "US", "word", "a-word-that-is-long-enough")
_FILLED = ("hosted_page", "card_token", "data")
_NUMBERS = (FieldDescriptor.TYPE_INT32, FieldDescriptor.TYPE_INT64)


def filled(method: MethodDescriptor, ids: dict[str, str]) -> Message:
    """A request that passes the field rules, naming `ids` where it names things."""
    message = GetMessageClass(method.input_type)()
    _fill(message, method.input_type, ids)
    return message


def _fill(message: Any, descriptor: Descriptor, ids: dict[str, str]) -> None:
    chosen: set[str] = set()
    for field in descriptor.fields:
        oneof = field.containing_oneof
        if oneof is not None and (oneof.name in chosen or len(oneof.fields) == 1):
            continue
        if oneof is not None:
            chosen.add(oneof.name)
        rules = field.GetOptions().Extensions[validate_pb2.field]
        if field.type == FieldDescriptor.TYPE_MESSAGE:
            _fill_message(message, field, ids)
        elif field.is_repeated:
            if rules.repeated.min_items and field.type == FieldDescriptor.TYPE_STRING:
                getattr(message, field.name).append(_text(field, rules.repeated.items, ids))
        elif field.type == FieldDescriptor.TYPE_STRING:
            setattr(message, field.name, _text(field, rules, ids))
        elif field.type == FieldDescriptor.TYPE_ENUM:
            setattr(message, field.name, _choice(field, rules))
        elif field.type == FieldDescriptor.TYPE_BOOL:
            setattr(message, field.name, rules.bool.const)
        elif field.type in _NUMBERS:
            setattr(message, field.name, max(0, rules.int32.gte, rules.int64.gte))
        elif field.type == FieldDescriptor.TYPE_BYTES:
            setattr(message, field.name, b"x")


def _fill_message(message: Any, field: FieldDescriptor, ids: dict[str, str]) -> None:
    assert field.message_type is not None
    rules = field.GetOptions().Extensions[validate_pb2.field]
    if field.message_type.full_name == "tallyport.common.v1.Money":
        sums = [getattr(message, field.name)]
        if field.is_repeated:
            sums = [getattr(message, field.name).add() for _ in range(rules.repeated.min_items)]
        for money in sums:
            money.minor_units, money.currency = 100, "USD"
    elif field.message_type.full_name == "google.protobuf.Timestamp":
        getattr(message, field.name).seconds = int(time.time()) + 600
    elif field.is_repeated:
        if not field.message_type.GetOptions().map_entry:
            for _ in range(rules.repeated.min_items):
                _fill(getattr(message, field.name).add(), field.message_type, ids)
    elif rules.required or field.name in _FILLED:
        getattr(message, field.name).SetInParent()
        _fill(getattr(message, field.name), field.message_type, ids)


def _choice(field: FieldDescriptor, rules: validate_pb2.FieldRules) -> int:
    allowed: list[int] = [one for one in getattr(rules.enum, "in") if one]
    if allowed:
        return allowed[0]
    return 3 if field.name in ("role", "method") else int(0 in rules.enum.not_in)


def _text(field: FieldDescriptor, rules: validate_pb2.FieldRules, ids: dict[str, str]) -> str:
    name = field.name
    if name in ids:
        # Some requests take the one or the other: the first, unless both must be there.
        return ids[name] if field.index == 0 or rules.string.min_len else ""
    if name == "return_url":
        return "http://localhost/pay/return"
    if name in ("invoice_date", "due_date", "received_on"):
        return "2026-01-31"
    if name in ("quantity", "tax_rate_percent"):
        return "1"
    word = next((word for part, word in _WORDS.items() if name.endswith(part)), "")
    listed: list[str] = list(getattr(rules.string, "in"))
    if listed:
        return listed[0]
    pattern, shortest = rules.string.pattern, max(rules.string.min_len, rules.string.len)
    if len(word) >= shortest and re.search(pattern, word):
        return word
    fits = (guess for guess in _GUESSES if len(guess) >= shortest and re.search(pattern, guess))
    if rules.string.len:
        fits = (guess for guess in _GUESSES if len(guess) == rules.string.len)
    return next(fits, word)

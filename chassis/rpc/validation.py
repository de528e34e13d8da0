"""The contracts' field rules, reported field by field."""

import re
from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Any, Final

import protovalidate
from google.protobuf.descriptor import OneofDescriptor
from google.protobuf.message import Message

from chassis.contract import ContractError
from chassis.errors import FieldError, Kind, ServiceError
from chassis.rpc.pattern_words import words_for, words_for_choice, words_for_rule
from chassis.rpc.texts import wrong_texts

MAX_REPORTED: Final = 50
_NOT_A_NAME: Final = re.compile(r"[^a-z0-9_.]")


def check(request: Message, *, from_people: bool = True) -> None:
    """Raises INVALID_ARGUMENT VALIDATION_FAILED naming each field that breaks a rule of its contract.

    Services pass on texts that are stored, so theirs are not looked at again.
    """
    violations = protovalidate.collect_violations(request)
    errors = [_field_error(request, violation) for violation in violations[:MAX_REPORTED]]
    if from_people and not errors:
        errors = list(islice(wrong_texts(request), MAX_REPORTED))
    if errors:
        raise ServiceError(
            Kind.INVALID_ARGUMENT,
            "VALIDATION_FAILED",
            "Some fields are not right.",
            fields=errors,
        )


def _field_error(request: Message, violation: protovalidate.Violation) -> FieldError:
    told = violation.proto
    elements = list(told.field.elements) if told.field is not None else []
    code = _NOT_A_NAME.sub("_", told.rule_id.lower()) or "invalid"
    found = _found(request, [element.field_name for element in elements])
    if isinstance(found, OneofDescriptor):  # JSON has no such field: its members stand in what holds it
        return FieldError(_path(elements[:-1]), code, words_for_choice(found))
    if code == "string.pattern":
        words = words_for(str(violation.rule_value), violation.field_value)
    else:
        words = words_for_rule(code, violation.rule_value, found)
    return FieldError(_path(elements), code, words or told.message or "is not valid")


def _found(request: Message, names: Sequence[str]) -> Any:
    """What a path leads to: the descriptor of a field or a choice; None where it leads nowhere."""
    within: Any = request.DESCRIPTOR
    found: Any = None
    for name in names:
        if within is None:
            return None
        found = within.oneofs_by_name.get(name) or within.fields_by_name.get(name)
        within = getattr(found, "message_type", None)
    return found


def _path(elements: Iterable[Any]) -> str:
    return ".".join(_segment(element) for element in elements)


def _segment(element: Any) -> str:
    subscript = element.subscript
    return element.field_name if subscript is None else f"{element.field_name}[{subscript.value}]"


def check_rules(request: Message) -> None:
    """Compiles a message type's rules at start, so that a broken rule stops the server and not a call."""
    try:
        protovalidate.collect_violations(request)
    except protovalidate.CompilationError as error:
        raise ContractError(f"{request.DESCRIPTOR.full_name}: {error}") from error

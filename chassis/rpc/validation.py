"""The contracts' field rules, reported field by field."""

import re
from itertools import islice
from typing import Any, Final

import protovalidate
from google.protobuf.message import Message

from chassis.contract import ContractError
from chassis.errors import FieldError, Kind, ServiceError
from chassis.rpc.pattern_words import words_for
from chassis.rpc.texts import wrong_texts

MAX_REPORTED: Final = 50
_NOT_A_NAME: Final = re.compile(r"[^a-z0-9_.]")


def check(request: Message, *, from_people: bool = True) -> None:
    """Raises INVALID_ARGUMENT VALIDATION_FAILED naming each field that breaks a rule of its contract.

    Services pass on texts that are stored, so theirs are not looked at again.
    """
    violations = protovalidate.collect_violations(request)
    errors = [_field_error(violation) for violation in violations[:MAX_REPORTED]]
    if from_people and not errors:
        errors = list(islice(wrong_texts(request), MAX_REPORTED))
    if errors:
        raise ServiceError(
            Kind.INVALID_ARGUMENT,
            "VALIDATION_FAILED",
            "Some fields are not right.",
            fields=errors,
        )


def _field_error(violation: protovalidate.Violation) -> FieldError:
    told = violation.proto
    elements = told.field.elements if told.field is not None else ()
    path = ".".join(_segment(element) for element in elements)
    code = _NOT_A_NAME.sub("_", told.rule_id.lower()) or "invalid"
    words = words_for(str(violation.rule_value), violation.field_value) if code == "string.pattern" else None
    return FieldError(path, code, words or told.message or "is not valid")


def _segment(element: Any) -> str:
    subscript = element.subscript
    return element.field_name if subscript is None else f"{element.field_name}[{subscript.value}]"


def check_rules(request: Message) -> None:
    """Compiles a message type's rules at start, so that a broken rule stops the server and not a call."""
    try:
        protovalidate.collect_violations(request)
    except protovalidate.CompilationError as error:
        raise ContractError(f"{request.DESCRIPTOR.full_name}: {error}") from error

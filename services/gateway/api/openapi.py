"""The OpenAPI 3.1 document, derived from the contracts and their comments."""

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, Final

from google.protobuf import descriptor_pb2
from google.protobuf.descriptor import Descriptor, FieldDescriptor

import tallyport
from buf.validate import validate_pb2
from chassis.contract import access_of, needs_idempotency_key
from chassis.enum_words import enum_words
from services.gateway.api.codecs import MAX_SAFE_INTEGER
from services.gateway.api.routes import Route

_PROBLEM: Final = {
    "type": "object",
    "description": "An error as in RFC 9457.",
    "required": ["type", "title", "status", "detail", "code", "request_id"],
    "properties": {
        "type": {"type": "string", "description": "Address that documents the error."},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": "What went wrong, for people."},
        "instance": {"type": "string"},
        "code": {"type": "string", "description": "What went wrong, for programs; never changes."},
        "request_id": {"type": "string", "description": "Tell it to support."},
        "doc_url": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "pointer": {"type": "string", "description": "JSON pointer to the field."},
                    "code": {"type": "string"},
                    "detail": {"type": "string"},
                },
            },
        },
        "preview": {
            "$ref": "#/components/schemas/payments.PaymentPreview",
            "description": "With `preview_changed`: what is true now; absent where it would be too long.",
        },
        "metadata": {"type": "object", "additionalProperties": {"type": "string"}},
    },
}
_PROBLEM_STATUSES: Final = {
    "400": "The request has errors.",
    "401": "Not signed in, or the token has ended.",
    "403": "Not allowed.",
    "404": "There is no such thing, or it is not yours.",
    "405": "The address takes another verb.",
    "409": "Not possible in the present state, or the same key is at work.",
    "413": "The body is too large.",
    "415": "The body is not JSON.",
    "422": "The idempotency key was used with another request.",
    "429": "Too many requests; Retry-After says when to come back.",
    "500": "A defect on our side.",
    "503": "A part is away just now; Retry-After says when to come back.",
    "504": "It took too long.",
}


def document(routes: Sequence[Route], *, public_url: str) -> dict[str, Any]:
    """The whole document as JSON data."""
    schemas: dict[str, Any] = {"Problem": _PROBLEM}
    paths: dict[str, dict[str, Any]] = {}
    for route in routes:
        paths.setdefault(route.template, {})[route.verb.lower()] = _operation(route, schemas)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Tallyport API",
            "version": "1",
            "description": _INTRODUCTION,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": public_url}],
        "security": [{"bearer": []}],
        "tags": [{"name": name} for name in sorted({_tag(route) for route in routes})],
        "paths": paths,
        "components": {
            "schemas": dict(sorted(schemas.items())),
            "securitySchemes": {
                "bearer": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "An access token of POST /v1/sessions, or an API key (sk_test_..., sk_live_...).",
                }
            },
            "responses": {
                status: {
                    "description": text,
                    "content": {
                        "application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}
                    },
                }
                for status, text in _PROBLEM_STATUSES.items()
            },
        },
    }


_INTRODUCTION: Final = """Amounts are whole numbers in the smallest unit of their currency. Times are RFC 3339 in \
UTC, days ISO 8601 in the organization's zone. Lists are paged by `page_size` and `page_token`. Every call that moves \
money or sends mail needs an `Idempotency-Key`: repeat it with the same key after a timeout, and it happens once. \
Errors are problem details; `code` never changes."""


def _tag(route: Route) -> str:
    return str(route.method.containing_service.name)


def _operation(route: Route, schemas: dict[str, Any]) -> dict[str, Any]:
    comment = comments().get(route.method.full_name, "")
    operation: dict[str, Any] = {
        "operationId": f"{_tag(route)}_{route.method.name}",
        "tags": [_tag(route)],
        "summary": comment.split(". ")[0].rstrip("."),
        "description": _description(route, comment),
        "parameters": _parameters(route),
        "responses": {"200": _success(route, schemas)},
    }
    statuses = ["400", "404", "405", "429", "500", "503", "504"]
    if route.is_public:
        operation["security"] = []
        statuses += ["401", "403", "409"]
    else:
        statuses += ["401", "403", "409"]
    if needs_idempotency_key(route.method):
        statuses.append("422")
    if route.has_body:
        statuses += ["413", "415"]
        reference = _message(route.method.input_type, schemas, leave_out=route.path_fields)
        operation["requestBody"] = {"required": True, "content": {"application/json": {"schema": reference}}}
    for status in sorted(statuses):
        operation["responses"][status] = {"$ref": f"#/components/responses/{status}"}
    return operation


def _description(route: Route, comment: str) -> str:
    access = access_of(route.method)
    who = ", ".join(sorted(audience.value.lower().replace("_", " ") for audience in access.audiences))
    lines = [comment, f"For: {who}."]
    if access.permission:
        lines.append(f"Permission: `{access.permission}`.")
    if access.step_up:
        lines.append("Needs a sign-in within the last five minutes.")
    return "\n\n".join(line for line in lines if line)


def _parameters(route: Route) -> list[dict[str, Any]]:
    parameters: list[dict[str, Any]] = []
    for field in route.method.input_type.fields:
        if field.name in route.path_fields:
            schema = {"type": "string", "minLength": 1, "pattern": "^[^/:]+$"}
            parameters.append({"name": field.name, "in": "path", "required": True, "schema": schema})
        elif not route.has_body and field.message_type is None:
            schema = {**_field(field, {}), "description": comments().get(field.full_name, "")}
            parameters.append({"name": field.name, "in": "query", "required": False, "schema": schema})
    if needs_idempotency_key(route.method):
        schema = {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$"}
        text = "Drawn once for each thing to be done; the same in every retry of it."
        parameters.append(
            {
                "name": "Idempotency-Key",
                "in": "header",
                "required": True,
                "schema": schema,
                "description": text,
            }
        )
    return parameters


_STREAMED = (
    "text/csv",
    "application/x-ndjson",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "application/zip",
)


def _success(route: Route, schemas: dict[str, Any]) -> dict[str, Any]:
    if route.is_document:
        file = {"schema": {"type": "string", "format": "binary"}}
        kinds = _STREAMED if route.is_stream else ("application/pdf", "application/xml")
        content: dict[str, Any] = dict.fromkeys(kinds, file)
        return {"description": "The document.", "content": content}
    media_type = "application/x-ndjson" if route.is_stream else "application/json"
    schema = _message(route.method.output_type, schemas)
    return {"description": "Done.", "content": {media_type: {"schema": schema}}}


def _message(
    descriptor: Descriptor, schemas: dict[str, Any], leave_out: Iterable[str] = ()
) -> dict[str, Any]:
    name = f"{descriptor.full_name.split('.')[1]}.{descriptor.name}"
    if name not in schemas:
        schema: dict[str, Any] = {"type": "object", "additionalProperties": False, "properties": {}}
        schemas[name] = schema
        if text := comments().get(descriptor.full_name):
            schema["description"] = text
        for field in descriptor.fields:
            if field.name not in leave_out:
                schema["properties"][field.name] = _property(field, schemas)
        required = [f.name for f in descriptor.fields if f.name not in leave_out and _required(f)]
        if required:
            schema["required"] = required
    return {"$ref": f"#/components/schemas/{name}"}


def _property(field: FieldDescriptor, schemas: dict[str, Any]) -> dict[str, Any]:
    schema = _field(field, schemas)
    if text := comments().get(field.full_name):
        schema = {**schema, "description": text}
    return schema


def _required(field: FieldDescriptor) -> bool:
    rules = field.GetOptions().Extensions[validate_pb2.field]
    lengths = rules.string.min_len or rules.repeated.min_items or rules.bytes.min_len
    return bool(rules.required or lengths) and rules.ignore != validate_pb2.IGNORE_IF_ZERO_VALUE


def _field(field: FieldDescriptor, schemas: dict[str, Any]) -> dict[str, Any]:
    if field.message_type is not None and field.message_type.GetOptions().map_entry:
        return {
            "type": "object",
            "additionalProperties": _single(field.message_type.fields_by_name["value"], schemas),
        }
    rules = field.GetOptions().Extensions[validate_pb2.field]
    if field.is_repeated:
        schema: dict[str, Any] = {"type": "array", "items": _single(field, schemas)}
        if rules.repeated.max_items:
            schema["maxItems"] = rules.repeated.max_items
        if rules.repeated.min_items:
            schema["minItems"] = rules.repeated.min_items
        return schema
    schema = _single(field, schemas)
    if "$ref" in schema:
        return {"oneOf": [schema, {"type": "null"}]} if not rules.required else {"allOf": [schema]}
    if field.type == FieldDescriptor.TYPE_ENUM or field.has_presence:
        schema = {**schema, "type": [schema["type"], "null"]}
        if "enum" in schema:
            schema["enum"] = [*schema["enum"], None]
    return schema


def _single(field: FieldDescriptor, schemas: dict[str, Any]) -> dict[str, Any]:
    if field.type == FieldDescriptor.TYPE_MESSAGE:
        assert field.message_type is not None
        if field.message_type.full_name == "google.protobuf.Timestamp":
            return {"type": "string", "format": "date-time"}
        if field.message_type.full_name == "google.protobuf.FieldMask":
            return {"type": "string"}
        return _message(field.message_type, schemas)
    if field.type == FieldDescriptor.TYPE_ENUM:
        assert field.enum_type is not None
        return {"type": "string", "enum": enum_words(field.enum_type)}
    if field.type == FieldDescriptor.TYPE_BOOL:
        return {"type": "boolean"}
    rules = field.GetOptions().Extensions[validate_pb2.field]
    if field.type == FieldDescriptor.TYPE_BYTES:
        return {"type": "string", "contentEncoding": "base64"}
    if field.type == FieldDescriptor.TYPE_STRING:
        return _text(rules.repeated.items.string if field.is_repeated else rules.string)
    return _number(field, rules)


def _text(rules: validate_pb2.StringRules) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": "string"}
    if rules.HasField("min_len"):
        schema["minLength"] = rules.min_len
    if rules.HasField("max_len"):
        schema["maxLength"] = rules.max_len
    if rules.HasField("pattern"):
        schema["pattern"] = rules.pattern
    if rules.email:
        schema["format"] = "email"
    if rules.uri:
        schema["format"] = "uri"
    return schema


def _number(field: FieldDescriptor, rules: validate_pb2.FieldRules) -> dict[str, Any]:
    bounds: Any = rules.int32 if field.cpp_type == FieldDescriptor.CPPTYPE_INT32 else rules.int64
    limit = 2**31 - 1 if field.cpp_type == FieldDescriptor.CPPTYPE_INT32 else MAX_SAFE_INTEGER
    low = bounds.gte if bounds.HasField("gte") else -limit
    high = bounds.lte if bounds.HasField("lte") else limit
    return {"type": "integer", "minimum": low, "maximum": high}


@cache
def comments() -> Mapping[str, str]:
    """Leading comments of methods, messages, fields and enums, by full name."""
    folder = Path(next(iter(tallyport.__path__)))
    files = descriptor_pb2.FileDescriptorSet.FromString((folder / "contracts.binpb").read_bytes())
    found: dict[str, str] = {}
    for file in files.file:
        if not file.name.startswith("tallyport/"):
            continue
        for location in file.source_code_info.location:
            name = _name_at(file, list(location.path))
            if name and location.leading_comments:
                found[f"{file.package}.{name}"] = re.sub(r"\s+", " ", location.leading_comments).strip()
    return found


def _name_at(file: descriptor_pb2.FileDescriptorProto, path: list[int]) -> str | None:
    """The name of what a source location describes: messages (4), enums (5), services (6) and what is in them (2)."""
    match path:
        case [4, message]:
            return file.message_type[message].name
        case [4, message, 2, field]:
            return f"{file.message_type[message].name}.{file.message_type[message].field[field].name}"
        case [5, enum]:
            return file.enum_type[enum].name
        case [6, service]:
            return file.service[service].name
        case [6, service, 2, method]:
            return f"{file.service[service].name}.{file.service[service].method[method].name}"
    return None

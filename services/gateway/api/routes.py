"""Routes of the API, read off the `google.api.http` options of the contracts. Nobody writes a route by hand."""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import unquote

from google.api import annotations_pb2
from google.protobuf.descriptor import Descriptor, FieldDescriptor, MethodDescriptor

from chassis.caller import Audience
from chassis.contract import ContractError, access_of, path_of
from services.gateway.api.codecs import BadField, Codec, Codecs

_VERBS: Final = ("get", "put", "post", "delete", "patch")
_BODY_LIMIT_BYTES: Final = 1 << 20
_DOCUMENT_FIELDS: Final = {"file_name", "media_type", "content"}


@dataclass(frozen=True, slots=True)
class Route:
    """One method of the API. `template` is the path as in the contract, `pattern` the regular expression for it."""

    verb: str
    template: str
    pattern: re.Pattern[str]
    method: MethodDescriptor
    rpc_path: str
    request: Codec
    response: Codec
    has_body: bool
    path_fields: tuple[str, ...]
    is_public: bool
    is_document: bool
    is_stream: bool
    body_limit_bytes: int

    def bind_path(self, message: Any, values: Mapping[str, str]) -> None:
        """Sets the fields that the path carries."""
        for name, value in values.items():
            text = unquote(value)
            if "\x00" in text:
                raise BadField(f"/{name}", "encoding", "The address contains a zero character.")
            setattr(message, name, text)


class Routes:
    """The table of routes: verb and number of segments first, then patterns of few candidates."""

    def __init__(self, methods: Iterable[MethodDescriptor], codecs: Codecs) -> None:
        self.all = [route for method in methods if (route := _route(method, codecs)) is not None]
        self.all.sort(key=lambda route: (route.template.split(":")[0], route.template, route.verb))
        self._by_shape: dict[int, list[Route]] = defaultdict(list)
        # Fixed segments are tried before variables, so that /payments/overview is not taken for an id.
        for route in sorted(self.all, key=lambda route: route.template.count("{")):
            self._by_shape[route.template.count("/")].append(route)

    def find(self, verb: str, path: str) -> tuple[Route | None, Mapping[str, str], frozenset[str]]:
        """The route and its path values; or None with the verbs that this path knows."""
        allowed = set()
        for route in self._by_shape.get(path.count("/"), ()):
            match = route.pattern.fullmatch(path)
            if match is None:
                continue
            if route.verb == verb:
                return route, match.groupdict(), frozenset()
            allowed.add(route.verb)
        return None, {}, frozenset(allowed)


def _route(method: MethodDescriptor, codecs: Codecs) -> Route | None:
    options = method.GetOptions()
    if not options.HasExtension(annotations_pb2.http):
        return None
    rule = options.Extensions[annotations_pb2.http]
    access = access_of(method)
    if access.audiences == {Audience.SERVICE}:
        raise ContractError(f"{path_of(method)} is for services only but has a public address")
    if rule.body not in ("", "*"):
        raise ContractError(f'{path_of(method)}: only body "*" is understood')
    verb = rule.WhichOneof("pattern")
    if verb not in _VERBS:
        raise ContractError(f"{path_of(method)} has no verb that we serve")
    template = getattr(rule, verb)
    names = tuple(re.findall(r"{(\w+)}", template))
    pattern = "".join(
        f"(?P<{part[1:-1]}>[^/:]+)" if part.startswith("{") else re.escape(part)
        for part in re.split(r"({\w+})", template)
    )
    return Route(
        verb=verb.upper(),
        template=template,
        pattern=re.compile(pattern),
        method=method,
        rpc_path=path_of(method),
        request=codecs.of(method.input_type),
        response=codecs.of(method.output_type),
        has_body=rule.body == "*",
        path_fields=names,
        is_public=Audience.PUBLIC in access.audiences,
        is_document={field.name for field in method.output_type.fields} == _DOCUMENT_FIELDS,
        is_stream=method.server_streaming,
        body_limit_bytes=_body_limit(method.input_type),
    )


def _body_limit(message: Descriptor) -> int:
    """A body may be 1 MiB, or as large as its largest bytes field allows once it is base64."""
    from buf.validate import validate_pb2

    largest = 0
    for field in message.fields:
        if field.type == FieldDescriptor.TYPE_BYTES:
            largest = max(largest, field.GetOptions().Extensions[validate_pb2.field].bytes.max_len)
    return _BODY_LIMIT_BYTES + largest * 4 // 3


def bind_query(route: Route, message: Any, pairs: Iterable[tuple[str, str]]) -> None:
    """Sets scalar fields from the query string; a repeated field takes repeated names. Raises BadField."""
    seen: set[str] = set()
    for name, text in pairs:
        field = route.request.descriptor.fields_by_name.get(name)
        if field is None or name in route.path_fields or field.type == FieldDescriptor.TYPE_MESSAGE:
            raise BadField(name, "unknown_parameter", f"There is no parameter named {name!r}.")
        if name in seen and not field.is_repeated:
            raise BadField(name, "repeated", f"{name} may be given once only.")
        seen.add(name)
        value = _query_value(field, name, text)
        route.request.decode_into(message, {name: [value] if field.is_repeated else value})


def _query_value(field: FieldDescriptor, name: str, text: str) -> Any:
    if field.type == FieldDescriptor.TYPE_BOOL:
        if text not in ("true", "false"):
            raise BadField(name, "type", "true or false is expected here.")
        return text == "true"
    if field.cpp_type in (
        FieldDescriptor.CPPTYPE_INT32,
        FieldDescriptor.CPPTYPE_INT64,
        FieldDescriptor.CPPTYPE_UINT32,
        FieldDescriptor.CPPTYPE_UINT64,
    ):
        if not re.fullmatch(r"-?[0-9]{1,20}", text):
            raise BadField(name, "type", "A whole number is expected here.")
        return int(text)
    return text

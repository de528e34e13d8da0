"""The API as a plain ASGI application: find the route, bind the request, call the service, encode the answer."""

import json
import re
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, MutableMapping
from typing import Any, Final
from urllib.parse import parse_qsl

import msgspec
import structlog
from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.message import Message
from opentelemetry.trace import get_current_span

from chassis.contract import all_methods
from chassis.errors import Kind, ServiceError
from chassis.ids import new_uuid7
from chassis.rpc.client import Answer, Channel, StreamMethod, UnaryMethod
from chassis.rpc.errors import from_exception
from services.gateway.api import openapi, problems, reference
from services.gateway.api.codecs import BadField, Codecs, refused
from services.gateway.api.credentials import ApiKeyTokens
from services.gateway.api.routes import Route, Routes, bind_query
from services.gateway.clients import FILE_DEADLINE_SECONDS
from services.gateway.http_status import status_of
from services.gateway.revocations import Revocations, session_ended

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]
Headers = list[tuple[bytes, bytes]]

_TEST_CLOCKS: Final = "tallyport.identity.v1.TestClocks"
_JSON: Final = b"application/json"
_DEADLINE_SECONDS: Final = 10.0
_REQUEST_ID: Final = re.compile(r"[A-Za-z0-9._-]{8,64}")
_CACHE: Final = (b"cache-control", b"no-store")
_SAFE: Final = [(b"x-content-type-options", b"nosniff"), (b"referrer-policy", b"no-referrer")]

log = structlog.get_logger()


class Api:
    """ASGI application for /v1, /openapi.json and /docs. `channels` has one gRPC channel for each service."""

    def __init__(
        self,
        channels: Mapping[str, Channel],
        *,
        public_url: str,
        revocations: Revocations,
        test_clocks: bool = False,
    ) -> None:
        self.codecs = Codecs()
        self.routes = Routes(served_methods(test_clocks=test_clocks), self.codecs)
        self._public_url = public_url.rstrip("/")
        self._revocations = revocations
        self._keys = ApiKeyTokens(channels["identity"], revocations)
        self._calls = {route.rpc_path: _stub(route, channels) for route in self.routes.all}
        document = openapi.document(self.routes.all, public_url=self._public_url)
        self._documents = {
            "/openapi.json": (_JSON, json.dumps(document, ensure_ascii=False).encode()),
            "/docs": (b"text/html; charset=utf-8", reference.page(document).encode()),
            "/docs/reference.css": (b"text/css; charset=utf-8", reference.STYLES),
            "/docs/errors": (b"text/html; charset=utf-8", reference.errors_page().encode()),
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves one HTTP request."""
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        request_id = headers.get("x-request-id", "")
        if not _REQUEST_ID.fullmatch(request_id):
            request_id = f"req_{new_uuid7()}"
        try:
            status, answer, body = await self._answer(scope, receive, send, headers, request_id)
        except Exception as error:
            status, answer, body = self._problem(error, request_id, scope["path"])
        if status == 0:
            return
        answer = [*answer, (b"x-request-id", request_id.encode()), *_SAFE]
        answer.append((b"content-length", str(len(body)).encode()))
        await send({"type": "http.response.start", "status": status, "headers": answer})
        await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})

    async def _answer(
        self, scope: Scope, receive: Receive, send: Send, headers: Mapping[str, str], request_id: str
    ) -> tuple[int, Headers, bytes]:
        verb, path = scope["method"], scope["path"]
        if path in self._documents and verb in ("GET", "HEAD"):
            media_type, content = self._documents[path]
            return 200, [(b"content-type", media_type), *reference.HEADERS], content
        raw_path = (scope.get("raw_path") or path.encode()).split(b"?")[0].decode("latin-1")
        route, values, allowed = self.routes.find(verb, raw_path)
        if route is None:
            raise _no_route(allowed)
        scope["path_template"] = route.template
        get_current_span().update_name(f"{verb} {route.template}")
        message = await self._request(route, values, scope, receive, headers)
        metadata = await self._metadata(route, headers, request_id)
        if exchange := scope.get("tallyport"):
            metadata = (*metadata, ("x-client-address", exchange.client_address))
        call = self._calls[route.rpc_path]
        if isinstance(call, StreamMethod):
            if route.is_document:
                pieces = call(message, timeout=FILE_DEADLINE_SECONDS, metadata=metadata)
                return await self._file(pieces, send, request_id)
            return await self._stream(route, call(message, metadata=metadata), send, request_id)
        answer = await call.ask(message, metadata=metadata, timeout_seconds=_DEADLINE_SECONDS)
        return _reply(route, answer)

    async def _request(
        self,
        route: Route,
        values: Mapping[str, str],
        scope: Scope,
        receive: Receive,
        headers: Mapping[str, str],
    ) -> Message:
        message = route.request.message_class()
        try:
            if route.has_body:
                data = await _read_json(route, receive, headers)
                for name in route.path_fields:
                    if isinstance(data, dict) and name in data:
                        raise BadField(f"/{name}", "unknown_field", f"{name} is part of the address.")
                route.request.decode_into(message, data)
            else:
                query = scope["query_string"].decode("latin-1")
                pairs = parse_qsl(query, keep_blank_values=True, max_num_fields=50, errors="strict")
                bind_query(route, message, pairs)
            route.bind_path(message, values)
        except BadField as problem:
            raise refused(problem) from None
        except (UnicodeDecodeError, ValueError) as error:
            raise ServiceError(
                Kind.INVALID_ARGUMENT, "MALFORMED_REQUEST", "The address or body cannot be read."
            ) from error
        return message

    async def _metadata(
        self, route: Route, headers: Mapping[str, str], request_id: str
    ) -> tuple[tuple[str, str], ...]:
        metadata = [("x-request-id", request_id)]
        if (token := await self._token(headers)) and not route.is_public:
            if self._revocations.includes(token):
                raise session_ended()
            metadata.append(("authorization", f"Bearer {token}"))
        if (key := headers.get("idempotency-key")) is not None:
            if not key.isascii() or not key.isprintable():
                raise ServiceError(
                    Kind.INVALID_ARGUMENT,
                    "IDEMPOTENCY_KEY_INVALID",
                    "Idempotency-Key must be printable ASCII.",
                )
            metadata.append(("idempotency-key", key))
        if (language := headers.get("accept-language")) and language.isascii() and language.isprintable():
            metadata.append(("accept-language", language[:200]))
        return tuple(metadata)

    async def _token(self, headers: Mapping[str, str]) -> str | None:
        scheme, _, credential = headers.get("authorization", "").partition(" ")
        credential = credential.strip()
        if scheme.lower() != "bearer" or not credential:
            return None
        if not credential.isascii() or not credential.isprintable():
            raise ServiceError(Kind.UNAUTHENTICATED, "TOKEN_INVALID", "The token cannot be read.")
        if credential.startswith("sk_"):
            return await self._keys.token(credential)
        return credential

    async def _stream(
        self, route: Route, replies: AsyncIterator[Message], send: Send, request_id: str
    ) -> tuple[int, Headers, bytes]:
        """Newline delimited JSON. The first message is awaited before the status goes out, so errors stay problems."""
        first = await anext(replies, None)
        headers = [(b"content-type", b"application/x-ndjson"), _CACHE, *_SAFE]
        headers.append((b"x-request-id", request_id.encode()))
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        while first is not None:
            line = msgspec.json.encode(route.response.encode(first)) + b"\n"
            await send({"type": "http.response.body", "body": line, "more_body": True})
            # An error from here on breaks the connection off, which the client notices as an incomplete answer.
            first = await anext(replies, None)
        await send({"type": "http.response.body", "body": b""})
        return 0, [], b""

    async def _file(
        self, pieces: AsyncIterator[Message], send: Send, request_id: str
    ) -> tuple[int, Headers, bytes]:
        """A file as it is: its first piece names it, and what fails later breaks the connection off."""
        piece: Any = await anext(pieces)
        headers = [*_document_headers(piece), _CACHE, *_SAFE, (b"x-request-id", request_id.encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        while piece is not None:
            await send({"type": "http.response.body", "body": piece.content, "more_body": True})
            piece = await anext(pieces, None)
        await send({"type": "http.response.body", "body": b""})
        return 0, [], b""

    def _problem(self, error: Exception, request_id: str, path: str) -> tuple[int, Headers, bytes]:
        known = from_exception(error)
        if known is None:
            log.error("api.failed", request_id=request_id, path=path, exc_info=error)
            known = ServiceError(
                Kind.INTERNAL,
                "INTERNAL",
                "Something went wrong on our side. Tell us the request id.",
                id=request_id,
            )
        body = problems.problem(known, request_id=request_id, public_url=self._public_url, instance=path)
        headers: Headers = [
            (b"content-type", problems.MEDIA_TYPE.encode()),
            _CACHE,
            *problems.headers_of(known),
        ]
        if "allow" in known.metadata:
            headers.append((b"allow", known.metadata["allow"].encode()))
        return status_of(known), headers, msgspec.json.encode(body)


def build(
    channels: Mapping[str, Channel],
    *,
    public_url: str,
    revocations: Revocations | None = None,
    test_clocks: bool = False,
) -> Api:
    """Builds the API over one channel for each service. Compiling all codecs takes a few hundredths of a second."""
    revocations = revocations or Revocations()
    return Api(channels, public_url=public_url, revocations=revocations, test_clocks=test_clocks)


def served_methods(*, test_clocks: bool) -> list[MethodDescriptor]:
    """Every method, but those of test clocks only where these are allowed: elsewhere there is no such address."""
    return [
        method
        for method in all_methods().values()
        if test_clocks or method.containing_service.full_name != _TEST_CLOCKS
    ]


def _owner(route: Route) -> str:
    return route.method.containing_service.full_name.split(".")[1]


def _stub(route: Route, channels: Mapping[str, Channel]) -> UnaryMethod[Any, Any] | StreamMethod[Any, Any]:
    channel = channels[_owner(route)]
    serialize, parse = route.request.message_class.SerializeToString, route.response.message_class.FromString
    if route.is_stream:
        return channel.unary_stream(route.rpc_path, serialize, parse)
    return channel.unary_unary(route.rpc_path, serialize, parse)


def _no_route(allowed: frozenset[str]) -> ServiceError:
    if allowed:
        verbs = ", ".join(sorted(allowed))
        message = f"This address takes {verbs} only."
        return ServiceError(Kind.INVALID_ARGUMENT, "METHOD_NOT_ALLOWED", message, allow=verbs)
    return ServiceError(Kind.NOT_FOUND, "ROUTE_NOT_FOUND", "There is nothing at this address. See /docs.")


def _reply(route: Route, answer: Answer[Any]) -> tuple[int, Headers, bytes]:
    headers: Headers = [_CACHE]
    if answer.replayed:
        headers.append((b"idempotency-replayed", b"true"))
    reply = answer.message
    if route.is_document:
        return 200, [*headers, *_document_headers(reply)], reply.content
    headers.append((b"content-type", _JSON))
    return 200, headers, msgspec.json.encode(route.response.encode(reply))


def _document_headers(document: Any) -> Headers:
    name = re.sub(r"[^A-Za-z0-9._-]", "-", document.file_name) or "document"
    return [
        (b"content-type", document.media_type.encode()),
        (b"content-disposition", f'attachment; filename="{name}"'.encode()),
    ]


async def _read_json(route: Route, receive: Receive, headers: Mapping[str, str]) -> Any:
    body = await _read_body(route, receive, headers)
    if not body.strip():
        return {}
    media_type = headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != "application/json":
        raise ServiceError(
            Kind.INVALID_ARGUMENT,
            "UNSUPPORTED_MEDIA_TYPE",
            "Send the body as Content-Type: application/json.",
        )
    try:
        return json.loads(body, object_pairs_hook=_object, parse_constant=_no_constant)
    except RecursionError:
        raise ServiceError(
            Kind.INVALID_ARGUMENT, "MALFORMED_REQUEST", "The JSON is nested too deeply."
        ) from None
    except (ValueError, UnicodeDecodeError):
        raise ServiceError(
            Kind.INVALID_ARGUMENT, "MALFORMED_REQUEST", "The body is not valid JSON."
        ) from None


async def _read_body(route: Route, receive: Receive, headers: Mapping[str, str]) -> bytes:
    limit = route.body_limit_bytes
    too_large = ServiceError(
        Kind.INVALID_ARGUMENT, "BODY_TOO_LARGE", f"The body may have {limit} bytes at most."
    )
    if headers.get("content-length", "0").isdigit() and int(headers.get("content-length", "0")) > limit:
        raise too_large
    chunks: list[bytes] = []
    size = 0
    started = time.monotonic()
    while True:
        event = await receive()
        if event["type"] == "http.disconnect":
            raise ServiceError(Kind.INVALID_ARGUMENT, "MALFORMED_REQUEST", "The body ended early.")
        chunks.append(event.get("body", b""))
        size += len(chunks[-1])
        if size > limit or time.monotonic() - started > 60:
            raise too_large
        if not event.get("more_body"):
            return b"".join(chunks)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise BadField(f"/{twice}", "repeated", f"The name {twice!r} stands twice in one object.")
    return result


def _no_constant(text: str) -> Any:
    raise ValueError(text)

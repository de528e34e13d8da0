"""A tiny ASGI application: routes, requests, responses and nothing else."""

import json
import logging
import re
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]

logger = logging.getLogger("devstack")

HTML = "text/html; charset=utf-8"
JSON = "application/json"
BODY_LIMIT_BYTES = 16 * 1024 * 1024


class HttpError(Exception):
    """Ends a request with a status and a message that may be shown to the caller."""

    def __init__(self, status: int, code: str, message: str, *, field: str | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.field = field


@dataclass(frozen=True)
class Response:
    """What is sent back. `sent_bytes` cuts the body short, as a broken network would."""

    body: bytes
    status: int = 200
    content_type: str = HTML
    headers: tuple[tuple[str, str], ...] = ()
    sent_bytes: int | None = None

    async def send(self, send: Send) -> None:
        """Write the answer; with `sent_bytes` the server closes the connection after that many bytes."""
        headers = [
            (b"content-type", self.content_type.encode()),
            (b"content-length", str(len(self.body)).encode()),
            (b"x-content-type-options", b"nosniff"),
            *((name.encode(), value.encode()) for name, value in self.headers),
        ]
        await send({"type": "http.response.start", "status": self.status, "headers": headers})
        cut = self.sent_bytes is not None
        body = self.body[: self.sent_bytes] if cut else self.body
        await send({"type": "http.response.body", "body": body, "more_body": cut})


def json_response(value: object, *, status: int = 200, headers: tuple[tuple[str, str], ...] = ()) -> Response:
    """Answer with a JSON document."""
    return Response(json.dumps(value, separators=(",", ":")).encode(), status, JSON, headers)


def redirect(location: str) -> Response:
    """Send a browser on with 303, so that a reload never repeats a form."""
    return Response(b"", 303, headers=(("location", location), ("cache-control", "no-store")))


class Request:
    """One HTTP request; the body is read once, on demand."""

    __slots__ = ("_body", "_receive", "params", "scope")

    def __init__(self, scope: Scope, receive: Receive, params: dict[str, str]) -> None:
        self.scope = scope
        self.params = params
        self._receive = receive
        self._body: bytes | None = None

    @property
    def method(self) -> str:
        return str(self.scope["method"])

    @property
    def path(self) -> str:
        return str(self.scope["path"])

    @property
    def query(self) -> dict[str, str]:
        """Query parameters; of a repeated one the last."""
        return dict(parse_qsl(self.scope["query_string"].decode("latin-1"), keep_blank_values=True))

    def header(self, name: str) -> str | None:
        """The first header of that (lower case) name."""
        wanted = name.encode()
        for key, value in self.scope["headers"]:
            if key == wanted:
                return str(value.decode("latin-1"))
        return None

    async def body(self) -> bytes:
        """The whole body; 413 past 16 MiB."""
        if self._body is None:
            self._body = await self._read()
        return self._body

    async def _read(self) -> bytes:
        chunks: list[bytes] = []
        size_bytes = 0
        while True:
            message = await self._receive()
            if message["type"] == "http.disconnect":
                raise ClientDisconnectedError
            chunk = message.get("body", b"")
            size_bytes += len(chunk)
            if size_bytes > BODY_LIMIT_BYTES:
                raise HttpError(413, "body_too_large", "The request body is larger than 16 MiB.")
            chunks.append(chunk)
            if not message.get("more_body"):
                return b"".join(chunks)

    async def disconnected(self) -> None:
        """Return when the caller has gone; the body must have been read."""
        await self.body()
        while (await self._receive())["type"] != "http.disconnect":
            pass

    async def json_object(self) -> dict[str, Any]:
        """The body as a JSON object; 400 when it is anything else."""
        try:
            value = json.loads(await self.body())
        except ValueError:
            raise HttpError(400, "invalid_json", "The request body is not valid JSON.") from None
        if not isinstance(value, dict):
            raise HttpError(400, "invalid_json", "The request body must be a JSON object.")
        return value

    async def form(self) -> dict[str, str]:
        """The fields of an ordinary HTML form."""
        return dict(parse_qsl((await self.body()).decode("utf-8", "replace"), keep_blank_values=True))


class ClientDisconnectedError(Exception):
    """The caller went away while its request was read; there is nobody to answer."""


Handler = Callable[[Request], Awaitable[Response]]


@dataclass(frozen=True)
class Route:
    """One method and path; `{name}` in the pattern stands for one path segment."""

    method: str
    pattern: str
    handler: Handler


def json_error(_request: Request, error: HttpError) -> Response:
    """An error as a document: `{"error": {"code", "message", "field"?}}`."""
    body: dict[str, object] = {"code": error.code, "message": error.message}
    if error.field:
        body["field"] = error.field
    return json_response({"error": body}, status=error.status)


class App:
    """Dispatches requests to handlers; `error_page` decides how an error looks."""

    def __init__(
        self,
        routes: Iterable[Route],
        *,
        error_page: Callable[[Request, HttpError], Response] = json_error,
    ) -> None:
        self._fixed: dict[str, dict[str, Handler]] = {}
        self._patterns: list[tuple[re.Pattern[str], dict[str, Handler]]] = []
        self._error_page = error_page
        grouped: dict[str, dict[str, Handler]] = {}
        for route in routes:
            grouped.setdefault(route.pattern, {})[route.method] = route.handler
        for pattern, handlers in grouped.items():
            if "{" in pattern:
                expression = re.sub(r"\\{(\w+)\\}", r"(?P<\1>[^/]+)", re.escape(pattern))
                self._patterns.append((re.compile(expression), handlers))
            else:
                self._fixed[pattern] = handlers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            raise RuntimeError(f"unsupported connection type {scope['type']}")
        handlers, params = self._find(scope["path"])
        request = Request(scope, receive, params)
        try:
            response = await self._answer(request, handlers)
        except ClientDisconnectedError:
            return
        except HttpError as error:
            response = self._error_page(request, error)
        except Exception:
            logger.exception("unhandled error in %s %s", scope["method"], scope["path"])
            response = self._error_page(request, HttpError(500, "internal", "Something broke here."))
        await response.send(send)

    def _find(self, path: str) -> tuple[dict[str, Handler], dict[str, str]]:
        if path in self._fixed:
            return self._fixed[path], {}
        for expression, handlers in self._patterns:
            if match := expression.fullmatch(path):
                return handlers, match.groupdict()
        return {}, {}

    async def _answer(self, request: Request, handlers: dict[str, Handler]) -> Response:
        if not handlers:
            raise HttpError(404, "not_found", "There is nothing at this address.")
        handler = handlers.get("GET" if request.method == "HEAD" else request.method)
        if handler is None:
            raise HttpError(405, "method_not_allowed", f"{request.method} is not possible here.")
        return await handler(request)

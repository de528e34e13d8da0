"""One request from its first byte to its last: id, trace, log line, figures, cookies, headers."""

import re
import time
import uuid
from collections.abc import MutableMapping
from dataclasses import dataclass, field
from typing import Any, Final

import structlog
from litestar.types import ASGIApp, Receive, Send
from prometheus_client import Histogram

from chassis import telemetry
from services.gateway.clients import Sender
from services.gateway.settings import GatewaySettings
from services.gateway.web import languages
from services.gateway.web.session import Sealer, SessionJar, parse_cookies

_log = structlog.get_logger("gateway.http")
_REQUEST_ID: Final = re.compile(r"[A-Za-z0-9_-]{8,64}")
_SECONDS = Histogram(
    "tallyport_http_request_seconds",
    "Time from the first to the last byte of a request.",
    ["method", "route", "status"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)
_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
LANGUAGE_COOKIE: Final = "lang"
THEME_COOKIE: Final = "theme"
_YEAR_SECONDS: Final = 31_536_000


@dataclass(slots=True)
class Exchange:
    """What belongs to one request beside the framework's own objects."""

    request_id: str
    headers: dict[str, str]
    cookies: dict[str, str]
    jar: SessionJar
    client_address: str
    secure: bool
    language: languages.Language = languages.ENGLISH
    extra_headers: list[tuple[str, str]] = field(default_factory=list)

    def sender(self, token: str = "") -> Sender:
        """Calls in the name of this request."""
        return Sender(
            request_id=self.request_id,
            locale=self.language.tag,
            token=token,
            client_address=self.client_address,
        )

    def remember(self, name: str, value: str) -> None:
        """A preference that is no secret: language or theme, for a year."""
        secure = "; Secure" if self.secure else ""
        cookie = f"{name}={value}; Path=/; Max-Age={_YEAR_SECONDS}; SameSite=Lax; HttpOnly{secure}"
        self.extra_headers.append(("Set-Cookie", cookie))


class ExchangeMiddleware:
    """Outermost: everything inside may rely on `scope["tallyport"]`."""

    def __init__(self, app: ASGIApp, settings: GatewaySettings, sealer: Sealer) -> None:
        self._app = app
        self._settings = settings
        self._sealer = sealer
        self._page_headers = _security_headers(settings)

    async def __call__(self, scope: Any, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        exchange = self._exchange(scope)
        given = [(name, value) for name, value in scope["headers"] if name != b"x-request-id"]
        scope = dict(
            scope, headers=[*given, (b"x-request-id", exchange.request_id.encode())], tallyport=exchange
        )
        began = time.perf_counter()
        status = 500

        async def send_with_headers(message: Any) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                self._add_headers(message, exchange)
            await send(message)

        method = scope["method"] if scope["method"] in _METHODS else "OTHER"
        parent = telemetry.extract(exchange.headers)
        with telemetry.remote_span(method, parent) as traced:
            try:
                await self._app(scope, receive, send_with_headers)
            finally:
                route = _route_of(scope)
                seconds = time.perf_counter() - began
                traced.span.update_name(f"{method} {route}")
                traced.span.set_attribute("http.request.method", method)
                traced.span.set_attribute("http.route", route)
                traced.span.set_attribute("http.response.status_code", status)
                _SECONDS.labels(method, route, str(status)).observe(seconds)
                _log.info(
                    "request",
                    method=method,
                    route=route,
                    status=status,
                    milliseconds=round(seconds * 1000, 1),
                    request_id=exchange.request_id,
                )

    def _exchange(self, scope: Any) -> Exchange:
        headers = {
            name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]
        }
        given = headers.get("x-request-id", "")
        cookies = parse_cookies(headers.get("cookie", ""))
        return Exchange(
            request_id=given if _REQUEST_ID.fullmatch(given) else uuid.uuid4().hex,
            headers=headers,
            cookies=cookies,
            jar=SessionJar(self._sealer, cookies, secure=self._settings.secure),
            client_address=self._client_address(scope, headers),
            secure=self._settings.secure,
        )

    def _client_address(self, scope: Any, headers: dict[str, str]) -> str:
        hops = self._settings.proxy_hops
        forwarded = [part.strip() for part in headers.get("x-forwarded-for", "").split(",") if part.strip()]
        if hops and len(forwarded) >= hops:
            return forwarded[-hops][:64]
        client = scope.get("client")
        return str(client[0]) if client else ""

    def _add_headers(self, message: MutableMapping[str, Any], exchange: Exchange) -> None:
        headers: list[tuple[bytes, bytes]] = list(message.get("headers", []))
        present = {name.lower() for name, _ in headers}
        for name, value in self._page_headers:
            if name not in present:
                headers.append((name, value))
        if b"x-request-id" not in present:
            headers.append((b"x-request-id", exchange.request_id.encode()))
        own = [("set-cookie", cookie) for cookie in exchange.jar.set_cookie_headers()]
        headers += [(name.lower().encode(), value.encode()) for name, value in own + exchange.extra_headers]
        message["headers"] = headers


def _route_of(scope: Any) -> str:
    template = scope.get("path_template")
    return str(template) if template else "unmatched"


def _security_headers(settings: GatewaySettings) -> list[tuple[bytes, bytes]]:
    checkout = f" {settings.checkout_origin}" if settings.checkout_origin else ""
    policy = (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
        f"form-action 'self'{checkout}; frame-ancestors 'none'; base-uri 'none'"
    )
    headers = [
        ("content-security-policy", policy),
        ("x-content-type-options", "nosniff"),
        ("referrer-policy", "same-origin"),
        ("cross-origin-opener-policy", "same-origin"),
        ("cross-origin-resource-policy", "same-origin"),
        ("permissions-policy", "camera=(), geolocation=(), microphone=(), payment=()"),
        ("cache-control", "no-store"),
    ]
    if settings.secure:
        headers.append(("strict-transport-security", "max-age=63072000; includeSubDomains"))
    return [(name.encode(), value.encode()) for name, value in headers]

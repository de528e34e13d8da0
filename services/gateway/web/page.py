"""One page being made: who is looking, on whose behalf calls go out, and how the answer is built.

A handler takes `page: Page` and gets it from one of the openers below, by which the area decides who may look.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeAlias, TypeVar
from urllib.parse import quote, urlencode, urlsplit
from zoneinfo import ZoneInfo

from google.protobuf.message import Message
from litestar import Request, Response
from litestar.di import NamedDependency

from chassis.clock import Clock
from chassis.errors import Kind, ServiceError
from chassis.ids import new_uuid7
from services.gateway.clients import Sender, Services
from services.gateway.revocations import Revocations
from services.gateway.settings import GatewaySettings
from services.gateway.web import csrf, languages
from services.gateway.web.assets import Assets
from services.gateway.web.badges import Badges
from services.gateway.web.brand import PLAIN, Look, Looks
from services.gateway.web.exchange import LANGUAGE_COOKIE, THEME_COOKIE, Exchange
from services.gateway.web.forms import FieldErrors, Form
from services.gateway.web.organizations import Organizations
from services.gateway.web.rendering import Templates
from services.gateway.web.renewal import Renewal
from services.gateway.web.session import Area, Session
from services.gateway.web.test_times import Stopped, TestTimes
from tallyport.identity.v1.organizations_pb2 import Organization

Asked = TypeVar("Asked", bound=Message)
Answered = TypeVar("Answered", bound=Message)
THEMES = ("auto", "light", "dark")
_PREFERENCES = frozenset({"lang", "theme"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """What all pages of a process share; `app.state.site`."""

    settings: GatewaySettings
    services: Services
    assets: Assets
    templates: Templates
    looks: Looks
    organizations: Organizations
    badges: Badges
    test_times: TestTimes
    renewal: Renewal
    revocations: Revocations
    clock: Clock


class SignInRequired(Exception):
    """Nobody is signed in, or no longer."""

    def __init__(self, area: Area) -> None:
        super().__init__(area)
        self.area = area


class OpenPage:
    """The page of one request. Handlers and helpers name it `Page`."""

    def __init__(self, request: Request[Any, Any, Any], site: Site, area: Area) -> None:
        self.request = request
        self.site = site
        self.area = area
        self.to = site.services
        self.exchange: Exchange = request.scope["tallyport"]  # type: ignore[typeddict-item]
        self.form = Form()
        self.look: Look = PLAIN
        self.waiting_lines = 0
        self.books_frozen = False
        self.stopped: Stopped | None = None
        self._organization: Organization | None = None
        theme = self.exchange.cookies.get(THEME_COOKIE, "auto")
        self._theme = theme if theme in THEMES else "auto"

    @property
    def session(self) -> Session:
        return self.exchange.jar.open(self.area)

    @property
    def language(self) -> languages.Language:
        return self.exchange.language

    @property
    def sender(self) -> Sender:
        return self.exchange.sender(self.session.access_token)

    async def call(
        self,
        method: Callable[[Asked], Awaitable[Answered]],
        request: Asked,
        *,
        idempotency_key: str | None = None,
    ) -> Answered:
        """Calls a service as the person who looks: `await page.call(page.to.invoices.GetInvoice, ...)`."""
        return await self.sender.call(method, request, idempotency_key=idempotency_key)

    async def organization(self) -> Organization:
        """The visitor's organization, kept for a minute in this process."""
        if self._organization is None:
            self._organization = await self.site.organizations.of(self.session.organization_id, self.sender)
        return self._organization

    async def today(self) -> str:
        """Today in the organization's zone, ISO 8601."""
        zone = (await self.organization()).time_zone or "UTC"
        return self.now().astimezone(ZoneInfo(zone)).date().isoformat()

    def now(self) -> datetime:
        """The time of the visitor's organization: its test clock's, if it has one."""
        return self.site.clock.now() if self.stopped is None else self.stopped.at

    @property
    def time_zone(self) -> str:
        """The organization's zone; UTC until it was asked for."""
        return (self._organization.time_zone if self._organization is not None else "") or "UTC"

    def may(self, permission: str) -> bool:
        """Whether to offer something. The service decides again when it is done."""
        return permission in self.session.permissions

    def query(self, name: str, default: str = "") -> str:
        """A query parameter, shortened to what any of ours can need."""
        return str(self.request.query_params.get(name, default))[:300]

    def new_key(self) -> str:
        """An idempotency key to put into a form when it is shown."""
        return new_uuid7()

    def flash(self, tone: str, text: str) -> None:
        """A sentence shown once, on the next page; tone is good, info, warn or bad."""
        self.session.flashes = [*self.session.flashes[-2:], [tone, text]]

    def redirect(self, to: str) -> Response[str]:
        """See other: after every form that changed something."""
        return Response("", status_code=303, headers={"Location": to})

    def document(self, content: bytes, *, media_type: str, file_name: str) -> Response[bytes]:
        """A file to save."""
        return Response(content, media_type=media_type, headers=attachment(file_name), status_code=200)

    def render(self, template: str, *, status: int = 200, **data: Any) -> Response[str]:
        """The page as HTML. `errors` (FieldErrors) may be left out."""
        flashes = self.session.flashes
        if flashes:
            self.session.flashes = []
        data.setdefault("errors", FieldErrors())
        text = self.site.templates.render(
            template,
            self.language,
            page=self,
            form=self.form,
            session=self.session,
            look=self.look,
            flashes=flashes,
            theme=self.theme,
            path=self.request.url.path,
            **data,
        )
        return Response(text, status_code=status, media_type="text/html")

    @property
    def theme(self) -> str:
        return self._theme

    @property
    def address(self) -> str:
        """Path and query of this page, for forms that come back to it."""
        query = self.request.url.query
        return self.request.url.path + (f"?{query}" if query else "")

    def with_query(self, **changed: str) -> str:
        """This page's address with other query parameters; an empty one is left out."""
        kept = {name: str(value) for name, value in self.request.query_params.items() if name not in changed}
        pairs = {
            name: value for name, value in (kept | changed).items() if value and name not in _PREFERENCES
        }
        pairs |= {name: value for name, value in changed.items() if value}
        return self.request.url.path + (f"?{urlencode(pairs)}" if pairs else "")

    def _choose(self) -> None:
        theme = self.request.query_params.get("theme")
        if theme in THEMES:
            self._theme = theme
            self.exchange.remember(THEME_COOKIE, theme)
        chosen = self.exchange.cookies.get(LANGUAGE_COOKIE)
        asked = languages.language_of(self.request.query_params.get("lang"))
        if asked is not None:
            self.exchange.remember(LANGUAGE_COOKIE, asked.tag)
            chosen = asked.tag
        organization = self._organization.locale if self._organization is not None else None
        self.exchange.language = languages.choose(
            chosen=chosen,
            person=self.session.locale or None,
            accepted=self.exchange.headers.get("accept-language", ""),
            organization=organization,
        )
        languages.use(self.exchange.language)


Page: TypeAlias = NamedDependency[OpenPage]
"""How a handler asks for its page."""


def attachment(file_name: str) -> dict[str, str]:
    """The headers of a file to save."""
    plain = "".join(c for c in file_name if c.isascii() and c.isprintable() and c not in '"\\/') or "file"
    disposition = f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(file_name, safe='')}"
    return {"Content-Disposition": disposition, "Content-Security-Policy": "sandbox"}


def local_path(text: str, default: str = "/") -> str:
    """A path on this site to go on to; anything else becomes the default."""
    parts = urlsplit(text)
    safe = (
        text.startswith("/") and not text.startswith(("//", "/\\")) and not parts.scheme and not parts.netloc
    )
    return text if safe and "\n" not in text and "\r" not in text and len(text) < 500 else default


def new_page(request: Request[Any, Any, Any], area: Area) -> OpenPage:
    """A page without any check, for error pages."""
    page = OpenPage(request, request.app.state.site, area)
    page._choose()
    return page


async def _open(request: Request[Any, Any, Any], area: Area, *, signed_in: bool) -> OpenPage:
    page = new_page(request, area)
    origin = page.site.settings.origin
    csrf.check_origin(request.method, page.exchange.headers, origin)
    if request.method not in csrf.SAFE_METHODS:
        page.form = Form.of((await request.form()).multi_items())
    if signed_in and not page.session.signed_in:
        raise SignInRequired(area)
    if request.method not in csrf.SAFE_METHODS:
        csrf.check_token(page.session, page.form.text(csrf.FIELD))
    if signed_in:
        await _renew(page)
        if page.site.revocations.includes(page.session.access_token):
            page.exchange.jar.clear(area)
            raise SignInRequired(area)
        page.stopped = await page.site.test_times.of(page.session.organization_id, page.sender)
        if page.stopped is not None:
            await page.organization()  # its zone is needed to tell the time
    slug = page.session.slug or page.query("org") or page.site.settings.default_organization
    page.look = await page.site.looks.of(slug, page.exchange.sender()) or PLAIN
    return page


async def _renew(page: OpenPage) -> None:
    try:
        renewed = await page.site.renewal.renewed(page.area, page.session, page.exchange.sender())
    except ServiceError as error:
        if error.kind in (Kind.UNAUTHENTICATED, Kind.PERMISSION_DENIED, Kind.NOT_FOUND):
            page.exchange.jar.clear(page.area)
            raise SignInRequired(page.area) from error
        if page.session.access_expires_at <= time.time():
            raise
        return
    if renewed is not None:
        page.exchange.jar.replace(page.area, renewed)


async def public_page(request: Request[Any, Any, Any]) -> OpenPage:
    """Opens a page that anybody may see."""
    return await _open(request, Area.CUSTOMER, signed_in=False)


async def customer_page(request: Request[Any, Any, Any]) -> OpenPage:
    """Opens a page for people of a customer; others are asked to sign in."""
    return await _open(request, Area.CUSTOMER, signed_in=True)


async def staff_sign_in_page(request: Request[Any, Any, Any]) -> OpenPage:
    """Opens the staff's sign-in page."""
    return await _open(request, Area.STAFF, signed_in=False)


async def staff_page(request: Request[Any, Any, Any]) -> OpenPage:
    """Opens a page for staff; others are asked to sign in."""
    page = await _open(request, Area.STAFF, signed_in=True)
    page.waiting_lines, page.books_frozen = await asyncio.gather(
        page.site.badges.waiting_lines(page.session, page.sender),
        page.site.badges.books_frozen(page.session, page.sender),
    )
    return page


async def pay_link_page(request: Request[Any, Any, Any]) -> OpenPage:
    """Opens a page for the holder of a pay link."""
    return await _open(request, Area.PAY_LINK, signed_in=True)

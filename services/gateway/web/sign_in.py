"""Signing in and out, the same for customers and staff; each has its own door."""

from collections.abc import Callable
from dataclasses import dataclass

from litestar import Response

from chassis.errors import Kind, ServiceError
from services.gateway.web import problems
from services.gateway.web.failures import problem_page
from services.gateway.web.languages import gettext as _
from services.gateway.web.page import Page, local_path
from services.gateway.web.renewal import session_of
from tallyport.identity.v1.sessions_pb2 import LoginRequest, LogoutRequest

_REFUSED = (Kind.UNAUTHENTICATED, Kind.PERMISSION_DENIED, Kind.NOT_FOUND, Kind.INVALID_ARGUMENT)


@dataclass(frozen=True, slots=True)
class Door:
    """Where one kind of people signs in. `wrong_door` tells the others, in the visitor's language."""

    kind: str
    home: str
    path: str
    wrong_door: Callable[[], str]

    def inside(self, path: str) -> str:
        """A path behind this door that a visitor may be sent to; anything else becomes its home."""
        path = local_path(path, self.home)
        return path if path.startswith(self.home.rstrip("/") + "/") else self.home


def show(page: Page, door: Door) -> Response[str]:
    """The form; who is signed in already goes on."""
    return page.redirect(door.home) if page.session.signed_in else _form(page, door)


async def submit(page: Page, door: Door) -> Response[str]:
    """A new session, never the old one with a person in it."""
    slug = page.form.text("organization") or page.look.slug
    page.look = await page.site.looks.of(slug, page.sender) or page.look
    email = page.form.text("email")
    request = LoginRequest(
        organization_slug=page.look.slug,
        email=email[:254],
        password=page.form.secret("password")[:128],
        device=page.exchange.headers.get("user-agent", "")[:300],
        network_address=page.exchange.client_address,
    )
    try:
        tokens = await page.exchange.sender().call(page.to.sessions.Login, request)
    except ServiceError as error:
        if error.kind is Kind.RESOURCE_EXHAUSTED:
            return _form(page, door, email=email, refused=problems.sentence(error), status=429)
        if error.kind not in _REFUSED:
            raise
        wrong = _("The e-mail address or the password is not right.")
        return _form(page, door, email=email, refused=wrong, status=422)
    if tokens.me.kind != door.kind:
        return _form(page, door, email=email, refused=door.wrong_door(), status=422)
    page.exchange.jar.replace(page.area, session_of(tokens, page.look.slug))
    return page.redirect(door.inside(page.form.text("next")))


async def sign_out(page: Page, door: Door) -> Response[str]:
    """Ends the session here and at identity; another kind's session in the same browser stays."""
    slug = page.session.slug
    try:
        await page.call(page.to.sessions.Logout, LogoutRequest())
    except ServiceError as error:
        if error.kind not in (Kind.UNAUTHENTICATED, Kind.NOT_FOUND):
            raise
    page.exchange.jar.clear(page.area)
    page.flash("good", _("You are signed out."))
    return page.redirect(f"{door.path}?org={slug}" if slug else door.path)


def _form(page: Page, door: Door, *, email: str = "", refused: str = "", status: int = 200) -> Response[str]:
    if not page.look.slug:
        return problem_page(page, 404, _("Please use the address that you were given to sign in."))
    return page.render(
        "sign_in.html",
        status=status,
        email=email,
        refused=refused,
        next_path=door.inside(page.form.text("next") or page.query("next")),
        action=door.path,
        staff=door.kind == "staff",
    )

"""Staff signing in and out. Their session is a cookie of its own, beside a customer's."""

from litestar import Response, get, post

from chassis.errors import Kind, ServiceError
from services.gateway.web import problems
from services.gateway.web.failures import problem_page
from services.gateway.web.languages import gettext as _
from services.gateway.web.page import Page, local_path
from services.gateway.web.renewal import session_of
from tallyport.identity.v1.sessions_pb2 import LoginRequest, LogoutRequest

HOME = "/console"
_REFUSED = (Kind.UNAUTHENTICATED, Kind.PERMISSION_DENIED, Kind.NOT_FOUND, Kind.INVALID_ARGUMENT)


def _inside(path: str) -> str:
    path = local_path(path, HOME)
    return path if path.startswith(f"{HOME}/") else HOME


def _form(page: Page, *, email: str = "", refused: str = "", status: int = 200) -> Response[str]:
    if not page.look.slug:
        return problem_page(page, 404, _("Please use the address that you were given to sign in."))
    return page.render(
        "sign_in.html",
        status=status,
        email=email,
        refused=refused,
        next_path=_inside(page.form.text("next") or page.query("next")),
        action="/console/login",
        staff=True,
    )


@get("/login", name="console.sign_in")
async def show(page: Page) -> Response[str]:
    """The form; who is signed in already goes on."""
    if page.session.signed_in:
        return page.redirect(HOME)
    return _form(page)


@post("/login", name="console.sign_in.submit")
async def submit(page: Page) -> Response[str]:
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
            return _form(page, email=email, refused=problems.sentence(error), status=429)
        if error.kind not in _REFUSED:
            raise
        wrong = _("The e-mail address or the password is not right.")
        return _form(page, email=email, refused=wrong, status=422)
    if tokens.me.kind != "staff":
        customer = _("This is the staff's page. Customers sign in on the page where they see their invoices.")
        return _form(page, email=email, refused=customer, status=422)
    page.exchange.jar.replace(page.area, session_of(tokens, page.look.slug))
    return page.redirect(_inside(page.form.text("next")))


@post("/logout", name="console.sign_out")
async def sign_out(page: Page) -> Response[str]:
    """Ends the session here and at identity; a customer's session in the same browser stays."""
    slug = page.session.slug
    try:
        await page.call(page.to.sessions.Logout, LogoutRequest())
    except ServiceError as error:
        if error.kind not in (Kind.UNAUTHENTICATED, Kind.NOT_FOUND):
            raise
    page.exchange.jar.clear(page.area)
    page.flash("good", _("You are signed out."))
    return page.redirect(f"/console/login?org={slug}" if slug else "/console/login")

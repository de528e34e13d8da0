"""Staff signing in and out. Their session is a cookie of its own, beside a customer's."""

from litestar import Response, get, post

from services.gateway.web import sign_in
from services.gateway.web.languages import gettext as _
from services.gateway.web.page import Page
from services.gateway.web.sign_in import Door

DOOR = Door(
    kind="staff",
    home="/console",
    path="/console/login",
    wrong_door=lambda: _(
        "This is the staff's page. Customers sign in on the page where they see their invoices."
    ),
)


@get("/login", name="console.sign_in")
async def show(page: Page) -> Response[str]:
    """The form."""
    return sign_in.show(page, DOOR)


@post("/login", name="console.sign_in.submit")
async def submit(page: Page) -> Response[str]:
    """Sign in."""
    return await sign_in.submit(page, DOOR)


@post("/logout", name="console.sign_out")
async def sign_out(page: Page) -> Response[str]:
    """Sign out; a customer's session in the same browser stays."""
    return await sign_in.sign_out(page, DOOR)

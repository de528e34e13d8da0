"""Customers signing in and out."""

from litestar import Response, get, post

from services.gateway.web import sign_in
from services.gateway.web.languages import gettext as _
from services.gateway.web.page import Page
from services.gateway.web.sign_in import Door

DOOR = Door(
    kind="customer",
    home="/",
    path="/login",
    wrong_door=lambda: _("This is the customers' page. Staff sign in at the console."),
)


@get("/login", name="portal.sign_in")
async def show(page: Page) -> Response[str]:
    """The form."""
    return sign_in.show(page, DOOR)


@post("/login", name="portal.sign_in.submit")
async def submit(page: Page) -> Response[str]:
    """Sign in."""
    return await sign_in.submit(page, DOOR)


@post("/logout", name="portal.sign_out")
async def sign_out(page: Page) -> Response[str]:
    """Sign out, and leave nothing in the browser."""
    answer = await sign_in.sign_out(page, DOOR)
    answer.headers["Clear-Site-Data"] = '"cache", "storage"'
    return answer

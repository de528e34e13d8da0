"""A staff person's own account: role in words, password, sessions, language and look."""

from litestar import Response, get, post
from litestar.params import FromPath

from chassis.errors import Kind, ServiceError
from services.gateway.web import problems
from services.gateway.web.devices import device_name
from services.gateway.web.forms import FieldErrors
from services.gateway.web.languages import gettext as _
from services.gateway.web.page import Page
from tallyport.identity.v1.people_pb2 import ChangePasswordRequest
from tallyport.identity.v1.sessions_pb2 import ListSessionsRequest, RevokeSessionRequest

SHORTEST_PASSWORD_CHARACTERS = 15
LONGEST_PASSWORD_CHARACTERS = 128


def _abilities(page: Page) -> list[tuple[str, bool]]:
    """What the role allows, so that nobody must find out by trying."""
    named = {
        "invoices.write": _("Write, send and void invoices, import files"),
        "customers.write": _("Add and change customers"),
        "payments.record": _("Record payments"),
        "messages.write": _("Send mails again"),
        "people.write": _("Add and bar people"),
        "api_keys.write": _("Make and revoke API keys"),
    }
    return [(words, page.may(permission)) for permission, words in named.items()]


async def _form(page: Page, *, errors: FieldErrors | None = None) -> Response[str]:
    answer = await page.call(page.to.sessions.ListSessions, ListSessionsRequest())
    organization = await page.organization()
    return page.render(
        "console_account.html",
        status=422 if errors else 200,
        sessions=answer.sessions,
        device_name=device_name,
        abilities=_abilities(page),
        zone=organization.time_zone or "UTC",
        shortest=SHORTEST_PASSWORD_CHARACTERS,
        errors=errors or FieldErrors(),
    )


@get("/account", name="console.account")
async def show(page: Page) -> Response[str]:
    """All on one page."""
    return await _form(page)


@post("/account/password", name="console.account.password")
async def change_password(page: Page) -> Response[str]:
    """The new password must be long; nothing else is asked of it."""
    new = page.form.secret("new_password")
    if not SHORTEST_PASSWORD_CHARACTERS <= len(new) <= LONGEST_PASSWORD_CHARACTERS:
        words = _("At least %(count)s characters, please: a short sentence is easy to remember.")
        return await _form(
            page, errors=FieldErrors(new_password=words % {"count": SHORTEST_PASSWORD_CHARACTERS})
        )
    request = ChangePasswordRequest(
        current_password=page.form.secret("current_password")[:128], new_password=new
    )
    try:
        await page.call(page.to.people.ChangePassword, request)
    except ServiceError as error:
        if error.kind not in (Kind.FAILED_PRECONDITION, Kind.INVALID_ARGUMENT, Kind.PERMISSION_DENIED):
            raise
        errors = FieldErrors.of(error) or FieldErrors(current_password=problems.sentence(error))
        return await _form(page, errors=errors)
    page.flash("good", _("Your password is changed. All other sessions have ended."))
    return page.redirect("/console/account")


@post("/account/sessions/{session_id:str}/end", name="console.account.end_session")
async def end_session(page: Page, session_id: FromPath[str]) -> Response[str]:
    """Signs one other device out."""
    await page.call(page.to.sessions.RevokeSession, RevokeSessionRequest(session_id=session_id))
    page.flash("good", _("That session has ended."))
    return page.redirect("/console/account")

"""The visitor's own account: password, sessions, language and look."""

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


async def _form(page: Page, *, errors: FieldErrors | None = None, status: int = 200) -> Response[str]:
    answer = await page.call(page.to.sessions.ListSessions, ListSessionsRequest())
    return page.render(
        "account.html",
        status=status,
        sessions=answer.sessions,
        device_name=device_name,
        organization=await page.organization(),
        shortest=SHORTEST_PASSWORD_CHARACTERS,
        errors=errors or FieldErrors(),
        base="/account",
    )


@get("/account", name="portal.account")
async def show(page: Page) -> Response[str]:
    """All on one page."""
    return await _form(page)


@post("/account/password", name="portal.account.password")
async def change_password(page: Page) -> Response[str]:
    """The new password must be long; nothing else is asked of it."""
    new = page.form.secret("new_password")
    if not SHORTEST_PASSWORD_CHARACTERS <= len(new) <= LONGEST_PASSWORD_CHARACTERS:
        words = _("At least %(count)s characters, please: a short sentence is easy to remember.")
        errors = FieldErrors(new_password=words % {"count": SHORTEST_PASSWORD_CHARACTERS})
        return await _form(page, errors=errors, status=422)
    request = ChangePasswordRequest(
        current_password=page.form.secret("current_password")[:128], new_password=new
    )
    try:
        await page.call(page.to.people.ChangePassword, request)
    except ServiceError as error:
        if error.kind not in (Kind.FAILED_PRECONDITION, Kind.INVALID_ARGUMENT, Kind.PERMISSION_DENIED):
            raise
        errors = FieldErrors.of(error) or FieldErrors(current_password=problems.sentence(error))
        return await _form(page, errors=errors, status=422)
    page.flash("good", _("Your password is changed. All other sessions have ended."))
    return page.redirect("/account")


@post("/account/sessions/{session_id:str}/end", name="portal.account.end_session")
async def end_session(page: Page, session_id: FromPath[str]) -> Response[str]:
    """Signs one other device out."""
    await page.call(page.to.sessions.RevokeSession, RevokeSessionRequest(session_id=session_id))
    page.flash("good", _("That session has ended."))
    return page.redirect("/account")


@post("/account/sessions/end-others", name="portal.account.end_others")
async def end_other_sessions(page: Page) -> Response[str]:
    """Signs all other devices out."""
    answer = await page.call(page.to.sessions.ListSessions, ListSessionsRequest())
    for session in answer.sessions:
        if not session.current:
            request = RevokeSessionRequest(session_id=session.session_id)
            await page.call(page.to.sessions.RevokeSession, request)
    page.flash("good", _("All other sessions have ended."))
    return page.redirect("/account")

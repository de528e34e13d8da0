"""What people see when a page cannot be made: always a page, always with the number to quote."""

from typing import Any
from urllib.parse import urlencode

import structlog
from litestar import Request, Response
from litestar.exceptions import HTTPException

from chassis.errors import Kind, ServiceError
from services.gateway.http_status import page_status_of
from services.gateway.web import problems
from services.gateway.web.page import Page, SignInRequired, new_page
from services.gateway.web.session import Area

_log = structlog.get_logger("gateway.pages")


def problem_page(page: Page, status: int, text: str) -> Response[str]:
    """The page for a refusal. It makes no call of its own, since calls may be what fails."""
    return page.render(
        "problem.html",
        status=status,
        code=status,
        heading=problems.title(status),
        text=text,
        request_id=page.exchange.request_id,
        again=status in (429, 503, 504) and page.request.method == "GET",
    )


def _page(request: Request[Any, Any, Any]) -> Page:
    page = new_page(request, area_of(request.url.path))
    page.look = page.site.looks.known(page.session.slug or page.site.settings.default_organization)
    return page


def area_of(path: str) -> Area:
    """To whom a path belongs."""
    if path == "/console" or path.startswith("/console/"):
        return Area.STAFF
    return Area.PAY_LINK if path.startswith("/l/") else Area.CUSTOMER


def on_service_error(request: Request[Any, Any, Any], error: ServiceError) -> Response[str]:
    """A refusal that the page itself did not expect."""
    page = _page(request)
    if error.kind is Kind.UNAUTHENTICATED:
        page.exchange.jar.clear(page.area)
        return on_sign_in_required(request, SignInRequired(page.area))
    status = page_status_of(error)
    if status >= 500:
        _log.warning(
            "a page could not be made",
            reason=error.reason,
            request_id=page.exchange.request_id,
            exc_info=error,
        )
    return problem_page(page, status, problems.sentence(error))


def on_http_error(request: Request[Any, Any, Any], error: HTTPException) -> Response[str]:
    """Unknown addresses, too large bodies and the like."""
    page = _page(request)
    status = error.status_code
    if status >= 500:
        return on_defect(request, error)
    unknown = ServiceError(Kind.NOT_FOUND, "NOT_FOUND", "")
    return problem_page(page, status, problems.sentence(unknown) if status == 404 else problems.title(status))


def on_defect(request: Request[Any, Any, Any], error: Exception) -> Response[str]:
    """Ours to mend: logged with everything, shown with nothing but the number."""
    page = _page(request)
    _log.error("defect", request_id=page.exchange.request_id, exc_info=error)
    return problem_page(page, 500, problems.defect())


def on_sign_in_required(request: Request[Any, Any, Any], error: SignInRequired) -> Response[str]:
    """To the sign-in page and back here afterwards; the holder of a pay link needs the link again."""
    page = _page(request)
    if error.area is Area.PAY_LINK:
        return page.render("link_over.html", status=401)
    where = "/console/login" if error.area is Area.STAFF else "/login"
    if error.area is Area.STAFF and page.exchange.headers.get("sec-fetch-site") == "cross-site":
        # The strict cookie stays at home when a link on another site leads here; asked again from here it comes along.
        return page.render("bounce.html")
    if request.method != "GET" or page.address in ("/", "/console"):
        return page.redirect(where)
    return page.redirect(f"{where}?{urlencode({'next': page.address})}")

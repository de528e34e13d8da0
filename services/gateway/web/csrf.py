"""Forms that change something must come from our own pages.

Two independent checks: the browser's word (Sec-Fetch-Site, else Origin) and the session's token in the form.
"""

import hmac
from collections.abc import Mapping

from chassis.errors import Kind, ServiceError
from services.gateway.web.session import Session

FIELD = "csrf"
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


def check_origin(method: str, headers: Mapping[str, str], origin: str) -> None:
    """Refuses a change that the browser says another site began. Raises FORM_FROM_ELSEWHERE."""
    if method in SAFE_METHODS:
        return
    site = headers.get("sec-fetch-site")
    from_us = site in ("same-origin", "none") if site else headers.get("origin", origin) == origin
    if not from_us:
        raise ServiceError(
            Kind.PERMISSION_DENIED, "FORM_FROM_ELSEWHERE", "This request did not come from our own pages."
        )


def check_token(session: Session, token: str) -> None:
    """Refuses a form without this session's token. Raises FORM_OUT_OF_DATE."""
    if not hmac.compare_digest(session.csrf.encode(), token.encode()):
        raise ServiceError(
            Kind.PERMISSION_DENIED, "FORM_OUT_OF_DATE", "This page had been open too long. Please try again."
        )

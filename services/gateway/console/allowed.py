"""What a person's role lets them do, said before they try. The service decides again when they do."""

from chassis.errors import Kind, ServiceError
from services.gateway.web.page import Page


def require(page: Page, permission: str) -> None:
    """For pages that only offer a change. Raises PERMISSION_DENIED, which is a page in words."""
    if not page.may(permission):
        raise ServiceError(Kind.PERMISSION_DENIED, "PERMISSION_DENIED", "Your role does not allow this.")

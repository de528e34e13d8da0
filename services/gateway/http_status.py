"""HTTP statuses of refusals, for the API and for pages alike."""

from collections.abc import Mapping
from typing import Final

from chassis.errors import Kind, ServiceError

STATUS_OF_KIND: Final[Mapping[Kind, int]] = {
    Kind.INVALID_ARGUMENT: 400,
    Kind.UNAUTHENTICATED: 401,
    Kind.PERMISSION_DENIED: 403,
    Kind.NOT_FOUND: 404,
    Kind.ALREADY_EXISTS: 409,
    Kind.FAILED_PRECONDITION: 409,
    Kind.ABORTED: 409,
    Kind.RESOURCE_EXHAUSTED: 429,
    Kind.UNAVAILABLE: 503,
    Kind.DEADLINE_EXCEEDED: 504,
    Kind.INTERNAL: 500,
}
_STATUS_OF_REASON: Final[Mapping[str, int]] = {
    "IDEMPOTENCY_KEY_REUSED": 422,
    "METHOD_NOT_ALLOWED": 405,
    "NOT_ACCEPTABLE": 406,
    "BODY_TOO_LARGE": 413,
    "UNSUPPORTED_MEDIA_TYPE": 415,
}


def status_of(error: ServiceError) -> int:
    """For the API."""
    return _STATUS_OF_REASON.get(error.reason, STATUS_OF_KIND[error.kind])


def page_status_of(error: ServiceError) -> int:
    """For pages: a form whose fields are wrong is well-formed all the same, so it is shown again with 422."""
    return 422 if error.kind is Kind.INVALID_ARGUMENT else STATUS_OF_KIND[error.kind]

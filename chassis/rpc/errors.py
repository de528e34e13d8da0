"""ServiceError to gRPC status and back, by one table. Details travel as google.rpc.Status."""

from collections.abc import Mapping
from typing import Final

import grpc
from google.rpc import error_details_pb2, status_pb2

from chassis.errors import FieldError, Kind, ServiceError

DOMAIN: Final = "tallyport"
DETAILS_KEY: Final = "grpc-status-details-bin"

STATUS_OF: Final[Mapping[Kind, grpc.StatusCode]] = {
    Kind.INVALID_ARGUMENT: grpc.StatusCode.INVALID_ARGUMENT,
    Kind.UNAUTHENTICATED: grpc.StatusCode.UNAUTHENTICATED,
    Kind.PERMISSION_DENIED: grpc.StatusCode.PERMISSION_DENIED,
    Kind.NOT_FOUND: grpc.StatusCode.NOT_FOUND,
    Kind.ALREADY_EXISTS: grpc.StatusCode.ALREADY_EXISTS,
    Kind.FAILED_PRECONDITION: grpc.StatusCode.FAILED_PRECONDITION,
    Kind.ABORTED: grpc.StatusCode.ABORTED,
    Kind.RESOURCE_EXHAUSTED: grpc.StatusCode.RESOURCE_EXHAUSTED,
    Kind.UNAVAILABLE: grpc.StatusCode.UNAVAILABLE,
    Kind.DEADLINE_EXCEEDED: grpc.StatusCode.DEADLINE_EXCEEDED,
    Kind.INTERNAL: grpc.StatusCode.INTERNAL,
}
_KIND_OF: Final = {status: kind for kind, status in STATUS_OF.items()}

_QUERY_CANCELED = "57014"
_TRY_AGAIN_STATES = frozenset({"40001", "40P01", "55P03"})
_AWAY_STATES = frozenset({"57P01", "57P02", "57P03", "53300"})


def to_status(error: ServiceError) -> status_pb2.Status:
    """The wire form: ErrorInfo always, BadRequest for field errors, RetryInfo where a wait is known."""
    status = status_pb2.Status(code=STATUS_OF[error.kind].value[0], message=error.message)
    info = error_details_pb2.ErrorInfo(reason=error.reason, domain=DOMAIN, metadata=error.metadata)
    status.details.add().Pack(info)
    if error.fields:
        violations = [
            error_details_pb2.BadRequest.FieldViolation(
                field=field.field, reason=field.code, description=field.message
            )
            for field in error.fields
        ]
        status.details.add().Pack(error_details_pb2.BadRequest(field_violations=violations))
    if (seconds := error.retry_after_seconds) is not None:
        retry = error_details_pb2.RetryInfo()
        retry.retry_delay.FromNanoseconds(int(seconds * 1e9))
        status.details.add().Pack(retry)
    return status


def from_status(status: status_pb2.Status) -> ServiceError | None:
    """None when the status does not come from one of our services."""
    info: error_details_pb2.ErrorInfo | None = None
    fields: list[FieldError] = []
    for detail in status.details:
        if detail.Is(error_details_pb2.ErrorInfo.DESCRIPTOR):
            found = error_details_pb2.ErrorInfo()
            detail.Unpack(found)
            info = found if found.domain == DOMAIN else info
        elif detail.Is(error_details_pb2.BadRequest.DESCRIPTOR):
            request = error_details_pb2.BadRequest()
            detail.Unpack(request)
            fields.extend(FieldError(v.field, v.reason, v.description) for v in request.field_violations)
    kind = next((k for k, code in STATUS_OF.items() if code.value[0] == status.code), None)
    if info is None or kind is None:
        return None
    error = ServiceError(kind, info.reason, status.message, fields=fields)
    error.metadata.update(info.metadata)
    return error


def from_rpc_error(error: grpc.aio.AioRpcError, service: str) -> ServiceError:
    """What a call to `service` failed with. Failures of the connection itself get reasons of their own."""
    details = _details_bytes(error)
    if details is not None:
        known = from_status(status_pb2.Status.FromString(details))
        if known is not None:
            return known
    # A server that stops cancels what it cannot finish; our own cancelling never arrives here.
    stopped = error.code() is grpc.StatusCode.CANCELLED
    kind = Kind.UNAVAILABLE if stopped else _KIND_OF.get(error.code(), Kind.INTERNAL)
    if kind is Kind.UNAVAILABLE:
        return ServiceError(
            kind, "SERVICE_UNAVAILABLE", "A part of the system cannot be reached just now.", service=service
        )
    if kind is Kind.DEADLINE_EXCEEDED:
        return ServiceError(kind, "DEADLINE_EXCEEDED", "This took longer than allowed.", service=service)
    if kind is Kind.RESOURCE_EXHAUSTED:
        if "larger than max" in (error.details() or ""):
            return ServiceError(kind, "MESSAGE_TOO_LARGE", "The message is too large.", service=service)
        return ServiceError(kind, "OVERLOADED", "Too much is going on just now.", retry_after_seconds="1")
    return ServiceError(
        Kind.INTERNAL,
        "INTERNAL",
        "Something went wrong on our side.",
        service=service,
        status=error.code().name,
    )


def from_exception(error: BaseException) -> ServiceError | None:
    """Failures of the database and time limits as what they mean to the caller; None for a defect.

    Recognized by SQLSTATE and class name, so that no process loads a database driver for this.
    """
    if isinstance(error, ServiceError):
        return error
    if isinstance(error, TimeoutError):
        return ServiceError(Kind.DEADLINE_EXCEEDED, "DEADLINE_EXCEEDED", "This took longer than allowed.")
    cause = getattr(error, "orig", None) or error
    state = getattr(cause, "sqlstate", None)
    classes = {
        cls.__name__ for cls in type(cause).__mro__ if cls.__module__.startswith(("psycopg", "sqlalchemy"))
    }
    if state == _QUERY_CANCELED:
        return ServiceError(Kind.DEADLINE_EXCEEDED, "DEADLINE_EXCEEDED", "This took longer than allowed.")
    if state in _TRY_AGAIN_STATES:
        return ServiceError(
            Kind.ABORTED,
            "TRY_AGAIN",
            "Somebody else changed this just now.",
            retry_after_seconds="1",
        )
    connection_lost = state is None and bool(classes & {"OperationalError", "InterfaceError"})
    if state in _AWAY_STATES or connection_lost or "TimeoutError" in classes:
        return ServiceError(
            Kind.UNAVAILABLE, "DATABASE_UNAVAILABLE", "We cannot do this just now.", retry_after_seconds="2"
        )
    return None


def _details_bytes(error: grpc.aio.AioRpcError) -> bytes | None:
    trailers = error.trailing_metadata()
    if trailers is None:
        return None
    value = trailers.get(DETAILS_KEY)
    return value if isinstance(value, bytes) else None

"""Errors as RFC 9457 problem details."""

from collections.abc import Mapping
from typing import Any, Final

from google.protobuf import json_format

from chassis.errors import FieldError, Kind, ServiceError
from services.gateway.api.codecs import Codecs
from services.gateway.http_status import status_of
from tallyport.payments.v1.payments_pb2 import PaymentPreview

_PREVIEW: Final = Codecs().of(PaymentPreview.DESCRIPTOR)
MEDIA_TYPE: Final = "application/problem+json"

_TITLES: Final[Mapping[int, str]] = {
    400: "The request has errors",
    401: "Not signed in",
    403: "Not allowed",
    404: "Not found",
    405: "Method not allowed",
    406: "Not acceptable",
    409: "Not possible in the present state",
    413: "The request is too large",
    415: "Unsupported media type",
    422: "The key belongs to another request",
    429: "Too many requests",
    500: "Something went wrong on our side",
    503: "Not available just now",
    504: "This took too long",
}


def problem(error: ServiceError, *, request_id: str, public_url: str, instance: str) -> dict[str, Any]:
    """The body of the answer. `code` is stable; `detail` is for people."""
    status = status_of(error)
    code = error.reason.lower()
    doc_url = f"{public_url}/docs/errors#{code}"
    body: dict[str, Any] = {
        "type": doc_url,
        "title": _TITLES.get(status, "Error"),
        "status": status,
        "detail": error.message,
        "instance": instance,
        "code": code,
        "request_id": request_id,
        "doc_url": doc_url,
    }
    if error.fields:
        body["errors"] = [_field(field) for field in error.fields]
    if (preview := _preview(error)) is not None:
        body["preview"] = preview
    extra = {key: value for key, value in error.metadata.items() if key not in body}
    if extra:
        body["metadata"] = extra
    return body


def headers_of(error: ServiceError) -> list[tuple[bytes, bytes]]:
    """Headers that tell a client when to come back or how to sign in."""
    headers: list[tuple[bytes, bytes]] = []
    if (seconds := error.retry_after_seconds) is not None:
        headers.append((b"retry-after", str(max(1, round(seconds))).encode()))
    if error.kind is Kind.UNAUTHENTICATED:
        headers.append((b"www-authenticate", b'Bearer realm="tallyport"'))
    return headers


def _preview(error: ServiceError) -> dict[str, Any] | None:
    """What is true now of a payment whose preview has changed, as `POST /v1/payments:preview` answers it."""
    document = error.metadata.get("preview")
    return _PREVIEW.encode(json_format.Parse(document, PaymentPreview())) if document else None


def _field(field: FieldError) -> dict[str, str]:
    return {"pointer": _pointer(field.field), "code": field.code, "detail": field.message}


def _pointer(path: str) -> str:
    """`parts[0].amount` as `/parts/0/amount`; a pointer stays what it is."""
    if not path or path.startswith("/"):  # an empty one points to the whole
        return path
    return "/" + path.replace("[", "/").replace("]", "").replace(".", "/")

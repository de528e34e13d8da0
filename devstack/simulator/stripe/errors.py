"""Errors as Stripe shapes them: `{"error": {"type", "code", "message", "param", ...}}`."""

from typing import Any

Document = dict[str, Any]


class StripeError(Exception):
    """Ends a request; nothing that it did is kept."""

    def __init__(
        self,
        message: str,
        *,
        status: int = 400,
        kind: str = "invalid_request_error",
        code: str = "",
        param: str = "",
    ) -> None:
        super().__init__(message)
        self.status = status
        self.body = error_body(message, kind=kind, code=code, param=param)


class CardDeclinedError(Exception):
    """Ends a request with 402; what it did is kept, the intent with its last error above all."""

    def __init__(self, error: Document) -> None:
        super().__init__(error["message"])
        self.body = {"error": error}


def error_body(message: str, *, kind: str, code: str = "", param: str = "") -> Document:
    """The document of an error; empty entries stay out, as with Stripe."""
    optional = {"code": code, "param": param}
    return {"error": {"message": message, "type": kind, **{k: v for k, v in optional.items() if v}}}


def missing(kind: str, object_id: str, param: str = "id", *, status: int = 404) -> StripeError:
    """What Stripe says of an id that it does not know."""
    return StripeError(f"No such {kind}: '{object_id}'", status=status, code="resource_missing", param=param)

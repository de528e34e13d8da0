"""The one error type that may cross a service boundary.

Everything that is not a ServiceError is a defect: the boundary answers INTERNAL with an id and logs it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum


class Kind(Enum):
    """What a caller can do about an error; maps one to one to a gRPC status and an HTTP status."""

    INVALID_ARGUMENT = "invalid_argument"
    UNAUTHENTICATED = "unauthenticated"
    PERMISSION_DENIED = "permission_denied"
    NOT_FOUND = "not_found"
    ALREADY_EXISTS = "already_exists"
    FAILED_PRECONDITION = "failed_precondition"
    ABORTED = "aborted"
    RESOURCE_EXHAUSTED = "resource_exhausted"
    UNAVAILABLE = "unavailable"
    DEADLINE_EXCEEDED = "deadline_exceeded"
    INTERNAL = "internal"


@dataclass(frozen=True, slots=True)
class FieldError:
    """One refused field. `field` is a dotted path as in the contract: `allocations[0].amount.currency`."""

    field: str
    code: str
    message: str


class ServiceError(Exception):
    """An expected refusal: `reason` is a stable UPPER_SNAKE word for programs, `message` is safe to show.

    Metadata values are strings and travel to the caller; never put secrets or personal data there.
    """

    def __init__(
        self, kind: Kind, reason: str, message: str, *, fields: Sequence[FieldError] = (), **metadata: str
    ) -> None:
        super().__init__(f"{reason}: {message}")
        self.kind = kind
        self.reason = reason
        self.message = message
        self.fields = tuple(fields)
        self.metadata = metadata

    @property
    def retry_after_seconds(self) -> float | None:
        """How long to wait before another try, if whoever raised it knew."""
        text = self.metadata.get("retry_after_seconds")
        try:
            return float(text) if text is not None else None
        except ValueError:
            return None


def not_found(noun: str) -> ServiceError:
    """The answer for what does not exist and for what belongs to somebody else: they look the same."""
    reason = f"{noun.upper().replace(' ', '_')}_NOT_FOUND"
    return ServiceError(Kind.NOT_FOUND, reason, f"There is no such {noun.replace('_', ' ')}.")


def invalid(field: str, code: str, message: str) -> ServiceError:
    """One wrong field that only the operation could notice; reported like the contract's own field rules."""
    return ServiceError(
        Kind.INVALID_ARGUMENT, "VALIDATION_FAILED", message, fields=(FieldError(field, code, message),)
    )

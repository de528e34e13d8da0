"""Where a page of a list ends, as the token that callers hand back. Lists are ordered by moment and id."""

import base64
import binascii
from datetime import UTC, datetime, timedelta

from chassis.errors import invalid

DEFAULT_PAGE_SIZE = 25
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
Position = tuple[datetime, str]
"""Moment and id of the last thing shown: the newest come first."""


def write_token(position: Position) -> str:
    """The token of what follows a position."""
    microseconds = (position[0] - _EPOCH) // timedelta(microseconds=1)
    return base64.urlsafe_b64encode(f"{microseconds} {position[1]}".encode()).decode().rstrip("=")


def read_token(token: str) -> Position | None:
    """The position; None for an empty token. ServiceError for one that we did not write."""
    if not token:
        return None
    try:
        text = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)).decode()
        microseconds, _, last_id = text.partition(" ")
        return _EPOCH + timedelta(microseconds=int(microseconds)), last_id
    except (ValueError, binascii.Error, OverflowError):
        raise invalid(
            "page_token", "unknown", "This page does not exist. Please start from the first."
        ) from None

"""Page tokens of lists that are ordered by a moment and an id, the newest first."""

import base64
import binascii
from datetime import UTC, datetime, timedelta

from chassis.errors import invalid

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def write_position(moment: datetime, row_id: str) -> str:
    """The token of what follows a row. Microseconds are kept, as in the database."""
    microseconds = (moment - _EPOCH) // timedelta(microseconds=1)
    return base64.urlsafe_b64encode(f"{microseconds} {row_id}".encode()).decode().rstrip("=")


def read_position(token: str) -> tuple[datetime, str]:
    """The row after which a page begins. INVALID_ARGUMENT for a token that is not one of ours."""
    try:
        text = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)).decode()
        microseconds, _, row_id = text.partition(" ")
        return _EPOCH + timedelta(microseconds=int(microseconds)), row_id
    except (ValueError, binascii.Error, OverflowError):
        raise invalid(
            "page_token", "unknown", "This page does not exist. Please start from the first."
        ) from None

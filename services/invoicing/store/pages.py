"""Pages of lists: each begins after the last row of the one before, whose place is an opaque text."""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TypeVar

from chassis.errors import ServiceError, invalid

T = TypeVar("T")


def page_of(
    found: Sequence[T], page_size: int, scope: str, place: Callable[[T], tuple[str, str]]
) -> tuple[list[T], str]:
    """The page and the token of the next one, of what was found when one more than a page was asked for."""
    if len(found) <= page_size:
        return [*found], ""
    page = [*found[:page_size]]
    return page, encode_page_token(scope, *place(page[-1]))


def encode_page_token(*values: str) -> str:
    """The place after a row as an opaque text."""
    return urlsafe_b64encode(json.dumps(values).encode()).rstrip(b"=").decode()


def decode_page_token(token: str, scope: str) -> list[str] | None:
    """The values behind `scope`, None for the first page; VALIDATION_FAILED for a token of another list."""
    if not token:
        return None
    try:
        values = json.loads(urlsafe_b64decode(token.encode() + b"=" * (-len(token) % 4)))
        if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
            raise ValueError("not a list of texts")
        if len(values) != 3 or values[0] != scope:
            raise ValueError("of another list")
    except ValueError:
        raise _of_another_list() from None
    return values[1:]


def moment_of(token_part: str) -> datetime:
    """The moment in a page token; VALIDATION_FAILED for anything else."""
    try:
        return datetime.fromisoformat(token_part)
    except ValueError:
        raise _of_another_list() from None


def _of_another_list() -> ServiceError:
    return invalid("page_token", "page_token", "This page token is not of this list.")

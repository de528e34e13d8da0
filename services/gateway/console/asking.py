"""Asking a service in a way that lets the rest of the page stand when it is away."""

from collections.abc import Awaitable
from typing import TypeVar

from chassis.errors import Kind, ServiceError

Answered = TypeVar("Answered")
_AWAY = (Kind.UNAVAILABLE, Kind.DEADLINE_EXCEEDED)
REFUSALS = (
    Kind.INVALID_ARGUMENT,
    Kind.FAILED_PRECONDITION,
    Kind.ALREADY_EXISTS,
    Kind.ABORTED,
    Kind.RESOURCE_EXHAUSTED,
)
"""What a form answers itself, with what was entered still in it."""


async def if_there(answer: Awaitable[Answered]) -> Answered | None:
    """The answer; None while the service cannot be reached."""
    try:
        return await answer
    except ServiceError as error:
        if error.kind in _AWAY:
            return None
        raise


async def if_found(answer: Awaitable[Answered]) -> Answered | None:
    """The answer; None as well when there is nothing under that id."""
    try:
        return await if_there(answer)
    except ServiceError as error:
        if error.kind is Kind.NOT_FOUND:
            return None
        raise

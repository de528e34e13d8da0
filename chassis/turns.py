"""Whose work a job looks for: everybody's on the machine's clock, or one organization's on its test clock.

A job asks `Database.sweep()` for what is due by `tx.now()` and knows nothing of test clocks: the chassis runs it once
for all organizations that live by the machine's clock, and once for each that has a clock of its own.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Turn:
    """One run of a job. Without an organization it is for all that have no test clock."""

    organization_id: str | None = None


OTHERS = Turn()
"""All organizations without a test clock."""

_turn: ContextVar[Turn | None] = ContextVar("tallyport_turn", default=None)


def current_turn() -> Turn | None:
    """The turn being run; None outside of jobs, where a sweep sees every organization."""
    return _turn.get()


@contextmanager
def turn_scope(turn: Turn) -> Iterator[None]:
    """What runs in the block looks for this turn's work only."""
    token = _turn.set(turn)
    try:
        yield
    finally:
        _turn.reset(token)

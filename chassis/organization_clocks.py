"""Test clocks as each service keeps them: a row for each organization that has one, in the service's own database.

An organization without a row lives by the machine's clock. Where no test clocks are allowed
(TALLYPORT_TEST_CLOCKS), nothing is ever looked up.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import text

from chassis.wire import Wire

CHANNEL: Final = "test_clocks"
"""NOTIFY channel on which the worker hears that a round was asked for."""
ABSENCE_KNOWN_SECONDS: Final = 1.0
"""For so long a process trusts that an organization has no clock; making one takes longer than that."""
_MOST_KNOWN: Final = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class OrganizationClock:
    """A clock that stands still at `frozen_at`.

    A `held` one is being moved: jobs run only in rounds, which the one who moves it asks for.
    """

    organization_id: str
    frozen_at: datetime
    held: bool
    round: int = 0
    rounds_done: int = 0
    handled: int = 0
    next_due_at: datetime | None = None
    failure: str = ""


class Absences:
    """The organizations of which this process has seen just now that they have no clock."""

    def __init__(self) -> None:
        self._until: dict[str, float] = {}

    def includes(self, organization_id: str) -> bool:
        until = self._until.get(organization_id)
        return until is not None and time.monotonic() < until

    def note(self, organization_id: str) -> None:
        if len(self._until) >= _MOST_KNOWN:
            self._until.clear()
        self._until[organization_id] = time.monotonic() + ABSENCE_KNOWN_SECONDS

    def forget(self, organization_id: str) -> None:
        self._until.pop(organization_id, None)


async def frozen_at(wire: Wire, organization_id: str, *, holding: bool) -> datetime | None:
    """The time of the organization's clock, which must be the transaction's; None if it has none.

    `holding`: the clock cannot be moved until the transaction ends, so nothing of an earlier time is written later.
    """
    question = _LOOK_HOLDING if holding else _LOOK
    rows = (await wire.ask_all([(question, {"organization_id": organization_id})]))[0].all()
    found: datetime | None = rows[0].frozen_at if rows else None
    return found


def from_rows(rows: Sequence[object]) -> list[OrganizationClock]:
    """Clocks from rows of SELECT_CLOCKS."""
    return [OrganizationClock(**row._mapping) for row in rows]  # type: ignore[attr-defined]


COLUMNS: Final = "organization_id, frozen_at, held, round, rounds_done, handled, next_due_at, failure"
ALL_CLOCKS: Final = text(f"SELECT {COLUMNS} FROM organization_clocks ORDER BY organization_id")  # noqa: S608
_LOOK = text("SELECT frozen_at FROM organization_clocks WHERE organization_id = :organization_id")
_LOOK_HOLDING = text(
    "SELECT frozen_at FROM organization_clocks WHERE organization_id = :organization_id FOR SHARE"
)

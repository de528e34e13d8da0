"""What is still to happen, done when it is due: by real time, or at once when the clock is put forward."""

import asyncio
import contextlib
from collections.abc import Callable

from devstack.simulator.clock import Clock
from devstack.simulator.store import Store

Action = Callable[[str], object]
_LONGEST_PAUSE_SECONDS = 5.0


class Timeline:
    """A schedule in the store. Each entry is done in a transaction of its own that also removes it."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._actions: dict[str, Action] = {}
        self._wake = asyncio.Event()

    def on(self, action: str, do: Action) -> None:
        """Say what an action is."""
        self._actions[action] = do

    def add(self, action: str, object_id: str, *, due_at: float) -> None:
        """Have something happen to an object, at the earliest at that moment."""
        self._store.insert("schedule", due_at=due_at, action=action, object_id=object_id)
        self._wake.set()

    def drop(self, action: str, object_id: str) -> None:
        """Have it not happen."""
        self._store.execute(
            "DELETE FROM schedule WHERE object_id = :object_id AND action = :action",
            object_id=object_id,
            action=action,
        )

    def next_due_at(self) -> float | None:
        """When the next thing happens."""
        row = self._store.one("SELECT min(due_at) AS at FROM schedule")
        return None if row is None else row["at"]

    def advance_to(self, moment: float) -> int:
        """Let time pass: everything due by then happens in order, each at its own moment. Returns how many."""
        steps = self._run_until(moment)
        self._clock.go_to(moment)
        return steps

    def _run_until(self, moment: float) -> int:
        steps = 0
        while row := self._store.one(
            "SELECT * FROM schedule WHERE due_at <= :moment ORDER BY due_at, seq LIMIT 1", moment=moment
        ):
            with self._clock.held_at(row["due_at"]), self._store.transaction():
                self._store.execute("DELETE FROM schedule WHERE seq = :seq", seq=row["seq"])
                self._actions[row["action"]](row["object_id"])
            steps += 1
        return steps

    async def run(self) -> None:
        """Do what is due by the clock, for ever."""
        while True:
            self._wake.clear()
            self._run_until(self._clock.now())
            due_at = self.next_due_at()
            pause = _LONGEST_PAUSE_SECONDS if due_at is None else due_at - self._clock.now()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), min(max(pause, 0.01), _LONGEST_PAUSE_SECONDS))

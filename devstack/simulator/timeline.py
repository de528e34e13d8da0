"""What is still to happen, done when it is due: by real time, or at once when the clock is put forward."""

import asyncio
import contextlib
from collections.abc import Callable

from devstack.simulator.clock import Clock
from devstack.simulator.store import Store

Action = Callable[[str], object]
_LONGEST_PAUSE_SECONDS = 5.0
_MINE = (
    "CASE :account WHEN '' THEN account NOT IN (SELECT account FROM account_clocks)"
    " ELSE account = :account END"
)


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
        account = self._clock.account
        self._store.insert("schedule", due_at=due_at, action=action, object_id=object_id, account=account)
        self._wake.set()

    def drop(self, action: str, object_id: str) -> None:
        """Have it not happen."""
        self._store.execute(
            "DELETE FROM schedule WHERE object_id = :object_id AND action = :action",
            object_id=object_id,
            action=action,
        )

    def has(self, action: str, object_id: str) -> bool:
        """Whether it is still to happen."""
        found = self._store.one(
            "SELECT 1 FROM schedule WHERE action = :action AND object_id = :object_id",
            action=action,
            object_id=object_id,
        )
        return found is not None

    def next_due_at(self, account: str = "") -> float | None:
        """When the next thing happens: to an account with a clock of its own, or to all others."""
        row = self._store.one(f"SELECT min(due_at) AS at FROM schedule WHERE {_MINE}", account=account)  # noqa: S608
        return None if row is None else row["at"]

    def advance_account(self, account: str, moment: float) -> int:
        """Let time pass for one account; gives it a clock of its own if it has none. Returns how much happened."""
        if account not in self._clock.clocked:
            self._clock.stand_at(account, moment)
        steps = self._run_until(moment, account)
        self._clock.stand_at(account, moment)
        return steps

    def advance_to(self, moment: float) -> int:
        """Let time pass: everything due by then happens in order, each at its own moment. Returns how many."""
        steps = self._run_until(moment)
        self._clock.go_to(moment)
        return steps

    def _run_until(self, moment: float, account: str = "") -> int:
        steps = 0
        due = f"SELECT * FROM schedule WHERE due_at <= :moment AND {_MINE} ORDER BY due_at, seq LIMIT 1"  # noqa: S608
        while row := self._store.one(due, moment=moment, account=account):
            at = max(row["due_at"], self._clock.now_of(account)) if account else row["due_at"]
            with self._clock.on_account(row["account"]), self._clock.held_at(at), self._store.transaction():
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

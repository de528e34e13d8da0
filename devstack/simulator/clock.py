"""The simulator's time: the machine's, and ahead of it by as much as was asked for.

An account (an organization of the merchant's) may have a clock of its own, which stands still until it is moved.
"""

import contextlib
import time
from collections.abc import Generator
from contextvars import ContextVar
from datetime import UTC, date, datetime, timedelta

from devstack.simulator.store import Store

DAY_SECONDS = 86_400.0
_SATURDAY = 5
_account: ContextVar[str] = ContextVar("simulator_account", default="")


class Clock:
    """Everything that happens to money goes by it; signatures and delivery of webhooks go by the machine's."""

    def __init__(self, store: Store) -> None:
        self._store = store
        row = store.one("SELECT ahead_seconds FROM clock")
        self._ahead_seconds: float = row["ahead_seconds"] if row else 0.0
        self._held_at: float | None = None
        rows = store.all("SELECT account, stands_at FROM account_clocks")
        self._accounts: dict[str, float] = {row["account"]: row["stands_at"] for row in rows}

    def now(self) -> float:
        """Unix seconds, by the clock of the account whose business this is if it has one."""
        if self._held_at is not None:
            return self._held_at
        return self.now_of(_account.get())

    def now_of(self, account: str) -> float:
        """Unix seconds by an account's clock, or everybody's."""
        stands_at = self._accounts.get(account)
        return stands_at if stands_at is not None else time.time() + self._ahead_seconds

    @property
    def account(self) -> str:
        """Whose business this is; empty when nobody said."""
        return _account.get()

    @property
    def clocked(self) -> frozenset[str]:
        """Accounts with a clock of their own."""
        return frozenset(self._accounts)

    def enter(self, account: str) -> None:
        """The rest of this task is that account's business."""
        _account.set(account)

    @contextlib.contextmanager
    def on_account(self, account: str) -> Generator[None]:
        """The block is that account's business."""
        token = _account.set(account)
        try:
            yield
        finally:
            _account.reset(token)

    def stand_at(self, account: str, moment: float) -> None:
        """Give an account a clock, or move it: never back."""
        moment = max(moment, self._accounts.get(account, moment))
        self._accounts[account] = moment
        self._store.execute(
            "INSERT INTO account_clocks (account, stands_at) VALUES (:account, :moment)"
            " ON CONFLICT (account) DO UPDATE SET stands_at = excluded.stands_at",
            account=account,
            moment=moment,
        )

    def let_go(self, account: str) -> None:
        """An account lives by everybody's clock again."""
        self._accounts.pop(account, None)
        self._store.execute("DELETE FROM account_clocks WHERE account = :account", account=account)

    def today(self) -> date:
        """The day in UTC."""
        return datetime.fromtimestamp(self.now(), UTC).date()

    @property
    def ahead_seconds(self) -> float:
        """How far before the machine's time it is."""
        return self._ahead_seconds

    @contextlib.contextmanager
    def held_at(self, moment: float) -> Generator[None]:
        """While something is done that was due at that moment, it is that moment."""
        self._held_at = moment
        try:
            yield
        finally:
            self._held_at = None

    def go_to(self, moment: float) -> None:
        """Stand at a moment that is not in the past, and run on from there."""
        self._ahead_seconds = max(moment - time.time(), self._ahead_seconds)
        self._store.execute(
            "INSERT INTO clock (id, ahead_seconds) VALUES (1, :ahead)"
            " ON CONFLICT (id) DO UPDATE SET ahead_seconds = excluded.ahead_seconds",
            ahead=self._ahead_seconds,
        )


def after_business_days(unix_seconds: float, days: int) -> float:
    """The same time of day that many working days later."""
    moment = datetime.fromtimestamp(unix_seconds, UTC)
    while days:
        moment += timedelta(days=1)
        days -= moment.weekday() < _SATURDAY
    return moment.timestamp()


def next_midnight(unix_seconds: float) -> float:
    """The beginning of the next day in UTC."""
    return (unix_seconds // DAY_SECONDS + 1) * DAY_SECONDS


def day_text(unix_seconds: float) -> str:
    """The day in UTC, 2026-01-31."""
    return datetime.fromtimestamp(unix_seconds, UTC).date().isoformat()

"""PostgreSQL transactions: one organization each, row-level security set, time limits from the call.

Opening costs no round trip of its own (see chassis.wire). Outbox and audit rows are collected on the transaction
and written last, together with COMMIT, so that the per-organization rows they lock are held as briefly as possible.
"""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any, TypeVar

import psycopg
import structlog
from sqlalchemy import CursorResult, Executable, Result, TextClause, text
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from chassis.caller import current_call_or_none
from chassis.clock import Clock
from chassis.errors import Kind, ServiceError
from chassis.organization_clocks import ALL_CLOCKS, Absences, OrganizationClock, from_rows, frozen_at
from chassis.shared_wire import CHECKED_AT_ONCE, Lane, SharedWire
from chassis.turns import current_turn
from chassis.waking import Waker
from chassis.wire import Parameters, Statement, Wire, driver_of, driver_sql

STATEMENT_TIMEOUT_MILLISECONDS = 5_000
LOCK_TIMEOUT_MILLISECONDS = 2_000
SHARED_LOCK_TIMEOUT_MILLISECONDS = 250
"""In a transaction of several organizations: who waits longer for somebody's row then waits alone."""
IDLE_IN_TRANSACTION_MILLISECONDS = 10_000
POOL_WAIT_SECONDS = 5.0
ATTEMPTS = 3
NO_ORGANIZATION = "-"
"""The organization of a sweep: none has this id, so the tenant policy matches nothing."""

HOPELESS = frozenset({Kind.UNAVAILABLE, Kind.RESOURCE_EXHAUSTED})
"""Errors after which it is not known what became of a write, or nobody would fare better alone."""
_RETRYABLE = frozenset({"40001", "40P01"})
_MUST_BE_ON = ("fsync", "full_page_writes")
_log = structlog.get_logger(__name__)

T = TypeVar("T")
Flush = Callable[["WriteTx", list[Any]], Sequence[Statement]]


class UnsafeDatabaseError(Exception):
    """The server or the role would lose commits or see other tenants' rows; the text says which and why."""


class ReadTx:
    """A running transaction that may read. `organization_id` is None in sweeps and transport work."""

    def __init__(
        self, wire: Wire, organization_id: str | None, now: datetime, machine_now: datetime | None = None
    ) -> None:
        self.wire = wire
        self._organization_id = organization_id
        self._now = now
        self._machine_now = machine_now or now

    @property
    def organization_id(self) -> str:
        """The tenant of this transaction; a transaction without one raises LookupError."""
        if self._organization_id is None:
            raise LookupError("this transaction has no organization")
        return self._organization_id

    def now(self) -> datetime:
        """The organization's time at the start of the transaction: the same for all that happens in it.

        By its test clock, if it has one.
        """
        return self._now

    def machine_now(self) -> datetime:
        """The machine's time, also for an organization with a test clock: for leases, sessions and tries to sign in.

        What guards against people or crashes of today must not wait for a clock that somebody stopped.
        """
        return self._machine_now

    async def execute(self, statement: Executable, params: Parameters | None = None) -> CursorResult[Any]:
        """Run one statement; a sequence of parameters runs it for each."""
        return await self.wire.execute(statement, params)

    async def execute_all(self, *questions: tuple[TextClause, Mapping[str, Any]]) -> Sequence[Result[Any]]:
        """Run statements in their order, in one round trip; each sees what was committed when it begins."""
        return await self.wire.ask_all(questions)


class WriteTx(ReadTx):
    """A running transaction that may write."""

    def __init__(
        self, wire: Wire, organization_id: str | None, now: datetime, machine_now: datetime | None = None
    ) -> None:
        super().__init__(wire, organization_id, now, machine_now)
        self._collected: dict[tuple[int, Flush], list[Any]] = {}
        self.channels: set[str] = set()

    def enqueue(self, statement: TextClause, params: Mapping[str, Any]) -> None:
        """Run a statement whose result nobody reads: it costs no round trip, and leaves before the next one.

        What it violates is raised by the statement it leaves with, at the latest by the end of the transaction.
        """
        self.wire.enqueue(statement, params)

    def collect(self, order: int, flush: Flush, item: object) -> None:
        """Keep an item for the end of the transaction; flushes run by ascending order (lock order)."""
        self._collected.setdefault((order, flush), []).append(item)

    def wake(self, channel: str) -> None:
        """Wake who listens on a channel once the transaction has committed; they poll as well."""
        self.channels.add(channel)

    def take_collected(self) -> list[Statement]:
        """The statements for what was collected; Database sends them together with COMMIT."""
        ordered = sorted(self._collected, key=lambda key: key[0])
        statements = [one for key in ordered for one in key[1](self, self._collected[key])]
        self._collected.clear()
        return statements

    async def flush_collected(self) -> None:
        """Write what was collected before its time, for code that must read it in this transaction."""
        await self.wire.send(*self.take_collected())


class Database:
    """One service's database through its app role, which row-level security binds.

    `clock` is the machine's. With `test_clocks` an organization may have its own, which its transactions tell
    (`tx.now()`): whoever needs the time of an organization asks there, or `now_of`, and never `clock`.
    """

    def __init__(
        self, url: str, *, pool_size: int = 6, name: str, clock: Clock, test_clocks: bool = False
    ) -> None:
        self.name = name
        self.clock = clock
        self.has_test_clocks = test_clocks
        self._without_clock = Absences()
        self._url = "postgresql://" + url.partition("://")[2]
        self._pool_size = pool_size
        self._engine: AsyncEngine | None = None
        self._waker = Waker(self._send)

    @property
    def engine(self) -> AsyncEngine:
        """The pool, for instrumentation; raises RuntimeError before open()."""
        if self._engine is None:
            raise RuntimeError("the database is not open")
        return self._engine

    async def open(self) -> None:
        """Connect; UnsafeDatabaseError for a server that could lose commits or a role that sees too much."""
        self._engine = create_async_engine(
            "postgresql+psycopg://" + self._url.partition("://")[2],
            pool_size=self._pool_size,
            max_overflow=0,
            pool_timeout=POOL_WAIT_SECONDS,
            isolation_level="AUTOCOMMIT",  # BEGIN is ours: it travels together with the settings
            connect_args=self._connect_args(),
        )
        try:
            async with self._engine.connect() as connection:
                await _refuse_unsafe(connection)
        except BaseException:
            await self.close()
            raise

    async def close(self) -> None:
        await self._waker.close()
        if self._engine is not None:
            await self._engine.dispose()
            self._engine = None

    @asynccontextmanager
    async def write(self, organization_id: str) -> AsyncIterator[WriteTx]:
        """One organization's transaction: commits at the end of the block, rolls back on an exception."""
        async with self._transaction("BEGIN", organization_id) as wire:
            now = self.clock.now()
            tx = WriteTx(wire, organization_id, await self._now_in(wire, organization_id, now), now)
            yield tx
            await wire.commit(tx.take_collected())
            self._waker.wake(tx.channels)

    @asynccontextmanager
    async def read(self, organization_id: str) -> AsyncIterator[ReadTx]:
        """One organization's READ ONLY transaction."""
        async with self._transaction("BEGIN READ ONLY", organization_id) as wire:
            now = self.clock.now()
            own = await self._now_in(wire, organization_id, now, holding=False)
            yield ReadTx(wire, organization_id, own, now)
            await wire.commit([])

    async def now_of(self, organization_id: str) -> datetime:
        """The organization's time now, outside of a transaction."""
        if not self.has_test_clocks or self._without_clock.includes(organization_id):
            return self.clock.now()
        async with self.read(organization_id) as tx:
            return tx.now()

    @asynccontextmanager
    async def sweep(self) -> AsyncIterator[ReadTx]:
        """READ ONLY across organizations, on tables with a sweep policy: find work here, do it in write().

        In a job it sees the organizations of its turn (chassis.turns), and `tx.now()` is their time: what is due is
        due by their clock. Elsewhere it sees all, and tells the machine's time.
        """
        now, turn = self.clock.now(), current_turn() if self.has_test_clocks else None
        if turn is None or turn.organization_id is None:
            scope = "on" if turn is None else "unclocked"
            async with self._transaction("BEGIN READ ONLY", NO_ORGANIZATION, sweep=scope) as wire:
                yield ReadTx(wire, None, now)
                await wire.commit([])
        else:
            async with self._transaction("BEGIN READ ONLY", turn.organization_id) as wire:
                own = await self._now_in(wire, turn.organization_id, now, holding=False)
                yield ReadTx(wire, None, own, now)
                await wire.commit([])

    async def test_clocks(self) -> list[OrganizationClock]:
        """The clocks of all organizations that have one; none are looked for where they are not allowed."""
        if not self.has_test_clocks:
            return []
        async with self._transaction("BEGIN READ ONLY", NO_ORGANIZATION, sweep="on") as wire:
            rows = (await wire.ask_all([(ALL_CLOCKS, {})]))[0].all()
            await wire.commit([])
        return from_rows(rows)

    async def in_turn(self) -> Callable[[str], bool]:
        """Whether an organization is one of this job's turn, for those that a job finds otherwise than by a sweep."""
        turn = current_turn() if self.has_test_clocks else None
        if turn is None:
            return lambda _: True
        if turn.organization_id is not None:
            return turn.organization_id.__eq__
        clocked = {clock.organization_id for clock in await self.test_clocks()}
        return lambda organization_id: organization_id not in clocked

    @asynccontextmanager
    async def transport(self) -> AsyncIterator[WriteTx]:
        """A transaction without organization for outbox, inbox and dead letters; tenant tables raise."""
        async with self._transaction("BEGIN", "") as wire:
            tx = WriteTx(wire, None, self.clock.now())
            yield tx
            await wire.commit(tx.take_collected())

    async def run_write(self, organization_id: str, fn: Callable[[WriteTx], Awaitable[T]]) -> T:
        """Run `fn` in a transaction; after a serialization failure or deadlock again, 3 times in all."""
        for attempt in range(1, ATTEMPTS + 1):
            try:
                async with self.write(organization_id) as tx:
                    return await fn(tx)
            except DBAPIError as error:
                if sqlstate_of(error) not in _RETRYABLE or attempt == ATTEMPTS:
                    raise
            await asyncio.sleep(random.uniform(0.005, 0.02) * 2**attempt)  # noqa: S311
        raise AssertionError("unreachable")

    async def write_together(self, work: Mapping[str, Callable[[WriteTx], Awaitable[T]]]) -> dict[str, T]:
        """Transactions of several organizations as one: all commit, or none does and the first error is raised.

        Each sees and writes its own organization's rows only, as in a transaction of its own.
        """
        first = min(work)
        txs: dict[str, WriteTx] = {}

        async def drive(organization_id: str, lane: Lane) -> T:
            now = self.clock.now()
            own = await self._now_in(lane, organization_id, now)
            txs[organization_id] = WriteTx(lane, organization_id, own, now)
            return await work[organization_id](txs[organization_id])

        async with self._transaction("BEGIN", first) as wire:
            wire.begin_with(CHECKED_AT_ONCE, _SHORT_LOCK_TIMEOUT, BY_KEY)
            shared = SharedWire(wire, list(work), organization_id=first)
            results = await shared.run(drive)
            await shared.commit({one: tx.take_collected() for one, tx in txs.items()})
            self._waker.wake({channel for tx in txs.values() for channel in tx.channels})
        return results

    async def run_all_or_none(self, work: Mapping[str, Callable[[WriteTx], Awaitable[T]]]) -> dict[str, T]:
        """`write_together`, or `run_write` for a single organization; for statements that find rows by their keys."""
        if len(work) > 1:
            return await self.write_together(work)
        ((organization_id, fn),) = work.items()

        async def by_key(tx: WriteTx) -> T:
            tx.wire.begin_with(BY_KEY)
            return await fn(tx)

        return {organization_id: await self.run_write(organization_id, by_key)}

    async def run_write_together(
        self, work: Mapping[str, Callable[[WriteTx], Awaitable[T]]]
    ) -> dict[str, T | Exception]:
        """What each organization's `run_write` would have answered or raised, with one COMMIT if all goes well.

        If anything fails, each organization has a transaction of its own. Raises only what leaves open what was
        written, or what everybody would meet (HOPELESS).
        """
        if not work:
            return {}
        try:
            return {**await self.run_all_or_none(work)}
        except Exception as error:
            if len(work) == 1:
                return dict.fromkeys(work, error)
            if isinstance(error, ServiceError) and error.kind in HOPELESS:
                raise
            _log.info("database.parted", organizations=len(work), error=str(error) or type(error).__name__)
        tasks = [self.run_all_or_none({one: fn}) for one, fn in work.items()]
        answers: dict[str, T | Exception] = {}
        for one, answer in zip(work, await asyncio.gather(*tasks, return_exceptions=True), strict=True):
            if isinstance(answer, Exception):
                answers[one] = answer
            elif isinstance(answer, BaseException):
                raise answer
            else:
                answers[one] = answer[one]
        return answers

    @asynccontextmanager
    async def direct(self) -> AsyncIterator[psycopg.AsyncConnection[Any]]:
        """A connection outside the pool in autocommit, for session advisory locks and LISTEN."""
        connection = await psycopg.AsyncConnection.connect(self._url, autocommit=True, **self._connect_args())
        try:
            yield connection
        finally:
            await connection.close()

    async def _send(self, statement: str) -> None:
        """Run a statement of its own, outside any transaction of ours."""
        connection = await self.engine.connect()
        try:
            await driver_of(connection).execute(statement.encode())
        finally:
            await connection.close()

    def _connect_args(self) -> dict[str, Any]:
        return {
            "application_name": f"tallyport-{self.name}",
            "options": f"-c idle_in_transaction_session_timeout={IDLE_IN_TRANSACTION_MILLISECONDS}",
            "keepalives_idle": 30,
            "keepalives_interval": 5,
            "keepalives_count": 3,
        }

    def look_for_clock(self, organization_id: str) -> None:
        """Look at the organization's clock anew: this process has just made one."""
        self._without_clock.forget(organization_id)

    async def _now_in(
        self, wire: Wire, organization_id: str, machine_now: datetime, *, holding: bool = True
    ) -> datetime:
        if not self.has_test_clocks or self._without_clock.includes(organization_id):
            return machine_now
        own = await frozen_at(wire, organization_id, holding=holding)
        if own is not None:
            return own
        self._without_clock.note(organization_id)
        return machine_now

    @asynccontextmanager
    async def _transaction(
        self, begin: str, organization_id: str, *, sweep: str = "off"
    ) -> AsyncIterator[Wire]:
        opening = [(begin, {}), (_SETTINGS, _settings(organization_id, sweep=sweep))]
        wire: Wire | None = None
        try:
            wire = await self._checked_out(opening)
            yield wire
        except (DBAPIError, PoolTimeoutError) as error:
            expected = _as_service_error(error)
            if expected is not None:
                raise expected from error
            raise
        finally:
            if wire is not None:
                await wire.end()

    async def _checked_out(self, opening: Sequence[Statement]) -> Wire:
        """A connection that is not known to be dead; a restarted server leaves a pool of those."""
        for tries_left in range(self._pool_size, -1, -1):
            wire = Wire(await self.engine.connect(), opening)
            if not wire.seems_dead():
                return wire
            try:
                await wire.send()
            except BaseException as error:
                if wire.driver.closed:
                    await wire.connection.invalidate(error)
                await wire.end()
                if not (wire.driver.closed and tries_left and isinstance(error, DBAPIError)):
                    raise
            else:
                return wire
        raise AssertionError("unreachable")


def sqlstate_of(error: DBAPIError) -> str | None:
    """PostgreSQL's five-character code of an error, such as 40001; None if the connection broke."""
    state: str | None = getattr(error.orig, "sqlstate", None)
    return state


def violated_constraint(error: IntegrityError) -> str | None:
    """The name of the constraint that refused a row, for turning it into a ServiceError."""
    diagnostic = getattr(error.orig, "diag", None)
    name: str | None = getattr(diagnostic, "constraint_name", None)
    return name


def _settings(organization_id: str, *, sweep: str) -> Mapping[str, Any]:
    milliseconds = _statement_timeout_milliseconds()
    return {
        "organization_id": organization_id,
        "sweep": sweep,
        "statement_timeout": str(milliseconds),
        "lock_timeout": str(min(LOCK_TIMEOUT_MILLISECONDS, milliseconds)),
    }


def _statement_timeout_milliseconds() -> int:
    call = current_call_or_none()
    remaining_seconds = None if call is None else call.remaining_seconds()
    if remaining_seconds is None:
        return STATEMENT_TIMEOUT_MILLISECONDS
    if remaining_seconds <= 0:
        raise _deadline_exceeded()
    return max(1, min(STATEMENT_TIMEOUT_MILLISECONDS, int(remaining_seconds * 1000)))


def _as_service_error(error: DBAPIError | PoolTimeoutError) -> ServiceError | None:
    """Faults of the moment and texts that PostgreSQL cannot hold; all other database errors are defects."""
    if isinstance(error, PoolTimeoutError):
        return ServiceError(
            Kind.RESOURCE_EXHAUSTED, "DATABASE_BUSY", "Too much is going on. Please try again."
        )
    state = sqlstate_of(error)
    if state == "57014":
        return _deadline_exceeded()
    if state == "55P03":
        return ServiceError(
            Kind.ABORTED, "BUSY", "Somebody else is changing this right now. Please try again.",
            retry_after_seconds="1",
        )  # fmt: skip
    if state == "TPF01":
        return ServiceError(
            Kind.FAILED_PRECONDITION,
            "BOOKS_FROZEN",
            "Payments are stopped for a moment while the books are being checked. Nothing was charged.",
        )
    if error.connection_invalidated or state in ("57P01", "57P02", "57P03", "53300"):
        return _database_unavailable()
    if isinstance(error.orig, psycopg.OperationalError) and state is None:
        return _database_unavailable()
    if state == "22P05" or (isinstance(error.orig, psycopg.DataError) and state is None):
        return ServiceError(
            Kind.INVALID_ARGUMENT,
            "VALIDATION_FAILED",
            "A text holds the character NUL, which cannot be kept.",
        )
    return None


def _deadline_exceeded() -> ServiceError:
    return ServiceError(Kind.DEADLINE_EXCEEDED, "DEADLINE_EXCEEDED", "This took too long. Please try again.")


def _database_unavailable() -> ServiceError:
    return ServiceError(Kind.UNAVAILABLE, "DATABASE_UNAVAILABLE", "The database is away. Please try again.")


async def _refuse_unsafe(connection: AsyncConnection) -> None:
    row = (await connection.execute(_SAFETY)).one()
    for name in _MUST_BE_ON:
        if getattr(row, name) != "on":
            raise UnsafeDatabaseError(
                f"{name} is {getattr(row, name)}: a crash would lose committed payments"
            )
    if row.synchronous_commit == "off":
        raise UnsafeDatabaseError("synchronous_commit is off: a crash would lose acknowledged payments")
    if row.rolsuper or row.rolbypassrls:
        raise UnsafeDatabaseError(f"role {row.role} bypasses row-level security: use the service's app role")


_SETTINGS = driver_sql(
    text(
        "SELECT set_config('app.organization_id', :organization_id, true), set_config('app.sweep', :sweep, true),"
        " set_config('statement_timeout', :statement_timeout, true),"
        " set_config('lock_timeout', :lock_timeout, true)"
    )
)
_BY_KEY = (
    "SELECT set_config('enable_hashjoin', 'off', true), set_config('enable_mergejoin', 'off', true),"
    " set_config('enable_seqscan', 'off', true), set_config('plan_cache_mode', 'force_generic_plan', true)"
)
BY_KEY: Statement = (_BY_KEY, {})
"""For transactions whose statements find all rows by their keys. PostgreSQL cannot know that a batch is small: it would
read whole tables for it while they are young, and gains nothing from planning such a statement more than once."""
_SHORT_LOCK_TIMEOUT: Statement = (f"SET LOCAL lock_timeout = {SHARED_LOCK_TIMEOUT_MILLISECONDS}", {})
_SAFETY = text(
    "SELECT current_setting('fsync') AS fsync, current_setting('full_page_writes') AS full_page_writes,"
    " current_setting('synchronous_commit') AS synchronous_commit, rolname AS role, rolsuper, rolbypassrls"
    " FROM pg_roles WHERE rolname = current_user"
)

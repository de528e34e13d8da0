"""A transaction's talk with PostgreSQL: what nobody waits for leaves together with the next question or COMMIT.

BEGIN and its settings, writes without a result and COMMIT need no round trip of their own. Statements in plain SQL
(`text()`) go straight to the driver; built ones take SQLAlchemy's way.
"""

import select
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache
from typing import Any, cast

import psycopg
from opentelemetry import trace
from psycopg.pq import TransactionStatus
from sqlalchemy import CursorResult, Executable, TextClause, text
from sqlalchemy.dialects.postgresql.psycopg import dialect as psycopg_dialect
from sqlalchemy.engine.result import IteratorResult, SimpleResultMetaData
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.types import NullType

from chassis.exchange import Answer, exchange
from chassis.exchange import Statement as Statement

Parameters = Mapping[str, Any] | Sequence[Mapping[str, Any]]
_tracer = trace.get_tracer(__name__)


class TextResult(IteratorResult[Any]):
    """The rows of a plain SQL statement, all of them here already."""

    def __init__(self, names: tuple[str, ...], rows: list[tuple[Any, ...]], rowcount: int) -> None:
        super().__init__(_metadata_of(names), iter(rows))
        self.rowcount = rowcount
        """Rows that the statement changed or returned."""


class Wire:
    """One transaction's connection; `opening` begins the transaction and leaves with the first statement."""

    def __init__(self, connection: AsyncConnection, opening: Sequence[Statement]) -> None:
        self.connection = connection
        self.driver = driver_of(connection)
        self._waiting = [*opening]
        self._opening = len(self._waiting)
        self._failed = False

    @property
    def is_silent(self) -> bool:
        """Whether the server has not heard of this transaction and nothing but its opening waits."""
        return 0 < len(self._waiting) == self._opening

    def take_waiting(self) -> list[Statement]:
        """What waits to be sent, for whoever sends it instead."""
        waiting, self._waiting, self._opening = self._waiting, [], 0
        return waiting

    def begin_with(self, *more: Statement) -> None:
        """Lengthen the opening, or follow it if it has been sent."""
        self._opening += len(more) if self._opening else 0
        self._waiting += more

    def enqueue(self, statement: TextClause, params: Mapping[str, Any]) -> None:
        """Run a statement whose result nobody reads, before whatever runs next."""
        self._waiting.append((driver_sql(statement), params))

    async def execute(self, statement: Executable, params: Parameters | None) -> CursorResult[Any]:
        """Run a statement, after all that waits."""
        if not isinstance(statement, TextClause) or isinstance(params, Sequence) or has_types(statement):
            await self.send()
            return await self.connection.execute(statement, params)
        sql = driver_sql(statement)
        with spanning(sql):
            return await self._ask(sql, params or {})

    async def send(self, *last: Statement) -> None:
        """Send what waits and then `last`, in one round trip."""
        statements = [*self.take_waiting(), *last]
        if not statements:
            return
        with spanning(*(sql for sql, _ in statements)):
            await self.talk(statements)

    async def talk(self, statements: Sequence[Statement]) -> list[Answer]:
        """One round trip. After one that failed nothing more is said: what waited for it is lost."""
        self._must_be_sound()
        try:
            with as_sqlalchemy_errors(self.connection):
                return await exchange(self.driver, statements)
        except BaseException:
            self._failed = True
            raise

    def _must_be_sound(self) -> None:
        if self._failed:
            raise RuntimeError("the transaction had already failed; an error of it was swallowed")

    async def commit(self, last: Sequence[Statement]) -> None:
        """COMMIT with what waits and `last`, in one round trip: the rows they lock are held no longer than that."""
        if self.is_silent and not last:
            return
        self._must_be_sound()
        status = self.driver.info.transaction_status
        if status is not (TransactionStatus.IDLE if self._opening else TransactionStatus.INTRANS):
            raise RuntimeError("the transaction had already failed; an error of it was swallowed")
        await self.send(*last, ("COMMIT", {}))

    async def end(self) -> None:
        """Roll back whatever was not committed, and give the connection back.

        Not left to psycopg, whose rollback has the server forget all statements that it keeps for this connection.
        """
        try:
            usable = not self.connection.invalidated and not self.driver.closed
            if usable and self.driver.info.transaction_status is not TransactionStatus.IDLE:
                await exchange(self.driver, [("ROLLBACK", {})])
        except psycopg.Error:
            await self.driver.close()
        except (
            BaseException
        ):  # cancelled: SQLAlchemy's own rollback would have the server forget all it keeps
            await self.driver.close()
            raise
        finally:
            await self.connection.close()

    def seems_dead(self) -> bool:
        """Whether the server has something to say unasked, as when it has closed the connection."""
        if self.driver.closed:
            return True
        waiting = select.poll()
        waiting.register(self.driver.fileno(), select.POLLIN)
        return bool(waiting.poll(0))

    async def ask_all(self, questions: Sequence[tuple[TextClause, Mapping[str, Any]]]) -> list[TextResult]:
        """Run plain SQL statements one after the other, in one round trip with all that waits."""
        waiting = self.take_waiting()
        asked = [(driver_sql(question), params) for question, params in questions]
        with spanning(*(sql for sql, _ in asked)):
            answers = await self.talk([*waiting, *asked])
        return [result_of(answer) for answer in answers[len(waiting) :]]

    async def _ask(self, sql: str, params: Mapping[str, Any]) -> CursorResult[Any]:
        answers = await self.talk([*self.take_waiting(), (sql, params)])
        return cast("CursorResult[Any]", result_of(answers[-1]))


@contextmanager
def spanning(*statements: str) -> Iterator[None]:
    """One span for statements that leave together, named by the first word of the last; none if nobody records."""
    if not trace.get_current_span().is_recording():
        yield
        return
    name = statements[-1].split(None, 1)[0]
    with _tracer.start_as_current_span(name, kind=trace.SpanKind.CLIENT) as span:
        span.set_attributes({"db.system.name": "postgresql", "db.statement": ";\n".join(statements)})
        yield


def result_of(answer: Answer) -> TextResult:
    """What a statement has answered, as SQLAlchemy tells it."""
    return TextResult(answer.names, answer.rows(), answer.rowcount)


def driver_of(connection: AsyncConnection) -> psycopg.AsyncConnection[Any]:
    """Psycopg's connection below SQLAlchemy's: BEGIN, COMMIT and pipelines are spoken there."""
    driver = connection.sync_connection.connection.driver_connection  # type: ignore[union-attr]
    return cast("psycopg.AsyncConnection[Any]", driver)


def driver_sql(statement: TextClause) -> str:
    """A `text()` statement in the driver's own form."""
    return _driver_sql(statement.text)


@contextmanager
def as_sqlalchemy_errors(connection: AsyncConnection) -> Iterator[None]:
    """The driver's errors as SQLAlchemy would raise them, without parameters."""
    try:
        yield
    except psycopg.Error as error:
        raise cast(
            "DBAPIError",
            DBAPIError.instance(
                "",
                None,
                error,
                psycopg.Error,
                hide_parameters=True,
                connection_invalidated=driver_of(connection).closed,
            ),
        ) from error


@lru_cache(maxsize=1024)
def _driver_sql(sql: str) -> str:
    return str(text(sql).compile(dialect=psycopg_dialect()))  # type: ignore[no-untyped-call]


@lru_cache(maxsize=1024)
def _metadata_of(names: tuple[str, ...]) -> SimpleResultMetaData:
    return SimpleResultMetaData(names)


def has_types(statement: TextClause) -> bool:
    """Whether parameters were given types or lists to expand, which are SQLAlchemy's business."""
    return any(
        bind.expanding or not isinstance(bind.type, NullType) for bind in statement._bindparams.values()
    )

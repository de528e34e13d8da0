"""Several statements to PostgreSQL and back: one round trip, one write to the socket.

Psycopg's own pipeline makes a cursor of each statement and turns to the socket for each, which under load is more work
than all that we compute. Here the statements of a round trip are put into libpq's buffer and leave together.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, Self

import psycopg
from psycopg import abc, errors, generators
from psycopg.adapt import PyFormat, Transformer
from psycopg.pq import ConnStatus, ExecStatus, Format
from psycopg.pq.abc import PGconn, PGresult

Statement = tuple[str, Mapping[str, Any]]
"""SQL in the driver's own form (see `chassis.wire.driver_sql`) and its parameters."""

KEPT_AFTER: Final = 5
"""How often a connection sends a statement before it has the server keep its plan."""
MOST_COUNTED: Final = 400
"""Statements that a connection counts; of those that come later none is kept."""
_PLACE = re.compile(r"%\((\w+)\)s|%%")
_FAILURES = frozenset({ExecStatus.FATAL_ERROR, ExecStatus.PIPELINE_ABORTED})
_STALE = frozenset({"0A000", "26000"})
"""What PostgreSQL says when a kept plan does not fit a changed table, or is kept no more."""
_MEMORY = "tallyport_memory"
_Key = tuple[str, tuple[int, ...]]


class _Memory:
    """What is known of one connection: how values are written and read, and what the server keeps."""

    def __init__(self, driver: psycopg.AsyncConnection[Any]) -> None:
        self.transformer: abc.Transformer = Transformer(driver)
        self.kept: dict[_Key, bytes] = {}
        self._uses: dict[_Key, int] = {}
        self._names = 0

    def name_for(self, key: _Key) -> bytes | None:
        """A name to keep the statement by from now on; None while it is rare."""
        uses = self._uses.get(key, 0) + 1
        if uses > 1 or len(self._uses) < MOST_COUNTED:
            self._uses[key] = uses
        if uses < KEPT_AFTER:
            return None
        self._names += 1
        return b"tallyport_%d" % self._names


class Answer:
    """What a statement has answered, still as it came."""

    def __init__(self, result: PGresult, transformer: abc.Transformer) -> None:
        self._result = result
        self._transformer = transformer

    @property
    def names(self) -> tuple[str, ...]:
        """Of the columns."""
        result = self._result
        return tuple((result.fname(place) or b"").decode() for place in range(result.nfields))

    @property
    def rowcount(self) -> int:
        """Rows that the statement changed or returned; -1 if it does neither."""
        count = self._result.command_tuples
        return -1 if count is None else count

    def rows(self) -> list[tuple[Any, ...]]:
        """All of them."""
        if not self._result.nfields:
            return []
        self._transformer.set_pgresult(self._result)
        return self._transformer.load_rows(0, self._result.ntuples, tuple)


async def exchange(driver: psycopg.AsyncConnection[Any], statements: Sequence[Statement]) -> list[Answer]:
    """Run statements in their order. Raises psycopg's error of the first that fails; none is run after it.

    A connection whose kept plans are out of date is closed: whoever tries again gets another.
    """
    if not statements:
        return []
    memory = _memory_of(driver)
    async with driver.lock:
        written = [_Written.of(memory.transformer, sql, params) for sql, params in statements]
        driver.pgconn.enter_pipeline_mode()
        prepared: list[_Prepared] = []
        try:
            places = _put(driver.pgconn, memory, written, prepared)
            results = await driver.wait(_fetch(driver.pgconn, places[-1] + 1))
        except BaseException:
            if prepared:  # nobody knows which of them the server keeps
                await driver.close()
            raise
        finally:
            await _leave(driver)
    for one in prepared:
        if results[one.place].status == ExecStatus.COMMAND_OK:
            memory.kept[one.key] = one.name
    for result in results:
        if result.status in _FAILURES:
            error = errors.error_from_result(result, encoding=driver.info.encoding)
            if error.sqlstate in _STALE:
                await driver.close()
            raise error
    return [Answer(results[place], memory.transformer) for place in places]


def _memory_of(driver: psycopg.AsyncConnection[Any]) -> _Memory:
    """It is kept on the connection, so that both go together."""
    memory: _Memory | None = vars(driver).get(_MEMORY)
    if memory is None:
        memory = vars(driver)[_MEMORY] = _Memory(driver)
    return memory


@dataclass(frozen=True, slots=True)
class _Prepared:
    """A plan that the server is asked to keep, and the place of its answer."""

    key: _Key
    name: bytes
    place: int


@dataclass(frozen=True, slots=True)
class _Written:
    """A statement as it is sent."""

    key: _Key
    query: bytes
    values: Sequence[abc.Buffer | None]
    types: tuple[int, ...]
    formats: Sequence[Format] | None

    @classmethod
    def of(cls, transformer: abc.Transformer, sql: str, params: Mapping[str, Any]) -> Self:
        """Raises psycopg.DataError for what PostgreSQL cannot hold."""
        query, names = _numbered(sql)
        values = transformer.dump_sequence(
            [_literal(params[name]) for name in names], [PyFormat.AUTO] * len(names)
        )
        types = transformer.types or ()
        return cls((sql, types), query, values, types, transformer.formats)


def _put(
    pgconn: PGconn, memory: _Memory, statements: Sequence[_Written], prepared: list[_Prepared]
) -> list[int]:
    """Put statements into the buffer; the places of their results. `prepared` gets what is to be kept."""
    places: list[int] = []
    count = 0
    for one in statements:
        name = memory.kept.get(one.key) or next((its.name for its in prepared if its.key == one.key), None)
        if name is None and (name := memory.name_for(one.key)) is not None:
            prepared.append(_Prepared(one.key, name, count))
            pgconn.send_prepare(name, one.query, one.types)
            count += 1
        if name is None:
            pgconn.send_query_params(one.query, one.values, one.types, one.formats)
        else:
            pgconn.send_query_prepared(name, one.values, one.formats)
        places.append(count)
        count += 1
    pgconn.pipeline_sync()
    return places


def _fetch(pgconn: PGconn, count: int) -> abc.PQGen[list[PGresult]]:
    """Send the buffer and wait for `count` results and the end of the round trip."""
    yield from generators.send(pgconn)
    results: list[PGresult] = []
    for _ in range(count):
        results += yield from generators.fetch_many(pgconn)
    # Also what goes wrong at the very end, as a constraint that is checked there.
    results += yield from generators.fetch_many(pgconn)
    return results


async def _leave(driver: psycopg.AsyncConnection[Any]) -> None:
    """A connection on which something is still under way is of no more use."""
    if driver.pgconn.status == ConnStatus.OK:
        try:
            driver.pgconn.exit_pipeline_mode()
        except psycopg.OperationalError:
            await driver.close()


def _literal(value: Any) -> Any:
    """A list of texts as PostgreSQL writes it: psycopg looks at every element three times."""
    if type(value) is not list or set(map(type, value)) != {str}:
        return value
    joined = '","'.join(value)
    if "\\" in joined or joined.count('"') != 2 * (len(value) - 1):
        joined = '","'.join(one.replace("\\", "\\\\").replace('"', '\\"') for one in value)
    return f'{{"{joined}"}}'


@lru_cache(maxsize=2048)
def _numbered(sql: str) -> tuple[bytes, tuple[str, ...]]:
    """The statement with numbered places, and the names of the parameters in that order."""
    numbers: dict[str, int] = {}

    def place(found: re.Match[str]) -> str:
        name = found[1]
        return "%" if name is None else f"${numbers.setdefault(name, len(numbers) + 1)}"

    query = _PLACE.sub(place, sql).encode()
    return query, tuple(numbers)

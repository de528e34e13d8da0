"""One transaction in which several organizations write, none of them seeing another's rows.

Each organization has a lane. Statements wait until every lane waits for an answer, then all leave in one round trip;
before the statements of another organization `app.organization_id` is set to it, so that row-level security binds every
single statement to the organization whose lane it came through. There is one COMMIT, for all or for none.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from sqlalchemy import CursorResult, Executable, TextClause, text

from chassis.wire import (
    Parameters,
    Statement,
    TextResult,
    Wire,
    driver_sql,
    has_types,
    result_of,
    spanning,
)

CHECKED_AT_ONCE: Final[Statement] = ("SET CONSTRAINTS ALL IMMEDIATE", {})
"""What is checked at COMMIT elsewhere is checked by each statement here, while its own organization is set."""
_SWITCH: Final = driver_sql(text("SELECT set_config('app.organization_id', :organization_id, true)"))

T = TypeVar("T")


@dataclass(slots=True)
class _Asked:
    """What a lane wants to have run: statements without a reader, then questions, then one of SQLAlchemy's own."""

    statements: Sequence[Statement]
    questions: Sequence[Statement]
    built: tuple[Executable, Parameters | None] | None
    answer: "asyncio.Future[Any]"


class Lane(Wire):
    """One organization's end of the wire; one statement at a time, as on a connection of its own."""

    def __init__(self, shared: "SharedWire", organization_id: str) -> None:
        self._shared = shared
        self._organization_id = organization_id
        super().__init__(shared.wire.connection, [])

    async def execute(self, statement: Executable, params: Parameters | None) -> CursorResult[Any]:
        """Run a statement after all that waits in this lane."""
        if not isinstance(statement, TextClause) or isinstance(params, Sequence) or has_types(statement):
            found: CursorResult[Any] = await self._answer_to([], (statement, params))
            return found
        (result,) = await self._answer_to([(driver_sql(statement), params or {})])
        return result  # type: ignore[no-any-return]

    async def send(self, *last: Statement) -> None:
        """Send what waits and then `last`, and wait until it has run."""
        self._waiting += last
        if self._waiting:
            await self._answer_to([])

    async def ask_all(self, questions: Sequence[tuple[TextClause, Mapping[str, Any]]]) -> list[TextResult]:
        """Run plain SQL statements one after the other, in one round trip with all that waits."""
        found: list[TextResult] = await self._answer_to(
            [(driver_sql(question), params) for question, params in questions]
        )
        return found

    async def commit(self, last: Sequence[Statement]) -> None:
        """Nobody commits for all the others: SharedWire does."""
        raise RuntimeError("a lane has no commit of its own")

    async def _answer_to(
        self, questions: Sequence[Statement], built: tuple[Executable, Parameters | None] | None = None
    ) -> Any:
        answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        return await self._shared.ask(
            self._organization_id, _Asked(self.take_waiting(), questions, built, answer)
        )


class SharedWire:
    """The transaction's connection and the lanes that share it. `wire`'s opening has set `organization_id`."""

    def __init__(self, wire: Wire, organization_ids: Sequence[str], *, organization_id: str) -> None:
        self.wire = wire
        # In one order everywhere, so that of two such transactions neither waits for the other in a circle.
        self.lanes = {one: Lane(self, one) for one in sorted(organization_ids)}
        self._current = organization_id
        self._running = set(self.lanes)
        self._asked: dict[str, _Asked] = {}
        self._all_wait = asyncio.Event()

    async def run(self, work: Callable[[str, Lane], Awaitable[T]]) -> dict[str, T]:
        """Have each lane's work done, in as few round trips as the longest needs. Raises the first error."""
        loop = asyncio.get_running_loop()
        tasks = {one: loop.create_task(self._drive(work, one), name="lane") for one in self.lanes}
        try:
            while self._running:
                await self._all_wait.wait()
                self._all_wait.clear()
                for task in tasks.values():
                    if task.done():
                        task.result()
                asked, self._asked = self._asked, {}
                await self._take_turns(asked)
            return {one: await task for one, task in tasks.items()}
        finally:
            for task in tasks.values():
                task.cancel()
            await asyncio.gather(*tasks.values(), return_exceptions=True)

    async def ask(self, organization_id: str, asked: _Asked) -> Any:
        """Wait until the lane's turn has come. RuntimeError if the lane is waiting already."""
        if organization_id in self._asked:
            raise RuntimeError("a lane runs one statement at a time")
        self._asked[organization_id] = asked
        self._look_around()
        return await asked.answer

    async def commit(self, last: Mapping[str, Sequence[Statement]]) -> None:
        """COMMIT with what waits in each lane and its `last`, in one round trip."""
        statements: list[Statement] = []
        for organization_id, lane in self.lanes.items():
            mine = [*lane.take_waiting(), *last.get(organization_id, ())]
            if mine:
                statements += [*self._switch(organization_id), *mine]
        await self.wire.commit(statements)

    async def _drive(self, work: Callable[[str, Lane], Awaitable[T]], organization_id: str) -> T:
        try:
            result = await work(organization_id, self.lanes[organization_id])
        except BaseException:
            self._running.discard(organization_id)
            self._all_wait.set()  # nobody waits for the others any more: all is rolled back
            raise
        self._running.discard(organization_id)
        self._look_around()
        return result

    def _look_around(self) -> None:
        if len(self._asked) >= len(self._running):
            self._all_wait.set()

    async def _take_turns(self, asked: Mapping[str, _Asked]) -> None:
        """One round: plain statements of all lanes together, then those that SQLAlchemy runs itself."""
        turns = [(one, asked[one]) for one in self.lanes if one in asked]
        await self._round_trip([turn for turn in turns if turn[1].statements or turn[1].questions])
        for organization_id, one in turns:
            if one.built is not None:
                await self.wire.send(*self._switch(organization_id))
                one.answer.set_result(await self.wire.connection.execute(*one.built))
            elif not one.answer.done():
                one.answer.set_result([])

    async def _round_trip(self, turns: Sequence[tuple[str, _Asked]]) -> None:
        if not turns:
            return
        statements = self.wire.take_waiting()
        places: dict[str, list[int]] = {}
        for organization_id, one in turns:
            statements += [*self._switch(organization_id), *one.statements, *one.questions]
            places[organization_id] = list(range(len(statements) - len(one.questions), len(statements)))
        with spanning(*(sql for sql, _ in statements)):
            answers = await self.wire.talk(statements)
        for organization_id, one in turns:
            if one.built is None and not one.answer.done():
                one.answer.set_result([result_of(answers[place]) for place in places[organization_id]])

    def _switch(self, organization_id: str) -> list[Statement]:
        if organization_id == self._current:
            return []
        self._current = organization_id
        return [(_SWITCH, {"organization_id": organization_id})]

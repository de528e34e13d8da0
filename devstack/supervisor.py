"""Keeps processes alive: start, ask whether ready, start again with growing pauses, end in order."""

import asyncio
import signal
from collections.abc import Awaitable, Callable, Sequence, Set
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import IO

from devstack.processes import Command, ProcessError, Running, spawn, stop

_FIRST_PAUSE_SECONDS = 0.2
_LONGEST_PAUSE_SECONDS = 10.0
_STEADY_AFTER_SECONDS = 30.0
_ATTEMPTS_BEFORE_READY = 3
_STOP_SECONDS = 8.0
_NOT_STARTED = 127

Probe = Callable[[], Awaitable[bool]]
Spawn = Callable[[Command, IO[bytes]], Awaitable[Running]]


class State(StrEnum):
    """What one process is doing."""

    STARTING = "starting"
    READY = "ready"
    UNREADY = "unready"
    WAITING = "waiting to restart"
    STOPPED = "stopped"


_PROBE_PERIOD_SECONDS = {State.STARTING: 0.06, State.READY: 5.0, State.UNREADY: 1.0}


class StartError(Exception):
    """A process did not become ready; the text has the end of its log."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """One process to keep alive. `address` is for people and says where it answers."""

    name: str
    command: Command
    is_ready: Probe
    address: str = ""
    spawn: Spawn = spawn


@dataclass(slots=True)
class Child:
    """A program and how it fares."""

    program: Program
    stage: int
    state: State = State.STARTING
    pid: int | None = None
    restarts: int = 0
    last_exit: int | None = None
    ready_once: asyncio.Event = field(default_factory=asyncio.Event)
    gave_up: asyncio.Event = field(default_factory=asyncio.Event)
    process: Running | None = None
    keeper: asyncio.Task[None] | None = None


class Supervisor:
    """Children in stages: a later stage is ended before an earlier one. Logs go to `<logs>/<name>.log`."""

    def __init__(self, logs: Path, *, on_change: Callable[[], None] = lambda: None) -> None:
        self.children: list[Child] = []
        self._logs = logs
        self._on_change = on_change
        self._stage = 0
        self._stopping = False

    def start(self, programs: Sequence[Program]) -> None:
        """Start these at once, as the next stage."""
        self._stage += 1
        for program in programs:
            child = Child(program, self._stage)
            child.keeper = asyncio.create_task(self._keep(child), name=f"keep {program.name}")
            self.children.append(child)

    async def until_ready(self, timeout_seconds: float, only: Set[str] = frozenset()) -> None:
        """Return when every child (or `only` these) was ready once. Raises StartError for one that is not."""
        chosen = [child for child in self.children if not only or child.program.name in only]
        waiting = [child for child in chosen if not child.ready_once.is_set()]
        tasks = [asyncio.create_task(self._first_outcome(child)) for child in waiting]
        try:
            async with asyncio.timeout(timeout_seconds):
                await asyncio.gather(*tasks)
        except TimeoutError:
            slow = [child for child in waiting if not child.ready_once.is_set()]
            names = ", ".join(child.program.name for child in slow)
            text = f"not ready after {timeout_seconds:g} s: {names}\n{self._log_end(slow[0])}"
            raise StartError(text) from None
        finally:
            for task in tasks:
                task.cancel()

    async def stop(self) -> None:
        """End all, the last stage first; within a stage together."""
        self._stopping = True
        for stage in sorted({child.stage for child in self.children}, reverse=True):
            await asyncio.gather(*(self._end(child) for child in self.children if child.stage == stage))

    def kill(self) -> None:
        """End all at once and hard; `stop` then returns soon."""
        self._stopping = True
        for child in self.children:
            if child.process is not None and child.process.returncode is None:
                child.process.kill()

    async def _keep(self, child: Child) -> None:
        loop = asyncio.get_running_loop()
        short_lives = 0
        while True:
            began_at = loop.time()
            with self._logs.joinpath(f"{child.program.name}.log").open("ab", buffering=0) as log:
                child.last_exit = await self._live(child, log)
                if self._stopping:
                    self._enter(child, State.STOPPED)
                    return
                steady = loop.time() - began_at > _STEADY_AFTER_SECONDS
                short_lives = 1 if steady else short_lives + 1
                pause = min(_FIRST_PAUSE_SECONDS * 2 ** (short_lives - 1), _LONGEST_PAUSE_SECONDS)
                at = datetime.now(UTC).isoformat(timespec="seconds")
                log.write(
                    f"{at} supervisor: {_ending(child.last_exit)}, next start in {pause:g} s\n".encode()
                )
            if not child.ready_once.is_set() and short_lives >= _ATTEMPTS_BEFORE_READY:
                child.gave_up.set()
            child.restarts += 1
            self._enter(child, State.WAITING)
            await asyncio.sleep(pause)

    async def _live(self, child: Child, log: IO[bytes]) -> int:
        """One life of the process, from its start to its exit status."""
        try:
            child.process = await child.program.spawn(child.program.command, log)
        except (OSError, ProcessError) as error:
            log.write(f"{error}\n".encode())
            return _NOT_STARTED
        child.pid = child.process.pid
        self._enter(child, State.STARTING)
        health = asyncio.create_task(self._watch(child))
        try:
            return await child.process.wait()
        finally:
            health.cancel()
            child.pid = None

    async def _watch(self, child: Child) -> None:
        while True:
            ready = await child.program.is_ready()
            if ready:
                child.ready_once.set()
                self._enter(child, State.READY)
            elif child.state is State.READY:
                self._enter(child, State.UNREADY)
            await asyncio.sleep(_PROBE_PERIOD_SECONDS[child.state])

    async def _first_outcome(self, child: Child) -> None:
        outcomes = [asyncio.create_task(event.wait()) for event in (child.ready_once, child.gave_up)]
        try:
            await asyncio.wait(outcomes, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for outcome in outcomes:
                outcome.cancel()
        if not child.ready_once.is_set():
            ending = _ending(child.last_exit or 0)
            raise StartError(f"{child.program.name} does not start: {ending}\n{self._log_end(child)}")

    async def _end(self, child: Child) -> None:
        if child.process is not None:
            await stop(child.process, child.program.command.stop_signal, _STOP_SECONDS)
        if child.keeper is not None:
            if child.state is State.WAITING or child.process is None:
                child.keeper.cancel()
            await asyncio.wait([child.keeper])
        child.pid = None
        self._enter(child, State.STOPPED)

    def _enter(self, child: Child, state: State) -> None:
        if child.state is not state or state is State.STARTING:
            child.state = state
            self._on_change()

    def _log_end(self, child: Child) -> str:
        try:
            lines = self._logs.joinpath(f"{child.program.name}.log").read_text(errors="replace").splitlines()
        except OSError:
            return ""
        return "\n".join(lines[-15:])


def _ending(status: int) -> str:
    if status < 0:
        return f"killed by {signal.Signals(-status).name}"
    return f"ended with status {status}"

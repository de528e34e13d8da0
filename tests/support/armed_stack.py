"""The whole dev stack, without demo data, in which tests kill processes and take NATS away.

Every service process is armed by a file (see `chassis.crashpoints`), so that one running stack meets all crash
points. NATS belongs to the test, since the supervisor would start it again at once.
"""

import asyncio
import contextlib
import os
import shutil
import signal
import sqlite3
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from devstack.environment import Environment
from devstack.layout import REPOSITORY, Layout
from devstack.nats import Nats
from devstack.ports import SERVICES
from devstack.processes import Stranger
from devstack.state import ProcessState, StackState, read_state
from tests.support.stack import RunningStack, free_ports
from tests.support.wait import until

START_SECONDS = 90.0
ARMED = tuple(f"{service}-{part}" for service in SERVICES for part in ("serve", "work"))
SETTINGS = {"TALLYPORT_CHECK_DELAYS_SECONDS": "[2]", "TALLYPORT_PROVIDER_TIMEOUT_SECONDS": "2"}
"""Of payments, so that a test does not wait as long as production would before it asks the provider again."""


def trigger(home: Path, process: str) -> Path:
    """The file that arms a process."""
    return home / "armed" / process


def extra_variables(home: Path) -> dict[str, dict[str, str]]:
    """What the armed processes get beside their usual environment."""
    return {
        process: {"TALLYPORT_CRASHPOINT": f"@{trigger(home, process)}"}
        | (SETTINGS if process.startswith("payments-") else {})
        for process in ARMED
    }


@dataclass(frozen=True, slots=True)
class ArmedStack:
    """A running stack and the means to hurt it."""

    running: RunningStack
    nats: Nats

    @property
    def environment(self) -> Environment:
        return self.running.environment

    @property
    def layout(self) -> Layout:
        return self.environment.layout

    @property
    def url(self) -> str:
        """Address of the gateway."""
        return self.running.url

    def process(self, name: str) -> ProcessState:
        """What the supervisor says about a process."""
        state = self._state()
        return next(process for process in state.processes if process.name == name)

    def kill(self, name: str) -> None:
        """SIGKILL; the supervisor starts it again."""
        if (pid := self.process(name).pid) is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def arm(self, process: str, point: str) -> None:
        """Let a process die when it comes to that point, once."""
        file = trigger(self.layout.home, process)
        scratch = file.with_suffix(".new")
        scratch.write_text(point)
        scratch.replace(file)

    def is_armed(self, process: str) -> bool:
        """Whether the process still has its death before it."""
        return trigger(self.layout.home, process).exists()

    def disarm(self) -> None:
        """Let everybody live."""
        for process in ARMED:
            trigger(self.layout.home, process).unlink(missing_ok=True)

    async def all_ready(self, timeout_seconds: float = 60.0) -> None:
        """Wait until every process runs and answers."""
        await until(
            lambda: all(process.state == "ready" for process in self._state().processes), timeout_seconds
        )

    async def kill_nats(self) -> None:
        """SIGKILL, and start it again on what it has on disk."""
        assert self.nats.pid is not None
        os.kill(self.nats.pid, signal.SIGKILL)
        await self.nats.stop()
        await self.nats.start()

    async def wipe_nats(self) -> None:
        """Stop NATS and lose all its streams and consumers."""
        await self.nats.stop()
        shutil.rmtree(self.nats.store)

    def _state(self) -> StackState:
        state = read_state(self.layout.state_file)
        assert state is not None, "the stack is gone"
        return state


@asynccontextmanager
async def armed_stack(home: Path) -> AsyncIterator[ArmedStack]:
    """Start a stack in `home`; at the end it is stopped, however hurt it is."""
    ports, layout = free_ports(), Layout(home)
    layout.prepare()
    trigger(home, "any").parent.mkdir(exist_ok=True)
    nats = Nats(layout.data / "nats", ports["nats"])
    await nats.start()
    command = [sys.executable, "-m", "tests.support.armed_stack_process", str(home)]
    command += [str(ports.public), str(ports.base)]
    log_file = layout.log_of("stack")
    with log_file.open("ab") as log:
        process = await asyncio.create_subprocess_exec(
            *command,
            cwd=REPOSITORY,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        await _until_ready(layout, process, log_file)
        yield ArmedStack(RunningStack(Environment(layout, ports), []), nats)
    finally:
        await _stop(process)
        await nats.stop()


def database_url(environment: Environment, service: str, *, role: str = "postgres") -> str:
    """The URL of a service's database: the superuser's, since checks see what row-level security hides."""
    password = (environment.layout.data / "postgres" / "passwords" / role).read_text()
    return f"postgresql://{role}:{password}@{environment.ports.address('postgres')}/{service}"


def provider_events(environment: Environment, organization_id: str) -> list[str]:
    """States of the provider's events about an organization, in the order in which they arose."""
    file = environment.layout.data / "simulator.sqlite"
    with contextlib.closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as store:
        rows = store.execute(
            "SELECT state FROM events WHERE json_extract(body, '$.data.metadata.organization_id') = ?"
            " ORDER BY rowid",
            (organization_id,),
        )
        return [state for (state,) in rows]


async def _until_ready(layout: Layout, process: asyncio.subprocess.Process, log_file: Path) -> None:
    def settled() -> bool:
        state = read_state(layout.state_file)
        return process.returncode is not None or (state is not None and state.phase == "ready")

    with contextlib.suppress(TimeoutError):
        await until(settled, START_SECONDS)
    if process.returncode is not None or not settled():
        await _stop(process)
        raise RuntimeError(f"the stack did not start:\n{log_file.read_text()}")


async def _stop(process: asyncio.subprocess.Process) -> None:
    stranger = Stranger.of(process.pid) if process.returncode is None else None
    if stranger is not None:
        await stranger.end(signal.SIGTERM, timeout_seconds=30)
    await process.wait()

"""One run of the dev stack: from an empty folder to ready, then until it is told to stop."""

import asyncio
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from devstack.environment import Databases, Environment, Variables
from devstack.layout import AlreadyRunningError, Layout, LayoutError
from devstack.mesh import NAMES, Mesh
from devstack.nats import NatsError
from devstack.ports import SERVICES, Ports, PortsTakenError, check_free
from devstack.postgres import SHARED_BUFFERS_MEGABYTES, PostgresError
from devstack.processes import Command, ProcessError, Stranger, spawn, stop
from devstack.state import StackState, read_state, write_state
from devstack.supervisor import Program, StartError, Supervisor

_READY_SECONDS = 60.0
_LEFTOVER_SECONDS = 8.0
_STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class UnknownProcessError(Exception):
    """A process name that the stack does not have."""


EXPECTED_ERRORS = (
    AlreadyRunningError,
    LayoutError,
    NatsError,
    PortsTakenError,
    PostgresError,
    ProcessError,
    StartError,
    UnknownProcessError,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What was asked for. `without` names processes that somebody else runs, or nobody.

    `extra` adds variables to single processes; fault tests arm crash points with it. `shared_buffers_megabytes` is
    PostgreSQL's memory for pages.
    """

    ports: Ports = field(default_factory=Ports)
    fresh: bool = False
    demo: bool = False
    preload: bool = sys.platform == "linux"
    without: frozenset[str] = frozenset()
    extra: Mapping[str, Variables] = field(default_factory=dict)
    shared_buffers_megabytes: int = SHARED_BUFFERS_MEGABYTES


class Stack:
    """Starts everything in order and keeps the state file telling the truth."""

    def __init__(self, layout: Layout, options: Options) -> None:
        self.layout = layout
        self.options = options
        self.environment = Environment(layout, options.ports, options.demo)
        self.ready_seconds: float | None = None
        self._mesh = Mesh(
            self.environment,
            extra=options.extra,
            preload=options.preload,
            shared_buffers_megabytes=options.shared_buffers_megabytes,
        )
        self._supervisor = Supervisor(layout.logs, on_change=self._write_state)
        self._phase = "starting"

    async def run(self, announce: Callable[["Stack"], None]) -> None:
        """Start, `announce`, wait for a signal, stop. Raises one of EXPECTED_ERRORS in plain words."""
        self.layout.prepare()
        with self.layout.locked():
            self.layout.trim_logs()
            asked = asyncio.create_task(self._stop_requested())
            starting = asyncio.create_task(self._start(announce))
            try:
                await asyncio.wait({starting, asked}, return_when=asyncio.FIRST_COMPLETED)
                if starting.done():
                    await starting
                    await asked
            finally:
                starting.cancel()
                await asyncio.wait({starting})
                self._enter("stopping")
                await self._supervisor.stop()
                if self._mesh.fork_server is not None:
                    await self._mesh.fork_server.stop()
                self.layout.state_file.unlink(missing_ok=True)
                asked.cancel()

    async def _start(self, announce: Callable[["Stack"], None]) -> None:
        loop = asyncio.get_running_loop()
        began_at = loop.time()
        if unknown := self.options.without - set(NAMES):
            known = ", ".join(NAMES)
            raise UnknownProcessError(f"no process is called {', '.join(sorted(unknown))}; there are {known}")
        await _end_leftovers(read_state(self.layout.state_file))
        if self.options.fresh:
            self.layout.empty()
        check_free(self._mesh.ports_of(set(NAMES) - self.options.without))
        self._enter("starting")
        loading = asyncio.create_task(self._preload())
        self.environment.prepare()
        await self._mesh.postgres.prepare()
        self._mesh.nats.prepare()
        self._launch([*self._mesh.servers(), *self._mesh.tools()])
        await self._supervisor.until_ready(_READY_SECONDS, only={"postgres", "nats"})
        databases = await self._databases()
        await loading
        await asyncio.gather(*(self._migrate(service, urls) for service, urls in databases.items()))
        self._launch(self._mesh.services(databases))
        await self._supervisor.until_ready(_READY_SECONDS)
        self.ready_seconds = round(loop.time() - began_at, 2)
        if self.options.demo:
            self._enter("loading demo data")
            await self._load_demo()
        announce(self)
        self._enter("ready")  # last: who waits for it reads what was announced

    def _launch(self, programs: Sequence[Program]) -> None:
        self._supervisor.start([p for p in programs if p.name not in self.options.without])

    async def _preload(self) -> None:
        served = any(
            name.endswith(("-serve", "-work", "gateway")) for name in set(NAMES) - self.options.without
        )
        if self._mesh.fork_server is not None and served:
            await self._mesh.fork_server.start()

    async def _databases(self) -> dict[str, Databases]:
        if "postgres" in self.options.without:
            return {}
        return {
            service: Databases(*await self._mesh.postgres.ensure_service(service)) for service in SERVICES
        }

    async def _migrate(self, service: str, databases: Databases) -> None:
        if {f"{service}-serve", f"{service}-work"} <= self.options.without:
            return
        await self._mesh.migrate(service, databases)

    async def _load_demo(self) -> None:
        ports = self.options.ports
        arguments = [sys.executable, "-m", "devstack", "load-demo"]
        arguments += ["--port", str(ports.public), "--base-port", str(ports.base)]
        process = await spawn(Command(arguments=arguments), sys.stdout.fileno())
        try:
            if await process.wait():
                raise StartError("the demo data could not be loaded (see above)")
        finally:
            await stop(process, signal.SIGTERM, timeout_seconds=3)

    async def _stop_requested(self) -> None:
        loop = asyncio.get_running_loop()
        asked = asyncio.Event()

        def ask() -> None:
            if asked.is_set():
                self._supervisor.kill()  # asked twice: no more patience
            asked.set()

        for number in _STOP_SIGNALS:
            loop.add_signal_handler(number, ask)
        await asked.wait()

    def _enter(self, phase: str) -> None:
        self._phase = phase
        self._write_state()

    def _write_state(self) -> None:
        state = StackState.of(
            phase=self._phase,
            public_url=self.environment.public_url,
            ready_seconds=self.ready_seconds,
            children=self._supervisor.children,
            logs=self.layout.logs,
        )
        write_state(self.layout.state_file, state)


async def _end_leftovers(state: StackState | None) -> None:
    """End what a killed supervisor left behind, where the kernel did not do it already."""
    if state is None:
        return
    strangers = [Stranger(p.pid, p.born) for p in state.processes if p.pid is not None]
    await asyncio.gather(*(stranger.end(signal.SIGTERM, _LEFTOVER_SECONDS) for stranger in strangers))

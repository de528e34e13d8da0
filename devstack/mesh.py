"""The processes of the dev stack: their commands, their environment, and how each shows that it is ready."""

import signal
import sys
from collections.abc import Container, Mapping
from dataclasses import replace
from typing import IO

from devstack.environment import Databases, Environment, Variables
from devstack.forkserver import ForkServer
from devstack.nats import Nats
from devstack.ports import SERVICES
from devstack.postgres import SHARED_BUFFERS_MEGABYTES, Postgres
from devstack.probes import http_ok
from devstack.processes import Command, ProcessError, Running, spawn, stop
from devstack.supervisor import Program

TOOLS = ("simulator", "mailbox", "traces")
PARTS = ("serve", "work")
NAMES = (*("postgres", "nats"), *TOOLS, *(f"{s}-{part}" for s in SERVICES for part in PARTS), "gateway")


class Mesh:
    """Builds programs; `extra` adds variables to single processes, by name.

    With `preload` services are forks of one process that has the heavy modules loaded, which saves most of
    the start-up time and memory; without it each is a new interpreter, as in a cluster.
    """

    def __init__(
        self,
        environment: Environment,
        *,
        extra: Mapping[str, Variables] | None = None,
        preload: bool = True,
        shared_buffers_megabytes: int = SHARED_BUFFERS_MEGABYTES,
    ) -> None:
        self.environment = environment
        self.fork_server = ForkServer(environment.layout.log_of("forkserver")) if preload else None
        ports = environment.ports
        self.postgres = Postgres(
            environment.layout.data / "postgres",
            ports["postgres"],
            shared_buffers_megabytes=shared_buffers_megabytes,
        )
        self.nats = Nats(environment.layout.data / "nats", ports["nats"])
        self._extra = extra or {}

    def ports_of(self, names: Container[str]) -> dict[str, int]:
        """The ports, by purpose, that the processes of these names listen on."""
        table = self.environment.ports.table()
        return {purpose: port for purpose, port in table.items() if _listener_of(purpose) in names}

    def servers(self) -> list[Program]:
        """PostgreSQL and NATS; their `prepare` must have run."""
        address = self.environment.ports.address
        return [
            Program(
                name="postgres",
                command=self.postgres.command,
                is_ready=self.postgres.is_ready,
                address=address("postgres"),
            ),
            Program(
                name="nats", command=self.nats.command, is_ready=self.nats.is_ready, address=address("nats")
            ),
        ]

    def tools(self) -> list[Program]:
        """The provider simulator, the mailbox and the trace page."""
        programs = []
        for name in TOOLS:
            address = self.environment.ports.address(name)
            command = self._python(name, ["-m", f"devstack.{name}"], self.environment.of_tool(name))
            ready = http_ok(address, "/")
            programs.append(Program(name=name, command=command, is_ready=ready, address=f"http://{address}"))
        return programs

    def services(self, databases: Mapping[str, Databases]) -> list[Program]:
        """Two processes for each service with a database, and the gateway."""
        programs = [
            self._service(service, part, databases[service])
            for service in SERVICES
            if service in databases
            for part in PARTS
        ]
        return [*programs, self._service("gateway", "serve", None)]

    async def migrate(self, service: str, databases: Databases) -> None:
        """Bring one service's tables up to date. Raises ProcessError with the log's end."""
        variables = self.environment.of_service(service, "migrate", "", databases)
        command = self._python(f"{service}-migrate", ["-m", f"services.{service}", "migrate"], variables)
        log_file = self.environment.layout.log_of(f"{service}-migrate")
        with log_file.open("w+b", buffering=0) as log:
            process = await self._spawn(command, log)
            try:
                status = await process.wait()
            finally:
                await stop(process, signal.SIGTERM, timeout_seconds=2)
        if status:
            text = log_file.read_text(errors="replace")
            raise ProcessError(f"the migrations of {service} failed:\n{text[-2000:].strip()}")

    def _service(self, service: str, part: str, databases: Databases | None) -> Program:
        name = service if databases is None else f"{service}-{part}"
        ports = self.environment.ports
        variables = self.environment.of_service(service, part, self.nats.url_for(service), databases)
        metrics = ports.address(f"{name}-metrics")
        address = f"http://{metrics}/metrics"
        if part == "serve":
            address = self.environment.public_url if databases is None else ports.address(f"{service}-grpc")
        return Program(
            name=name,
            command=self._python(name, ["-m", f"services.{service}", part], variables),
            is_ready=http_ok(metrics, "/readyz"),
            address=address,
            spawn=self._spawn,
        )

    async def _spawn(self, command: Command, log: IO[bytes]) -> Running:
        if self.fork_server is None:
            return await spawn(command, log)
        return await self.fork_server.spawn(command, log)

    def _python(self, name: str, arguments: list[str], variables: Variables) -> Command:
        command = Command(
            arguments=[sys.executable, *arguments], working_directory=self.environment.layout.home
        )
        return replace(command, environment=variables | self._extra.get(name, {}))


def _listener_of(purpose: str) -> str:
    """`payments-grpc` is listened on by payments-serve, `payments-work-metrics` by payments-work, ..."""
    name = purpose.removesuffix("-metrics").removesuffix("-smtp")
    return f"{name.removesuffix('-grpc')}-serve" if name.endswith("-grpc") else name

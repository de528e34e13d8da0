"""The stack that is measured: in a folder of its own, on free ports, never the one you work with."""

import asyncio
import json
import os
import random
import shutil
import signal
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

from chassis.rpc.client import Channel, connect
from chassis.rpc.tokens import TokenSigner
from chassis.settings import BaseServiceSettings
from devstack.environment import Environment
from devstack.layout import REPOSITORY, Layout
from devstack.ports import Ports, is_taken
from devstack.postgres import SHARED_BUFFERS_MEGABYTES, Postgres
from devstack.state import StackState, read_state

HOME = REPOSITORY / "build" / "bench-stack"
"""On the disk of the checkout: a folder in memory would make every flush free."""
_SPAN = 40
_START_SECONDS = 90.0
_STOP_SECONDS = 30.0


class StackFailedError(Exception):
    """The stack did not start or did not stop; the text has the end of its log."""


@dataclass(frozen=True, slots=True)
class Wishes:
    """What differs from `tallyport up`: processes left out, variables of single processes, PostgreSQL's memory."""

    without: Sequence[str] = ()
    extra: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    shared_buffers_megabytes: int = SHARED_BUFFERS_MEGABYTES


class BenchStack:
    """One run of the stack. As a context manager it is stopped at the end."""

    def __init__(self, home: Path, ports: Ports, wishes: Wishes | None = None) -> None:
        self.layout = Layout(home)
        self.environment = Environment(self.layout, ports)
        self.ready_seconds = 0.0
        self._wishes = wishes
        self._process: asyncio.subprocess.Process | None = None

    @property
    def url(self) -> str:
        """Address of the gateway."""
        return self.environment.public_url

    @property
    def log_file(self) -> Path:
        return self.layout.log_of("stack")

    def tool(self, name: str) -> str:
        """Address of the mailbox, the simulator or the traces."""
        return f"http://{self.environment.ports.address(name)}"

    def database_url(self, database: str) -> str:
        """A database as PostgreSQL's superuser, whom row-level security does not bind."""
        root = self.layout.data / "postgres"
        return (
            Postgres(root, self.environment.ports["postgres"]).admin_url.rpartition("/")[0] + f"/{database}"
        )

    def signer(self) -> TokenSigner:
        """Signs tokens that the services believe."""
        return TokenSigner(self.environment.secrets.token_signing_key_file.read_bytes())

    def channel(self, service: str, *, peer: str) -> Channel:
        """A connection to a service with the certificate of `peer`."""
        tls = self.layout.tls
        settings = BaseServiceSettings.model_validate(
            {
                "tls_ca_file": tls / "ca.pem",
                "tls_cert_file": tls / f"{peer}.pem",
                "tls_key_file": tls / f"{peer}-key.pem",
                f"{service}_address": self.environment.ports.address(f"{service}-grpc"),
            }
        )
        return connect(settings, service)

    def state(self) -> StackState:
        """What the supervisor says of itself."""
        state = read_state(self.layout.state_file)
        if state is None:
            raise StackFailedError("the stack is not running")
        return state

    async def __aenter__(self) -> Self:
        ports = self.environment.ports
        self.layout.prepare()
        if self._wishes is None:
            arguments = ["-m", "cli", "up", "--port", str(ports.public), "--base-port", str(ports.base)]
        else:
            wishes = asdict(self._wishes)
            home, public, base = str(self.layout.home), str(ports.public), str(ports.base)
            arguments = ["-m", "bench.stack_process", home, public, base, json.dumps(wishes)]
        began = time.perf_counter()
        with self.log_file.open("wb") as log:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable, *arguments, stdin=asyncio.subprocess.DEVNULL, stdout=log, stderr=log,
                cwd=REPOSITORY, env=os.environ | {"TALLYPORT_HOME": str(self.layout.home)},
                start_new_session=True,
            )  # fmt: skip
        try:
            await self._until_ready()
        except BaseException:
            await self._stop()
            raise
        self.ready_seconds = time.perf_counter() - began
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stop()

    async def _until_ready(self) -> None:
        assert self._process is not None
        give_up_at = time.monotonic() + _START_SECONDS
        while time.monotonic() < give_up_at:
            state = read_state(self.layout.state_file)
            if state is not None and state.pid == self._process.pid and state.phase == "ready":
                return
            if self._process.returncode is not None:
                break
            await asyncio.sleep(0.02)
        raise StackFailedError(f"the stack did not start:\n{self.log_file.read_text()[-2000:]}")

    async def _stop(self) -> None:
        process = self._process
        if process is None or process.returncode is not None:
            return
        process.send_signal(signal.SIGTERM)
        try:
            await asyncio.wait_for(process.wait(), _STOP_SECONDS)
        except TimeoutError:
            process.kill()
            raise StackFailedError(f"the stack did not stop within {_STOP_SECONDS:g} s") from None


def empty_home() -> Path:
    """Forget what an earlier run left."""
    shutil.rmtree(HOME, ignore_errors=True)
    HOME.mkdir(parents=True)
    return HOME


def free_ports() -> Ports:
    """A range that nobody listens on, below the ephemeral ports."""
    for _ in range(50):
        start = random.randrange(20_000, 32_000 - _SPAN)
        if not any(is_taken(port) for port in range(start, start + _SPAN)):
            return Ports(public=start, base=start + 10)
    raise StackFailedError("no free range of ports")

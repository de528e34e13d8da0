"""Runs one program of the dev stack as the process it is, on free ports."""

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from pathlib import Path

import httpx

from tests.support.servers import free_port
from tests.support.wait import until

ROOT = Path(__file__).parents[2]


def free_address() -> str:
    """A host:port nobody listens on."""
    return f"127.0.0.1:{free_port()}"


@dataclass
class Program:
    """A running program; `http` talks to it, `log` is what it has written."""

    process: asyncio.subprocess.Process
    http: httpx.AsyncClient
    log_file: Path

    @property
    def log(self) -> str:
        return self.log_file.read_text()

    async def stop(self, number: int = signal.SIGTERM) -> int:
        """Signal it and wait; the exit code."""
        with contextlib.suppress(ProcessLookupError):
            self.process.send_signal(number)
        return await asyncio.wait_for(self.process.wait(), 10)


@contextlib.asynccontextmanager
async def running(
    module: str, environment: dict[str, str], *, http_address: str, folder: Path
) -> AsyncGenerator[Program]:
    """Start `python -m module`, wait for /readyz, and stop it at the end."""
    log_file = folder / f"{module}.log"
    with log_file.open("ab") as log:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-W", "error", "-m", module),
            cwd=ROOT,
            env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), **environment},
            stdout=log,
            stderr=log,
        )
    async with httpx.AsyncClient(base_url=f"http://{http_address}", timeout=15) as http:
        program = Program(process, http, log_file)

        async def ready() -> bool:
            if process.returncode is not None:
                raise RuntimeError(f"{module} ended: {program.log}")
            with contextlib.suppress(httpx.TransportError):
                return (await http.get("/readyz")).status_code == 200
            return False

        try:
            await until(ready, timeout_seconds=20)
            yield program
        finally:
            await program.stop(signal.SIGTERM if process.returncode is None else 0)

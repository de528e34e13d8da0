"""The `tallyport` command with PostgreSQL and NATS alone: start, look, stop, be killed, start again."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
import pytest_asyncio

from devstack.mesh import NAMES
from devstack.processes import Stranger
from tests.support.servers import free_port
from tests.support.wait import until

SERVERS = {"postgres", "nats"}


@dataclass
class Machine:
    """A state folder and two ranges of ports, and the command run on them."""

    home: Path
    public_port: int = field(default_factory=free_port)
    base_port: int = field(default_factory=free_port)
    started: list[asyncio.subprocess.Process] = field(default_factory=list)

    async def command(self, *arguments: str) -> asyncio.subprocess.Process:
        """Start `tallyport ...`, its two streams joined."""
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "cli", *arguments),
            env=os.environ | {"TALLYPORT_HOME": str(self.home)},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        self.started.append(process)
        return process

    async def output(self, *arguments: str) -> tuple[int, str]:
        """Exit status and output of a command that ends by itself."""
        process = await self.command(*arguments)
        output, _ = await asyncio.wait_for(process.communicate(), 30)
        assert process.returncode is not None
        return process.returncode, output.decode()

    def up_arguments(self, *more: str) -> list[str]:
        without = [word for name in NAMES if name not in SERVERS for word in ("--without", name)]
        ports = ["--port", str(self.public_port), "--base-port", str(self.base_port)]
        return ["up", *ports, *without, *more]

    async def up(self, *more: str) -> asyncio.subprocess.Process:
        """Start the stack in the foreground and wait until it says that it is ready."""
        process = await self.command(*self.up_arguments(*more))
        assert process.stdout is not None
        async with asyncio.timeout(30):
            while b"is ready" not in (line := await process.stdout.readline()):
                assert line, "the stack ended before it was ready"
        return process

    async def status(self) -> dict[str, Any]:
        _, text = await self.output("status", "--json")
        report: dict[str, Any] = json.loads(text)
        return report

    async def strangers(self) -> list[Stranger]:
        """The stack's processes, to be looked at after its end."""
        found = [Stranger.of(process["pid"]) for process in (await self.status())["processes"]]
        return [stranger for stranger in found if stranger is not None]

    def database_url(self) -> str:
        password = (self.home / "data" / "postgres" / "passwords" / "payments_owner").read_text()
        return f"postgresql://payments_owner:{password}@127.0.0.1:{self.base_port}/payments"


@pytest_asyncio.fixture
async def machine(tmp_path: Path) -> AsyncIterator[Machine]:
    made = Machine(tmp_path / "state")
    yield made
    await made.output("down")
    for process in made.started:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def test_ctrl_c_ends_every_process(machine: Machine) -> None:
    stack = await machine.up()
    processes = await machine.strangers()
    assert len(processes) == len(SERVERS)
    stack.send_signal(signal.SIGINT)
    assert await asyncio.wait_for(stack.wait(), 10) == 0
    assert not any(process.alive for process in processes)


async def test_a_killed_supervisor_leaves_no_process_and_the_next_start_recovers(machine: Machine) -> None:
    stack = await machine.up()
    processes = await machine.strangers()
    async with await psycopg.AsyncConnection.connect(machine.database_url(), autocommit=True) as owner:
        await owner.execute("CREATE TABLE kept AS SELECT 42 AS answer")
    stack.kill()
    await until(lambda: not any(process.alive for process in processes))
    assert await machine.status() == {"running": False, "ready": False, "processes": []}
    await machine.up()
    async with await psycopg.AsyncConnection.connect(machine.database_url()) as owner:
        assert await (await owner.execute("SELECT answer FROM kept")).fetchone() == (42,)


async def test_status_tells_of_each_process_and_of_its_restart(machine: Machine) -> None:
    await machine.up()
    before = await machine.status()
    assert before["ready"] is True
    assert {process["name"] for process in before["processes"]} == SERVERS
    assert all(process["pss_kilobytes"] > 0 for process in before["processes"])
    killed = next(process for process in before["processes"] if process["name"] == "nats")
    os.kill(killed["pid"], signal.SIGKILL)

    async def restarted() -> bool:
        (nats,) = (p for p in (await machine.status())["processes"] if p["name"] == "nats")
        return bool(nats["ready"] and nats["restarts"] == 1 and nats["pid"] != killed["pid"])

    await until(restarted)


async def test_a_detached_stack_is_stopped_by_down(machine: Machine) -> None:
    code, text = await machine.output(*machine.up_arguments("--detach"))
    assert code == 0
    assert f"http://localhost:{machine.public_port}" in text
    processes = await machine.strangers()
    assert (await machine.output("down"))[0] == 0
    assert not any(process.alive for process in processes)
    assert (await machine.output("down"))[1].strip() == "Nothing is running."


async def test_a_taken_port_stops_the_start_with_its_number(machine: Machine) -> None:
    server = await asyncio.start_server(lambda *_: None, "127.0.0.1", machine.base_port)
    async with server:
        code, text = await machine.output(*machine.up_arguments())
    assert code == 1
    assert f"port {machine.base_port} (postgres) is taken by pid {os.getpid()}" in text
    assert "Traceback" not in text


async def test_one_folder_has_one_stack(machine: Machine) -> None:
    await machine.up()
    code, text = await machine.output(*machine.up_arguments())
    assert (code, text.strip()) == (1, f"tallyport: a stack is already running from {machine.home}")


async def test_fresh_forgets_all_data(machine: Machine) -> None:
    stack = await machine.up()
    async with await psycopg.AsyncConnection.connect(machine.database_url(), autocommit=True) as owner:
        await owner.execute("CREATE TABLE forgotten (id int)")
    stack.send_signal(signal.SIGTERM)
    await stack.wait()
    await machine.up("--fresh")
    async with await psycopg.AsyncConnection.connect(machine.database_url()) as owner:
        assert await (await owner.execute("SELECT to_regclass('forgotten')")).fetchone() == (None,)


async def test_a_folder_with_other_things_is_never_touched(machine: Machine) -> None:
    machine.home.mkdir()
    (machine.home / "data").mkdir()
    (machine.home / "data" / "thesis.txt").write_text("years of work")
    code, text = await machine.output(*machine.up_arguments("--fresh"))
    assert code == 1
    assert "holds something else" in text
    assert (machine.home / "data" / "thesis.txt").read_text() == "years of work"


async def test_a_process_that_does_not_exist_cannot_be_left_out(machine: Machine) -> None:
    code, text = await machine.output("up", "--without", "paymnts")
    assert code == 1
    assert "no process is called paymnts" in text


async def test_doctor_finds_the_taken_port(machine: Machine) -> None:
    server = await asyncio.start_server(lambda *_: None, "127.0.0.1", machine.public_port)
    ports = ["--port", str(machine.public_port), "--base-port", str(machine.base_port)]
    async with server:
        code, text = await machine.output("doctor", *ports)
    assert code == 1
    assert f"port {machine.public_port} (gateway) is taken" in text
    assert (await machine.output("doctor", *ports))[0] == 0


async def test_logs_shows_what_a_process_printed(machine: Machine) -> None:
    await machine.up()
    code, text = await machine.output("logs", "postgres")
    assert code == 0
    assert "database system is ready to accept connections" in text
    code, text = await machine.output("logs", "nobody")
    assert code == 1
    assert "postgres" in text

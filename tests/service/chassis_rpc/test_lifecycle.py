"""Processes start, answer health checks and stop in time."""

import asyncio
import os
import signal
import sys
from pathlib import Path
from typing import Any

import pytest

from chassis.lifecycle import HealthServer, run

PROGRAM = """
import asyncio, os, sys
from chassis.lifecycle import HealthServer, main, run
from chassis.settings import BaseServiceSettings

async def announce(health):
    while health.port == 0:
        await asyncio.sleep(0.01)
    print(health.port, type(asyncio.get_running_loop()).__module__, flush=True)
    await asyncio.Event().wait()

async def serve():
    settings = BaseServiceSettings.load()
    health = HealthServer(settings.metrics_listen)
    await run(health.serve, announce(health))

async def work():
    raise RuntimeError("the work cannot be done")

main("echo", serve=serve, work=work)
"""
ROOT = Path(__file__).parents[3]


async def start(command: str, **environment: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        PROGRAM,
        command,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": f"{ROOT}:{ROOT / 'gen'}", **environment},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )


async def get(port: int, path: str, method: str = "GET") -> tuple[int, str]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(f"{method} {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        answer = (await reader.read()).decode()
    finally:
        writer.close()
        await writer.wait_closed()
    head, _, body = answer.partition("\r\n\r\n")
    return int(head.split(" ")[1]), body


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_process_serves_on_uvloop_and_stops_on_a_signal(number: signal.Signals) -> None:
    process = await start("serve")
    assert process.stdout is not None
    port, loop = (await asyncio.wait_for(process.stdout.readline(), 20)).decode().split()
    assert loop.startswith("uvloop")
    assert await get(int(port), "/livez") == (200, "ok\n")
    process.send_signal(number)
    await asyncio.wait_for(process.communicate(), 5)
    assert process.returncode == 0


@pytest.mark.parametrize(
    ("command", "environment", "code", "message"),
    [
        ("dance", {}, 2, "usage: python -m services.echo serve|work"),
        ("migrate", {}, 2, "usage"),
        ("serve", {"TALLYPORT_GRCP_LISTEN": "x"}, 2, "echo: unknown settings: TALLYPORT_GRCP_LISTEN"),
        ("work", {}, 1, "the work cannot be done"),
    ],
)
async def test_process_says_why_it_cannot_run(
    command: str, environment: dict[str, str], code: int, message: str
) -> None:
    process = await start(command, **environment)
    out, err = await asyncio.wait_for(process.communicate(), 20)
    assert process.returncode == code
    assert message in (out + err).decode()


async def test_failure_of_one_part_stops_the_others_and_is_raised() -> None:
    ended: list[str] = []

    async def server(stop: asyncio.Event) -> None:
        await stop.wait()
        ended.append("server")

    async def loop() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append("loop")

    async def broken() -> None:
        raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        await run(server, loop(), broken())
    assert sorted(ended) == ["loop", "server"]


async def test_health_server_reports_checks_and_figures() -> None:
    ready: dict[str, Any] = {"database": True, "nats": True}

    async def nats() -> bool:
        if ready["nats"] is None:
            raise ConnectionError("away")
        return bool(ready["nats"])

    server = HealthServer("127.0.0.1:0", {"database": lambda: ready["database"], "nats": nats})
    async with server.started():
        assert await get(server.port, "/readyz") == (200, '{"database": true, "nats": true}\n')
        ready["nats"] = None
        assert await get(server.port, "/readyz") == (503, '{"database": true, "nats": false}\n')
        status, figures = await get(server.port, "/metrics?x=1")
        assert status == 200
        assert "process_resident_memory_bytes" in figures
        assert await get(server.port, "/livez", "HEAD") == (200, "")
        assert (await get(server.port, "/nothing"))[0] == 404
        assert (await get(server.port, "/livez", "POST"))[0] == 405
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(b"garbage\r\n\r\n")
        assert await reader.read() == b""
        writer.close()
        await writer.wait_closed()

"""Runs one ASGI application with its background work until SIGTERM or SIGINT."""

import asyncio
import contextlib
import gc
import logging
import signal
import socket
import sys
from collections.abc import Awaitable, Callable, Coroutine, Generator, Mapping, Sequence
from typing import Any

import uvicorn
import uvloop

from devstack.webkit.asgi import App

logger = logging.getLogger("devstack")

Background = Callable[[], Coroutine[Any, Any, None]]


class StartError(Exception):
    """A setting is missing or wrong, or an address is taken; the text says which."""


class _Server(uvicorn.Server):
    """uvicorn without its signal handling, which would end the process before our own clean-up."""

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None]:
        yield


def needed(environment: Mapping[str, str], name: str) -> str:
    """A setting that must be there."""
    value = environment.get(name, "")
    if not value:
        raise StartError(f"{name} is not set")
    return value


def listening_socket(address: str, setting: str) -> socket.socket:
    """Bind `host:port` now, so that a taken port is a clear message and not a stack trace."""
    host, _, port = address.rpartition(":")
    if not host or not port.isdigit():
        raise StartError(f"{setting}={address!r} is not host:port")
    try:
        return socket.create_server((host, int(port)), backlog=1024, reuse_port=False)
    except OSError as error:
        raise StartError(f"{setting}: cannot listen on {address}: {error.strerror}") from error


async def serve(app: App, listener: socket.socket, background: Sequence[Background] = ()) -> None:
    """Serve until a stop signal; requests still running a second later are cut off."""
    config = uvicorn.Config(
        app,
        http="httptools",
        ws="none",
        lifespan="off",
        loop="none",
        log_config=None,
        log_level="error",
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=1,
        timeout_keep_alive=30,
    )
    server = _Server(config)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, setattr, server, "should_exit", True)
    tasks = [asyncio.create_task(run()) for run in background]
    for task in tasks:
        task.add_done_callback(lambda done: _stop_on_failure(done, server))
    await server.serve(sockets=[listener])
    for task in tasks:
        task.cancel()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    for result in results:
        if isinstance(result, Exception):
            raise result


def _stop_on_failure(task: asyncio.Task[None], server: uvicorn.Server) -> None:
    if not task.cancelled() and task.exception() is not None:
        server.should_exit = True


def run(main: Callable[[], Awaitable[None]]) -> None:
    """Entry point of a dev-stack process: plain log lines, uvloop, exit code 1 on a bad setting."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    gc.freeze()

    async def entry() -> None:
        await main()

    try:
        uvloop.run(entry())
    except StartError as error:
        logger.error("%s", error)
        sys.exit(1)

"""How a process starts, runs its parts side by side, and stops within five seconds when asked to."""

import asyncio
import contextlib
import inspect
import json
import signal
import sys
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from typing import Any, Final

import structlog

from chassis import telemetry
from chassis.settings import SettingsError, split_address

STOP_SECONDS: Final = 5.0
_CHECK_SECONDS: Final = 2.0
_REQUEST_SECONDS: Final = 5.0
_MAX_HEADER_BYTES: Final = 16_384

Part = Coroutine[Any, Any, None] | Callable[[asyncio.Event], Awaitable[None]]
Command = Callable[[], Coroutine[Any, Any, None]]
Check = Callable[[], bool | Awaitable[bool]]

_log = structlog.get_logger("lifecycle")


async def run(*parts: Part) -> None:
    """Runs all parts until SIGTERM or SIGINT, or until one of them ends or fails, which stops the others.

    A part is a function that takes the stop event and then ends by itself in time (servers), or a coroutine,
    which is cancelled (loops whose every step is safe to lose). The first failure is raised at the end.
    """
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    patient: list[asyncio.Task[None]] = []
    hasty: list[asyncio.Task[None]] = []
    for part in parts:
        if inspect.iscoroutine(part):
            hasty.append(loop.create_task(_watched(part, stop)))
        else:
            patient.append(loop.create_task(_watched(part(stop), stop)))  # type: ignore[operator]
    try:
        await stop.wait()
    finally:
        stop.set()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(number)
        await _end(patient, hasty)
    for task in (*patient, *hasty):
        if not task.cancelled() and (error := task.exception()) is not None:
            raise error


async def _watched(part: Awaitable[None], stop: asyncio.Event) -> None:
    try:
        await part
    finally:
        stop.set()


async def _end(patient: list[asyncio.Task[None]], hasty: list[asyncio.Task[None]]) -> None:
    for task in hasty:
        task.cancel()
    everything = [*patient, *hasty]
    if not everything:
        return
    _, late = await asyncio.wait(everything, timeout=STOP_SECONDS)
    for task in late:
        task.cancel()
    if late:
        _log.warning("stopped before everything had ended", parts=len(late))
        await asyncio.wait(late, timeout=1.0)


def main(
    service: str,
    *,
    serve: Command,
    work: Command | None = None,
    migrate: Command | None = None,
    arguments: list[str] | None = None,
) -> None:
    """`python -m services.<service> serve|work|migrate`: runs one command on uvloop and exits the process.

    Exit codes: 0 done or stopped, 1 failed, 2 wrong command or configuration.
    """
    commands = {"serve": serve, "work": work, "migrate": migrate}
    known = [name for name, command in commands.items() if command is not None]
    given = sys.argv[1:] if arguments is None else arguments
    command = commands.get(given[0]) if len(given) == 1 else None
    if command is None:
        print(f"usage: python -m services.{service} {'|'.join(known)}", file=sys.stderr)
        raise SystemExit(2)
    try:
        with asyncio.Runner(loop_factory=_loop_factory()) as runner:
            runner.run(command())
    except SettingsError as error:
        print(f"{service}: {error}", file=sys.stderr)
        raise SystemExit(2) from None
    except KeyboardInterrupt:
        raise SystemExit(0) from None
    except Exception as error:
        _log.error("process failed", service=service, command=given[0], exc_info=error)
        raise SystemExit(1) from None
    finally:
        telemetry.shutdown()


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    try:
        import uvloop
    except ImportError:
        return None
    return uvloop.new_event_loop


class HealthServer:
    """Plain HTTP on the metrics address: /metrics, /livez and /readyz with the named checks.

    Alive means that the event loop turns; ready means that every check holds.
    """

    def __init__(self, listen: str, checks: Mapping[str, Check] | None = None) -> None:
        self._listen = listen
        self._checks = dict(checks or {})
        self.port = 0
        """The bound port, once started."""

    async def serve(self, stop: asyncio.Event) -> None:
        """Answers until `stop` is set. Raises OSError when the address is taken."""
        async with self.started():
            await stop.wait()

    @contextlib.asynccontextmanager
    async def started(self) -> Any:
        """Answers while the block runs."""
        host, port = split_address(self._listen)
        server = await asyncio.start_server(self._connection, host, port, limit=_MAX_HEADER_BYTES)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()

    async def _connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(_REQUEST_SECONDS):
                head = await reader.readuntil(b"\r\n\r\n")
                method, path, _ = head.split(b"\r\n", 1)[0].decode("latin-1").split(" ", 2)
                status, kind, body = await self._answer(method, path.split("?", 1)[0])
                writer.write(
                    f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n"
                    "Connection: close\r\nCache-Control: no-store\r\n\r\n".encode()
                )
                writer.write(b"" if method == "HEAD" else body)
                await writer.drain()
        except (TimeoutError, ValueError, OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass  # a bad or vanished client gets no answer
        finally:
            writer.close()

    async def _answer(self, method: str, path: str) -> tuple[str, str, bytes]:
        if method not in ("GET", "HEAD"):
            return "405 Method Not Allowed", "text/plain", b"method not allowed\n"
        if path == "/livez":
            return "200 OK", "text/plain", b"ok\n"
        if path == "/readyz":
            results = await self._run_checks()
            body = json.dumps(results).encode() + b"\n"
            return "200 OK" if all(results.values()) else "503 Service Unavailable", "application/json", body
        if path == "/metrics":
            from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

            return "200 OK", CONTENT_TYPE_LATEST, generate_latest()
        return "404 Not Found", "text/plain", b"not found\n"

    async def _run_checks(self) -> dict[str, bool]:
        names = list(self._checks)
        results = await asyncio.gather(*(_holds(self._checks[name]) for name in names))
        return dict(zip(names, results, strict=True))


async def _holds(check: Check) -> bool:
    try:
        async with asyncio.timeout(_CHECK_SECONDS):
            result = check()
            return bool(await result) if inspect.isawaitable(result) else bool(result)
    except Exception as error:
        _log.warning("readiness check failed", exc_info=error)
        return False

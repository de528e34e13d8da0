"""The supervisor's side of the fork server: starts Python modules as forks of one loaded process."""

import asyncio
import contextlib
import json
import os
import signal
import socket
import sys
from pathlib import Path
from typing import IO, Any

from devstack.processes import Command, ProcessError, spawn, stop

_MESSAGE_BYTES = 1 << 17
_START_SECONDS = 60.0


class Fork:
    """A process forked for us; looks like asyncio's Process as far as the supervisor goes."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.returncode: int | None = None
        self._ended = asyncio.Event()

    async def wait(self) -> int:
        """The exit status, once there is one."""
        await self._ended.wait()
        assert self.returncode is not None
        return self.returncode

    def kill(self) -> None:
        """SIGKILL."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)

    def end(self, status: int) -> None:
        """Told by the fork server: it has ended."""
        self.returncode = status
        self._ended.set()


class ForkServer:
    """One loaded process, started on first use and again when it died; its forks die with it."""

    def __init__(self, log_file: Path) -> None:
        self._log_file = log_file
        self._process: asyncio.subprocess.Process | None = None
        self._channel: socket.socket | None = None
        self._ready: asyncio.Future[None] | None = None
        self._asked: list[asyncio.Future[Fork]] = []
        self._forks: dict[int, Fork] = {}
        self._starting = asyncio.Lock()

    @property
    def pid(self) -> int | None:
        """The loaded process, None before the first start."""
        return None if self._process is None else self._process.pid

    async def start(self) -> None:
        """Load the modules, return when forks can be made. Raises ProcessError when they cannot be loaded."""
        async with self._starting:
            if self._channel is not None:
                return
            loop = asyncio.get_running_loop()
            ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            ours.setblocking(False)
            command = Command(
                arguments=[sys.executable, "-P", "-m", "devstack.forkserver_process", str(theirs.fileno())]
            )
            with theirs, self._log_file.open("ab") as log:
                self._process = await spawn(command, log, pass_descriptors=(theirs.fileno(),))
            self._channel, self._ready = ours, loop.create_future()
            loop.add_reader(ours, self._receive)
            try:
                await asyncio.wait_for(self._ready, _START_SECONDS)
            except TimeoutError:
                raise ProcessError(f"modules are not loaded after {_START_SECONDS:g} s") from None

    async def spawn(self, command: Command, log: IO[bytes]) -> Fork:
        """Start `python -m module arguments...` as a fork."""
        interpreter, flag, module, *arguments = command.arguments
        if (interpreter, flag) != (sys.executable, "-m"):
            raise ValueError(f"only modules of this interpreter can be forked: {command.arguments}")
        request = {
            "module": module,
            "arguments": arguments,
            "environment": dict(os.environ if command.environment is None else command.environment),
            "working_directory": str(command.working_directory or Path.cwd()),
        }
        await self.start()
        assert self._channel is not None
        answer: asyncio.Future[Fork] = asyncio.get_running_loop().create_future()
        self._asked.append(answer)
        socket.send_fds(self._channel, [json.dumps(request).encode()], [log.fileno()])
        return await answer

    async def stop(self) -> None:
        """End the server; what it forked must have ended before."""
        if self._process is not None:
            await stop(self._process, signal.SIGTERM, timeout_seconds=2)
            self._hang_up()

    def _receive(self) -> None:
        assert self._channel is not None
        try:
            while message := self._channel.recv(_MESSAGE_BYTES):
                self._handle(json.loads(message))
        except BlockingIOError:
            return
        except OSError:
            pass
        self._hang_up()

    def _handle(self, message: dict[str, Any]) -> None:
        if "ready" in message:
            assert self._ready is not None
            self._ready.set_result(None)
        elif "started" in message:
            fork = self._forks[message["started"]] = Fork(message["started"])
            answer = self._asked.pop(0)
            if answer.cancelled():
                fork.kill()
            else:
                answer.set_result(fork)
        else:
            self._forks.pop(message["ended"]).end(message["status"])

    def _hang_up(self) -> None:
        if self._channel is None:
            return
        asyncio.get_running_loop().remove_reader(self._channel)
        self._channel.close()
        self._channel = None
        gone = ProcessError(f"the process that loads the modules has ended, see {self._log_file}")
        for waiting in (self._ready, *self._asked):
            if waiting is not None and not waiting.done():
                waiting.set_exception(gone)
        self._asked.clear()
        for fork in self._forks.values():
            fork.end(-signal.SIGKILL)
        self._forks.clear()

"""Child processes that never outlive their parent, and what must be known about strangers' processes.

Linux ends a child through PDEATHSIG even when its parent was killed with SIGKILL. Elsewhere the next start
finds the left-over by its recorded pid and start time (see `Stranger`).
"""

import asyncio
import contextlib
import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Protocol

_PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


def dying_with_parent(death_signal: signal.Signals) -> Callable[[], None]:
    """A preexec function: the kernel sends `death_signal` to the child when the calling thread ends."""
    parent_pid = os.getpid()

    def preexec() -> None:
        if _LIBC is None:
            return
        _LIBC.prctl(_PR_SET_PDEATHSIG, int(death_signal), 0, 0, 0)
        if os.getppid() != parent_pid:  # the parent died between fork and prctl
            os._exit(1)

    return preexec


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """How one process is started and how it is asked to stop."""

    arguments: Sequence[str]
    environment: Mapping[str, str] | None = None
    working_directory: Path | None = None
    stop_signal: signal.Signals = signal.SIGTERM
    death_signal: signal.Signals = signal.SIGKILL


class Running(Protocol):
    """A started process, whoever started it."""

    @property
    def pid(self) -> int: ...

    @property
    def returncode(self) -> int | None: ...

    async def wait(self) -> int: ...

    def kill(self) -> None: ...


async def spawn(
    command: Command, log: IO[bytes] | int, *, pass_descriptors: Sequence[int] = ()
) -> asyncio.subprocess.Process:
    """Start `command` in its own session: Ctrl-C reaches the supervisor only. Output goes to `log`."""
    return await asyncio.create_subprocess_exec(
        *command.arguments,
        env=None if command.environment is None else dict(command.environment),
        cwd=command.working_directory,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=log,
        stderr=asyncio.subprocess.STDOUT,
        start_new_session=True,
        pass_fds=pass_descriptors,
        preexec_fn=dying_with_parent(command.death_signal),
    )


async def stop(process: Running, stop_signal: signal.Signals, timeout_seconds: float) -> int:
    """Ask with `stop_signal`, insist with SIGKILL after `timeout_seconds`; returns the exit status."""
    if process.returncode is not None:
        return process.returncode
    _send(process.pid, stop_signal)
    try:
        return await asyncio.wait_for(process.wait(), timeout_seconds)
    except TimeoutError:
        _send(process.pid, signal.SIGKILL)
        return await process.wait()


async def run_to_end(command: Command) -> str:
    """Run `command`, return its output; raises ProcessError with the output when its status is not 0."""
    process = await spawn(command, asyncio.subprocess.PIPE)
    try:
        output, _ = await process.communicate()
    except asyncio.CancelledError:
        await stop(process, signal.SIGKILL, timeout_seconds=1)
        raise
    text = output.decode(errors="replace")
    if process.returncode:
        raise ProcessError(
            f"{' '.join(command.arguments[:3])}: exit status {process.returncode}\n{text.strip()}"
        )
    return text


class ProcessError(Exception):
    """A child ended badly; the text says which one and what it printed last."""


@dataclass(frozen=True, slots=True)
class Stranger:
    """A process of an earlier run: its pid, and its start time against reuse of the pid."""

    pid: int
    started_at: str

    @classmethod
    def of(cls, pid: int) -> "Stranger | None":
        """The living process with this pid, None when there is none."""
        started_at = _start_time(pid)
        return None if started_at is None else cls(pid, started_at)

    @property
    def alive(self) -> bool:
        return _start_time(self.pid) == self.started_at

    async def end(self, stop_signal: signal.Signals, timeout_seconds: float) -> None:
        """Stop it as `stop` does; a process that is already gone is fine."""
        for chosen, patience_seconds in ((stop_signal, timeout_seconds), (signal.SIGKILL, 5.0)):
            if not self.alive:
                return
            _send(self.pid, chosen)
            if await _until(lambda: not self.alive, patience_seconds):
                return


def command_line(pid: int) -> str:
    """The command line of a living process, empty when it cannot be read."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
    except OSError:
        return "" if Path("/proc/self").exists() else _ps(pid, "command=")


def _start_time(pid: int) -> str | None:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None if Path("/proc/self").exists() else (_ps(pid, "lstart=") or None)
    fields = stat.rpartition(")")[2].split()
    return None if fields[0] in "ZX" else fields[19]


def _ps(pid: int, column: str) -> str:
    answer = subprocess.run(["ps", "-o", column, "-p", str(pid)], capture_output=True, text=True, check=False)
    return answer.stdout.strip()


def _send(pid: int, chosen: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, chosen)


async def _until(condition: Callable[[], bool], timeout_seconds: float) -> bool:
    loop = asyncio.get_running_loop()
    give_up_at = loop.time() + timeout_seconds
    while not condition():
        if loop.time() > give_up_at:
            return False
        await asyncio.sleep(0.02)
    return True

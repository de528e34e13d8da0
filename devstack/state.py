"""What runs now, written by the supervisor on every change, read by `status`, `down` and the next start."""

import json
import os
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from devstack.private_files import write_private
from devstack.processes import Stranger
from devstack.supervisor import Child


@dataclass(frozen=True, slots=True)
class ProcessState:
    """One process; `born` tells it from a later one with the same pid."""

    name: str
    state: str
    pid: int | None
    born: str
    restarts: int
    last_exit: int | None
    address: str
    log: str


@dataclass(frozen=True, slots=True)
class StackState:
    """The whole stack. `phase` is starting, loading demo data, ready or stopping."""

    phase: str
    pid: int
    born: str
    public_url: str
    ready_seconds: float | None
    processes: tuple[ProcessState, ...]

    @classmethod
    def of(
        cls,
        *,
        phase: str,
        public_url: str,
        ready_seconds: float | None,
        children: Iterable[Child],
        logs: Path,
    ) -> "StackState":
        """The state of this supervisor process with its children."""
        processes = tuple(_of_child(child, logs) for child in children)
        return cls(phase, os.getpid(), _born(os.getpid()), public_url, ready_seconds, processes)

    @property
    def supervisor(self) -> Stranger:
        return Stranger(self.pid, self.born)


def write_state(file: Path, state: StackState) -> None:
    """Replace the state file in one step."""
    write_private(file, json.dumps(asdict(state), indent=1))


def read_state(file: Path) -> StackState | None:
    """The last state written, None when there is none. It may be of a supervisor that was killed."""
    try:
        fields = json.loads(file.read_text())
    except FileNotFoundError:
        return None
    fields["processes"] = tuple(ProcessState(**process) for process in fields["processes"])
    return StackState(**fields)


def _of_child(child: Child, logs: Path) -> ProcessState:
    return ProcessState(
        name=child.program.name,
        state=child.state.value,
        pid=child.pid,
        born="" if child.pid is None else _born(child.pid),
        restarts=child.restarts,
        last_exit=child.last_exit,
        address=child.program.address,
        log=str(logs / f"{child.program.name}.log"),
    )


def _born(pid: int) -> str:
    stranger = Stranger.of(pid)
    return "" if stranger is None else stranger.started_at

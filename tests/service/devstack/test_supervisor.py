"""The supervisor with tiny stand-in commands: restarts with pauses, gives up clearly, stops in order."""

import asyncio
import signal
import sys
from pathlib import Path

import pytest

from devstack.processes import Command, Stranger
from devstack.supervisor import Child, Program, StartError, State, Supervisor
from tests.support.wait import until


def program(name: str, script: str, *, ready: bool = True) -> Program:
    async def is_ready() -> bool:
        return ready

    command = Command(arguments=[sys.executable, "-c", script])
    return Program(name=name, command=command, is_ready=is_ready)


SLEEPING = "import time; time.sleep(600)"


def noting(name: str, notes: Path) -> str:
    """A script that appends `name` to `notes` when it is asked to stop."""
    return f"""
import signal, sys, time
def end(*_):
    with open({str(notes)!r}, "a") as file: file.write("{name}\\n")
    sys.exit(0)
signal.signal(signal.SIGTERM, end)
print("listening", flush=True)
time.sleep(600)
"""


@pytest.fixture
def supervisor(tmp_path: Path) -> Supervisor:
    return Supervisor(tmp_path)


def kill(child: Child) -> None:
    assert child.process is not None
    child.process.kill()


async def test_a_dead_child_is_started_again(supervisor: Supervisor) -> None:
    supervisor.start([program("sleeper", SLEEPING)])
    await supervisor.until_ready(10)
    (child,) = supervisor.children
    first_pid = child.pid
    kill(child)
    await until(lambda: child.pid not in (None, first_pid) and child.state is State.READY)
    assert child.restarts == 1
    assert child.last_exit == -signal.SIGKILL
    await supervisor.stop()


async def test_pauses_between_restarts_grow(supervisor: Supervisor, tmp_path: Path) -> None:
    supervisor.start([program("failing", "raise SystemExit(7)", ready=False)])
    (child,) = supervisor.children
    await until(lambda: child.restarts >= 4)
    await supervisor.stop()
    log = (tmp_path / "failing.log").read_text()
    pauses = [float(line.split()[-2]) for line in log.splitlines() if "ended with status 7" in line]
    assert pauses[:4] == [0.2, 0.4, 0.8, 1.6]


async def test_a_child_that_keeps_ending_is_reported_with_the_end_of_its_log(supervisor: Supervisor) -> None:
    supervisor.start([program("broken", "raise SystemExit('DATABASE_URL is not set')", ready=False)])
    with pytest.raises(StartError) as caught:
        await supervisor.until_ready(10)
    await supervisor.stop()
    assert "broken does not start: ended with status 1" in str(caught.value)
    assert "DATABASE_URL is not set" in str(caught.value)


async def test_a_slow_child_is_named_when_time_is_up(supervisor: Supervisor) -> None:
    supervisor.start([program("quick", SLEEPING), program("slow", SLEEPING, ready=False)])
    with pytest.raises(StartError, match=r"not ready after 0\.5 s: slow"):
        await supervisor.until_ready(0.5)
    await supervisor.stop()


async def test_later_stages_are_stopped_before_earlier_ones(supervisor: Supervisor, tmp_path: Path) -> None:
    notes = tmp_path / "notes"
    for name in ("server", "service", "gateway"):
        supervisor.start([program(name, noting(name, notes))])
    await until(lambda: all("listening" in log.read_text() for log in tmp_path.glob("*.log"))
                and len(list(tmp_path.glob("*.log"))) == 3)  # fmt: skip
    await supervisor.stop()
    assert notes.read_text().split() == ["gateway", "service", "server"]
    assert all(child.state is State.STOPPED for child in supervisor.children)


async def test_a_child_that_ignores_being_asked_is_killed_when_asked_twice(supervisor: Supervisor) -> None:
    stubborn = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(1, flush=True); time.sleep(600)"  # noqa: E501
    supervisor.start([program("stubborn", stubborn)])
    await supervisor.until_ready(10)
    (child,) = supervisor.children
    assert child.pid is not None
    process = Stranger.of(child.pid)
    stopping = asyncio.create_task(supervisor.stop())
    supervisor.kill()
    await asyncio.wait_for(stopping, 5)
    assert process is not None
    assert not process.alive


async def test_a_child_that_waits_for_its_restart_is_stopped_at_once(supervisor: Supervisor) -> None:
    supervisor.start([program("failing", "raise SystemExit(7)", ready=False)])
    (child,) = supervisor.children
    await until(lambda: child.state is State.WAITING)
    await asyncio.wait_for(supervisor.stop(), 2)
    assert child.state is State.STOPPED

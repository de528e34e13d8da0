"""Forks of the loaded process are as separate as new interpreters; `timeit` stands in for a service."""

import os
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from devstack.forkserver import Fork, ForkServer
from devstack.processes import Command, ProcessError, Stranger
from tests.support.wait import until


class Forks:
    """A fork server, and what its forks print."""

    def __init__(self, folder: Path) -> None:
        self.server = ForkServer(folder / "forkserver.log")
        self.folder = folder
        self._count = 0

    async def start(self, script: str, **variables: str) -> tuple[Fork, Path]:
        self._count += 1
        output = self.folder / f"fork-{self._count}.log"
        command = Command(
            arguments=[sys.executable, "-m", "timeit", "-n1", "-r1", script],
            environment=variables,
            working_directory=self.folder,
        )
        with output.open("wb") as log:
            return await self.server.spawn(command, log), output

    async def run(self, script: str, **variables: str) -> tuple[int, str]:
        fork, output = await self.start(script, **variables)
        return await fork.wait(), output.read_text()


@pytest_asyncio.fixture(scope="module")
async def forks(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Forks]:
    made = Forks(tmp_path_factory.mktemp("forks"))
    await made.server.start()
    yield made
    await made.server.stop()


async def test_a_fork_has_its_own_environment_folder_and_output(forks: Forks) -> None:
    script = "import os; print(dict(os.environ), os.getcwd(), os.getsid(0) == os.getpid())"
    status, text = await forks.run(script, GREETING="hello")
    assert status == 0
    assert f"{{'GREETING': 'hello'}} {forks.folder} True" in text


async def test_what_one_fork_changes_no_other_sees(forks: Forks) -> None:
    assert (await forks.run("import chassis; chassis.changed = True"))[0] == 0
    assert "False" in (await forks.run("import chassis; print(hasattr(chassis, 'changed'))"))[1]


async def test_two_forks_draw_different_ids_and_random_numbers(forks: Forks) -> None:
    script = "import random; from chassis.ids import new_id; print(new_id('inv')[-20:], random.random())"
    first, second = [(await forks.run(script))[1].splitlines()[0].split() for _ in range(2)]
    assert first[0] != second[0]
    assert first[1] != second[1]


async def test_the_exit_status_and_the_signal_of_a_fork_are_told(forks: Forks) -> None:
    assert (await forks.run("import os; os._exit(7)"))[0] == 7
    fork, _ = await forks.start("import time; time.sleep(600)")
    fork.kill()
    assert await fork.wait() == -signal.SIGKILL


async def test_a_fork_has_one_thread_and_no_descriptor_of_the_server(forks: Forks) -> None:
    script = "import os; print(len(os.listdir('/proc/self/task')), sorted(os.listdir('/proc/self/fd')))"
    _, text = await forks.run(script)
    threads, _, descriptors = text.splitlines()[0].partition(" ")
    assert threads == "1"
    assert descriptors == "['0', '1', '2', '3']"  # 3 is the listing itself


async def test_forks_die_with_the_server_which_comes_back_when_needed(forks: Forks) -> None:
    fork, _ = await forks.start("import time; time.sleep(600)")
    process = Stranger.of(fork.pid)
    assert forks.server.pid is not None
    os.kill(forks.server.pid, signal.SIGKILL)
    assert await fork.wait() == -signal.SIGKILL
    await until(lambda: process is not None and not process.alive)
    assert (await forks.run("pass"))[0] == 0


async def test_only_modules_of_this_interpreter_are_forked(forks: Forks) -> None:
    with pytest.raises(ValueError, match="only modules"), Path(os.devnull).open("wb") as log:
        await forks.server.spawn(Command(arguments=["/bin/sh", "-c", "true"]), log)


async def test_modules_that_cannot_be_loaded_are_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", "/bin/false")
    server = ForkServer(tmp_path / "forkserver.log")
    with pytest.raises(ProcessError, match="has ended"):
        await server.start()
    await server.stop()

"""Named places where a test can kill the process, to prove that nothing is lost or done twice there.

Armed only by the environment: TALLYPORT_CRASHPOINT=`name` dies at the first pass, `name:nth` at the nth.
`@/path` arms while the process runs: it dies once at the point that the file names, and takes the file along,
so that the process started after it lives.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

EXIT_CODE = 137


class _Trap(Protocol):
    def step(self, name: str) -> None: ...


class _CountingTrap:
    def __init__(self, spec: str, action: Callable[[], None]) -> None:
        self._name, _, nth = spec.partition(":")
        self._passes_left = int(nth or 1)
        self._action = action

    def step(self, name: str) -> None:
        if name != self._name:
            return
        self._passes_left -= 1
        if self._passes_left == 0:
            self._action()


class _FileTrap:
    def __init__(self, file: Path) -> None:
        self._file = file

    def step(self, name: str) -> None:
        try:
            if self._file.read_text().strip() != name:
                return
            self._file.unlink()
        except FileNotFoundError:
            return
        _die()


def _die() -> None:
    os._exit(EXIT_CODE)


def _from_environment() -> _Trap:
    spec = os.environ.get("TALLYPORT_CRASHPOINT", "")
    if spec.startswith("@"):
        return _FileTrap(Path(spec[1:]))
    return _CountingTrap(spec, _die) if spec else _NoTrap()


class _NoTrap:
    def step(self, name: str) -> None:
        pass


_trap: _Trap | None = (
    None  # read at the first step: the process may have been forked with these modules loaded
)


def crashpoint(name: str) -> None:
    """Die here if a test armed this name; otherwise nothing."""
    global _trap
    if _trap is None:
        _trap = _from_environment()
    _trap.step(name)


class Crashed(BaseException):
    """Stands for the death of the process where a test arms a point inside its own process."""


def _raise_crashed() -> None:
    raise Crashed


@contextmanager
def armed(spec: str) -> Iterator[None]:
    """Arm a point inside this process: it raises Crashed, which no handler of ours catches."""
    global _trap
    before, _trap = _trap, _CountingTrap(spec, _raise_crashed)
    try:
        yield
    finally:
        _trap = before

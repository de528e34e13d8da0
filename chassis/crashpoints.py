"""Named places where a test can kill the process, to prove that nothing is lost or done twice there.

Armed only by the environment: TALLYPORT_CRASHPOINT=`name` dies at the first pass, `name:nth` at the nth.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager

EXIT_CODE = 137


class _Trap:
    def __init__(self, spec: str, action: Callable[[], None]) -> None:
        self.name, _, nth = spec.partition(":")
        self.passes_left = int(nth or 1)
        self.action = action


def _die() -> None:
    os._exit(EXIT_CODE)


def _from_environment() -> _Trap | None:
    spec = os.environ.get("TALLYPORT_CRASHPOINT", "")
    return _Trap(spec, _die) if spec else None


_trap = _from_environment()


def crashpoint(name: str) -> None:
    """Die here if a test armed this name; otherwise nothing."""
    trap = _trap
    if trap is None or trap.name != name:
        return
    trap.passes_left -= 1
    if trap.passes_left == 0:
        trap.action()


class Crashed(BaseException):
    """Stands for the death of the process where a test arms a point inside its own process."""


def _raise_crashed() -> None:
    raise Crashed


@contextmanager
def armed(spec: str) -> Iterator[None]:
    """Arm a point inside this process: it raises Crashed, which no handler of ours catches."""
    global _trap
    before, _trap = _trap, _Trap(spec, _raise_crashed)
    try:
        yield
    finally:
        _trap = before

"""Processor time by process: on a busy machine it says more than requests a second."""

import os
from pathlib import Path

from bench.stack import BenchStack

_TICKS = os.sysconf("SC_CLK_TCK")


def by_process(stack: BenchStack) -> dict[str, float]:
    """Seconds that each process of the stack has worked so far; PostgreSQL with all its backends, ended ones too."""
    found = {}
    for process in stack.state().processes:
        if process.pid is not None:
            found[process.name] = _of_tree(process.pid)
    return found


def microseconds_per(work: int, before: dict[str, float], after: dict[str, float]) -> dict[str, int]:
    """Microseconds for each of `work` pieces, the largest first; what took less than one is left out."""
    spent = {name: round((seconds - before.get(name, 0.0)) / work * 1e6) for name, seconds in after.items()}
    return {name: value for name, value in sorted(spent.items(), key=lambda item: -item[1]) if value > 0}


def in_words(spent: dict[str, int], *, least: int = 100) -> str:
    """The sum, and in brackets the processes that matter."""
    parts = ", ".join(f"{name} {value:,}" for name, value in spent.items() if value >= least)
    return f"{sum(spent.values()):,} µs ({parts})"


def _of_tree(root: int) -> float:
    total, waiting = 0.0, [root]
    while waiting:
        pid = waiting.pop()
        try:
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            waiting += [
                int(child)
                for task in Path(f"/proc/{pid}/task").iterdir()
                for child in (task / "children").read_text().split()
            ]
        except OSError:
            continue
        # user, system, and those of children that have ended and were waited for
        total += sum(int(field) for field in fields[11:15]) / _TICKS
    return total

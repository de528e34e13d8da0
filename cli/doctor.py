"""`tallyport doctor`: explains what would keep the dev stack from starting, and what to do about it."""

import os
import platform
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Annotated

import typer

from devstack.layout import Layout, LayoutError
from devstack.nats import NatsError, server_binary
from devstack.ports import DEFAULT_BASE_PORT, DEFAULT_PUBLIC_PORT, Ports, PortsTakenError, check_free
from devstack.postgres import PostgresError, binaries, check_runnable
from devstack.processes import Stranger
from devstack.state import read_state


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at; `problem` is empty when it is well."""

    subject: str
    detail: str
    problem: str = ""


def doctor(
    port: Annotated[int, typer.Option(help="As for `up`.")] = DEFAULT_PUBLIC_PORT,
    base_port: Annotated[int, typer.Option(help="As for `up`.")] = DEFAULT_BASE_PORT,
) -> None:
    """Look at everything `up` needs; exit status 1 when something is wrong."""
    layout = Layout.chosen()
    findings = list(_findings(layout, Ports(port, base_port)))
    for finding in findings:
        typer.echo(f"{'PROBLEM' if finding.problem else 'ok':<8} {finding.subject:<14} {finding.detail}")
        for line in finding.problem.splitlines():
            typer.echo(f"{'':<8} {'':<14} {line}")
    if any(finding.problem for finding in findings):
        raise typer.Exit(1)


def _findings(layout: Layout, ports: Ports) -> Iterator[Finding]:
    yield _python()
    yield _server("postgres", lambda: _executable(binaries() / "postgres"))
    yield _server("nats", lambda: _executable(server_binary()))
    yield _server("user", check_runnable)
    yield _state_folder(layout)
    if layout.in_use:
        yield Finding("stack", f"running from {layout.home}")
        return
    yield _leftovers(layout)
    yield _free_ports(ports)


def _python() -> Finding:
    version = platform.python_version()
    supported = (3, 11) <= sys.version_info[:2] <= (3, 13)
    problem = "" if supported else "use Python 3.11, 3.12 or 3.13 (make setup PYTHON=python3.13)"
    return Finding("python", f"{version} at {sys.executable}", problem)


def _server(subject: str, look: Callable[[], str]) -> Finding:
    try:
        return Finding(subject, look())
    except (PostgresError, NatsError, OSError) as error:
        return Finding(subject, "", str(error))


def _executable(path: os.PathLike[str]) -> str:
    if not os.access(path, os.X_OK):
        raise FileNotFoundError(f"{path} is missing or may not be run: make setup")
    return str(path)


def _state_folder(layout: Layout) -> Finding:
    try:
        layout.prepare()
    except LayoutError as error:
        return Finding("state folder", str(layout.home), str(error))
    free_megabytes = os.statvfs(layout.home).f_bavail * os.statvfs(layout.home).f_frsize >> 20
    problem = "" if free_megabytes > 1024 else "less than 1 GB is free: NATS and PostgreSQL may stop writing"
    return Finding("state folder", f"{layout.home} ({free_megabytes} MB free)", problem)


def _leftovers(layout: Layout) -> Finding:
    state = read_state(layout.state_file)
    processes = state.processes if state is not None else ()
    alive = [p for p in processes if p.pid is not None and Stranger(p.pid, p.born).alive]
    if alive:
        names = ", ".join(f"{p.name} (pid {p.pid})" for p in alive)
        return Finding("left-overs", names, "an earlier run left these; the next `up` ends them")
    return Finding(
        "left-overs", "none" if state is None else "an earlier run was killed; nothing is left of it"
    )


def _free_ports(ports: Ports) -> Finding:
    table = ports.table()
    detail = f"{len(table)} ports from {ports.public} and {ports.base}"
    try:
        check_free(table)
    except PortsTakenError as error:
        return Finding("ports", detail, f"{error}\nchoose others with --port and --base-port")
    return Finding("ports", f"{detail} are free")

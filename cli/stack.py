"""`tallyport up`, `down`, `status`: the dev stack as a whole."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any, NoReturn, TypeVar

import typer

from devstack.layout import Layout, LayoutError
from devstack.ports import DEFAULT_BASE_PORT, DEFAULT_PUBLIC_PORT
from devstack.state import StackState, read_state

_DETACHED_START_SECONDS = 180.0
_DOWN_SECONDS = 25.0

_T = TypeVar("_T")


def up(
    port: Annotated[int, typer.Option(help="Port of the pages; the three after it are taken too.")]
    = DEFAULT_PUBLIC_PORT,
    base_port: Annotated[int, typer.Option(help="First of the ports between processes.")] = DEFAULT_BASE_PORT,
    fresh: Annotated[bool, typer.Option("--fresh", help="Forget all data first.")] = False,
    demo: Annotated[bool, typer.Option("--demo", help="Load the demo data when ready.")] = False,
    detach: Annotated[bool, typer.Option("--detach", help="Return when ready, leave it running.")] = False,
    preload: Annotated[
        bool, typer.Option(help="Fork services from one loaded process; without, each loads alone.")
    ] = True,
    without: Annotated[list[str] | None, typer.Option(help="Do not start this process; repeatable.")] = None,
) -> None:  # fmt: skip
    """Start everything, supervised, and print where it is. Ctrl-C stops it."""
    command = [
        sys.executable,
        "-P",
        "-m",
        "devstack",
        "up",
        "--port",
        str(port),
        "--base-port",
        str(base_port),
    ]
    command += ["--fresh"] * fresh + ["--demo"] * demo
    command += [] if preload else ["--no-preload"]
    for name in without or ():
        command += ["--without", name]
    if detach:
        _detached(Layout.chosen(), command)
    else:
        sys.stdout.flush()
        os.execv(sys.executable, command)  # noqa: S606


def down() -> None:
    """Stop the running stack; data are kept."""
    layout = Layout.chosen()
    if not layout.in_use:
        typer.echo("Nothing is running.")
        return
    state = _until(lambda: read_state(layout.state_file), timeout_seconds=5)
    if state is None:
        _fail(f"something holds {layout.home}, but it does not say what it is")
    began = time.monotonic()
    asyncio.run(state.supervisor.end(signal.SIGTERM, _DOWN_SECONDS))
    if not _until(lambda: not layout.in_use, timeout_seconds=5):
        _fail(f"the stack (pid {state.pid}) does not end")
    typer.echo(f"Stopped in {time.monotonic() - began:.1f} s.")


def status(
    as_json: Annotated[bool, typer.Option("--json", help="For machines.")] = False,
) -> None:
    """Show each process; exit status 1 unless all are ready."""
    layout = Layout.chosen()
    state = read_state(layout.state_file) if layout.in_use else None
    report = _report(state)
    typer.echo(json.dumps(report, indent=1) if as_json else _table(report))
    if not report["ready"]:
        raise typer.Exit(1)


def _detached(layout: Layout, command: list[str]) -> None:
    try:
        layout.prepare()
    except LayoutError as error:
        _fail(str(error))
    log = layout.log_of("stack")
    before = log.stat().st_size if log.exists() else 0
    with log.open("ab") as output:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True
        )

    def settled() -> bool:
        state = read_state(layout.state_file)
        ready = state is not None and state.pid == process.pid and state.phase == "ready"
        return ready or process.poll() is not None

    _until(settled, timeout_seconds=_DETACHED_START_SECONDS)
    typer.echo(_added_text(log, before).rstrip(), err=process.poll() is not None)
    if process.poll() is not None:
        raise typer.Exit(1)


def _added_text(log: Path, before: int) -> str:
    with log.open("rb") as file:
        file.seek(before if log.stat().st_size >= before else 0)  # --fresh begins a new log
        return file.read().decode(errors="replace")


def _report(state: StackState | None) -> dict[str, Any]:
    if state is None:
        return {"running": False, "ready": False, "processes": []}
    from devstack.memory import memory_of_trees

    pids = [process.pid for process in state.processes if process.pid is not None]
    memory = memory_of_trees(pids)
    processes = []
    for process in state.processes:
        fields = asdict(process)
        fields["ready"] = process.state == "ready"
        fields |= (
            asdict(memory[process.pid]) if process.pid else {"rss_kilobytes": None, "pss_kilobytes": None}
        )
        processes.append(fields)
    whole = memory_of_trees([state.pid])[state.pid]  # the supervisor and all its descendants
    return {
        "running": True,
        "ready": state.phase == "ready" and all(fields["ready"] for fields in processes),
        "phase": state.phase,
        "pid": state.pid,
        "public_url": state.public_url,
        "ready_seconds": state.ready_seconds,
        **asdict(whole),
        "processes": processes,
    }


def _table(report: dict[str, Any]) -> str:
    if not report["running"]:
        return "Nothing is running."
    lines = [f"{report['phase']}  {report['public_url']}  {_megabytes(report['pss_kilobytes'])} MB (PSS)", ""]
    lines.append(f"{'PROCESS':<20}{'STATE':<20}{'PID':>8}{'RESTARTS':>10}{'PSS MB':>8}  ADDRESS")
    lines += [
        f"{process['name']:<20}{process['state']:<20}{process['pid'] or '-':>8}{process['restarts']:>10}"
        f"{_megabytes(process['pss_kilobytes']):>8}  {process['address']}"
        for process in report["processes"]
    ]
    return "\n".join(lines)


def _megabytes(kilobytes: int | None) -> str:
    return "-" if kilobytes is None else str(round(kilobytes / 1024))


def _until(condition: Callable[[], _T], timeout_seconds: float) -> _T:
    """The first truthy answer of `condition`, or its last answer when time is up."""
    give_up_at = time.monotonic() + timeout_seconds
    while not (answer := condition()) and time.monotonic() < give_up_at:
        time.sleep(0.05)
    return answer


def _fail(message: str) -> NoReturn:
    typer.echo(f"tallyport: {message}", err=True)
    raise typer.Exit(1)

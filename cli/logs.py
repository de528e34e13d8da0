"""`tallyport logs NAME`: what a process printed."""

import time
from collections import deque
from typing import Annotated

import typer

from devstack.layout import Layout

_POLL_SECONDS = 0.3


def logs(
    name: Annotated[str, typer.Argument(help="A process as `tallyport status` names it.")],
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on until Ctrl-C.")] = False,
    lines: Annotated[int, typer.Option("--lines", "-n", help="How many of the last lines.")] = 100,
) -> None:
    """Print the end of one process's log."""
    layout = Layout.chosen()
    path = layout.log_of(name)
    if not path.is_file() or path.parent != layout.logs:
        known = ", ".join(sorted(log.stem for log in layout.logs.glob("*.log"))) or "none yet"
        typer.echo(f"tallyport: no log of {name!r} in {layout.logs}; there are: {known}", err=True)
        raise typer.Exit(1)
    with path.open(errors="replace") as log:
        for line in deque(log, maxlen=lines):
            typer.echo(line, nl=False)
        try:
            while follow:
                if text := log.read():
                    typer.echo(text, nl=False)
                else:
                    time.sleep(_POLL_SECONDS)
        except KeyboardInterrupt:
            pass

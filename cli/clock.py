"""`tallyport clock ...`: the test clock of an organization in test mode, through the public API."""

import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from cli.imports import checked, credential

app = typer.Typer(help="Let an organization in test mode live by a time of its own.", no_args_is_help=True)
Url = Annotated[str, typer.Option(envvar="TALLYPORT_URL")]
Moment = Annotated[
    datetime,
    typer.Argument(
        formats=["%Y-%m-%d", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M:%S%z"],
        help="2027-01-31 or 2027-01-31T09:30, in UTC unless it says otherwise.",
    ),
]
_DEFAULT_URL = "http://localhost:8080"
_POLL_SECONDS = 0.3


@app.callback()
def group() -> None:
    """Let an organization in test mode live by a time of its own.

    Signs in with the API key in TALLYPORT_API_KEY; against the local demo without one, as its owner.
    """


@app.command("create")
def create(
    at: Moment, name: Annotated[str, typer.Option(help="What for.")] = "", url: Url = _DEFAULT_URL
) -> None:
    """Stop the organization's time at a moment; one that is still to come is reached step by step."""
    with _client(url) as http:
        body = {"frozen_time": _text(at), "name": name}
        _report(_at_rest(http, checked(http.post("/v1/test_clocks", json=body, headers=_key()))))


@app.command("advance")
def advance(to: Moment, url: Url = _DEFAULT_URL) -> None:
    """Let time pass. Ends when everything that fell due on the way has been done; with 1 when it could not be."""
    with _client(url) as http:
        path = f"/v1/test_clocks/{_clock(http)['test_clock_id']}:advance"
        _report(_at_rest(http, checked(http.post(path, json={"frozen_time": _text(to)}, headers=_key()))))


@app.command("stop")
def stop(url: Url = _DEFAULT_URL) -> None:
    """Stop a clock that is on its way where it has got to."""
    with _client(url) as http:
        path = f"/v1/test_clocks/{_clock(http)['test_clock_id']}:stop"
        _report(_at_rest(http, checked(http.post(path, json={}, headers=_key()))))


@app.command("show")
def show(url: Url = _DEFAULT_URL) -> None:
    """Where the clock stands and what it is doing."""
    with _client(url) as http:
        _report(_clock(http))


@app.command("delete")
def delete(url: Url = _DEFAULT_URL) -> None:
    """Remove the clock: today is today again."""
    with _client(url) as http:
        path = f"/v1/test_clocks/{_clock(http)['test_clock_id']}"
        gone = checked(http.delete(path, headers=_key()))
        while gone["test_clock_id"] in {one["test_clock_id"] for one in _clocks(http)}:
            time.sleep(_POLL_SECONDS)
    typer.echo("The test clock is gone.")


@contextmanager
def _client(url: str) -> Iterator[Any]:
    import httpx

    with httpx.Client(base_url=url, timeout=60) as http:
        http.headers["Authorization"] = f"Bearer {credential(http)}"
        yield http


def _key() -> dict[str, str]:
    return {"Idempotency-Key": f"clock-{uuid.uuid4()}"}


def _text(moment: datetime) -> str:
    return (moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)).isoformat()


def _clocks(http: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = checked(http.get("/v1/test_clocks"))["test_clocks"]
    return found


def _clock(http: Any) -> dict[str, Any]:
    found = _clocks(http)
    if not found:
        typer.echo("This organization has no test clock: tallyport clock create MOMENT", err=True)
        raise typer.Exit(1)
    return found[0]


def _at_rest(http: Any, clock: dict[str, Any]) -> dict[str, Any]:
    while clock["status"] == "advancing":
        time.sleep(_POLL_SECONDS)
        clock = checked(http.get(f"/v1/test_clocks/{clock['test_clock_id']}"))
    return clock


def _report(clock: dict[str, Any]) -> None:
    typer.echo(f"{clock['frozen_time']}  {clock['status']}  {clock['steps']} stops  {clock['name']}".rstrip())
    if clock["status"] == "failed":
        typer.echo(clock["failure"], err=True)
        raise typer.Exit(1)

"""`tallyport import ...`: files into a running Tallyport, through its public API."""

import base64
import os
import time
import uuid
from pathlib import Path
from typing import Annotated, Any

import typer

app = typer.Typer(help="Import data from files.", no_args_is_help=True)
_POLL_SECONDS = 0.3
_DATE_ORDERS = {"ymd": None, "dmy": "day_month_year", "mdy": "month_day_year"}


@app.callback()
def group() -> None:
    """Import data from files."""


@app.command("invoices")
def invoices(
    file: Annotated[
        Path, typer.Argument(exists=True, dir_okay=False, readable=True, help="CSV file, UTF-8.")
    ],
    dates: Annotated[str, typer.Option(help="How dates are written: ymd, dmy or mdy.")] = "ymd",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check and show, change nothing.")] = False,
    notify: Annotated[bool, typer.Option("--notify", help="Mail the invoices to the customers.")] = False,
    url: Annotated[str, typer.Option(envvar="TALLYPORT_URL")] = "http://localhost:8080",
) -> None:
    """Import invoices from a CSV file. Rows that were imported before are left as they are.

    Signs in with the API key in TALLYPORT_API_KEY; against the local demo without one, as its owner.
    """
    if dates not in _DATE_ORDERS:
        raise typer.BadParameter(f"{dates!r} is not one of {', '.join(_DATE_ORDERS)}", param_hint="--dates")
    import httpx

    with httpx.Client(base_url=url, timeout=60) as http:
        http.headers["Authorization"] = f"Bearer {credential(http)}"
        body: dict[str, Any] = {
            "file_name": file.name,
            "content": base64.b64encode(file.read_bytes()).decode(),
            "date_order": _DATE_ORDERS[dates],
            "dry_run": dry_run,
            "notify": notify,
        }
        answer = http.post("/v1/imports", json=body, headers={"Idempotency-Key": f"import-{uuid.uuid4()}"})
        running = _follow(http, checked(answer))
    _report(running)
    if running["failed_rows"]:
        raise typer.Exit(1)


def _follow(http: Any, running: dict[str, Any]) -> dict[str, Any]:
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns) as progress:
        task = progress.add_task(running["file_name"], total=running["total_rows"])
        while running["state"] == "running":
            progress.update(task, completed=running["handled_rows"])
            time.sleep(_POLL_SECONDS)
            running = checked(http.get(f"/v1/imports/{running['import_id']}"))
        progress.update(task, completed=running["handled_rows"])
    return running


def _report(done: dict[str, Any]) -> None:
    verb = "would be created" if done["state"] == "preview" else "created"
    typer.echo(
        f"{done['total_rows']} rows: {done['created_rows']} {verb}, {done['unchanged_rows']} were there already, "
        f"{done['failed_rows']} with errors."
    )
    for error in done["errors"]:
        typer.echo(f"  line {error['line']}, {error['column']}: {error['message']}", err=True)
    if done["state"] == "preview":
        typer.echo(f"Nothing was changed (import {done['import_id']}).")


def checked(answer: Any) -> dict[str, Any]:
    if answer.is_error:
        media_type = answer.headers.get("content-type", "")
        problem = answer.json() if "json" in media_type else {"detail": answer.text[:200]}
        details = [f"  {field['pointer']}: {field['detail']}" for field in problem.get("errors", [])]
        typer.echo("\n".join([f"{answer.status_code}: {problem.get('detail', '')}", *details]), err=True)
        raise typer.Exit(1)
    data: dict[str, Any] = answer.json()
    return data


def credential(http: Any) -> str:
    if key := os.environ.get("TALLYPORT_API_KEY"):
        return key
    import json

    from devstack.layout import Layout

    logins_file = Layout.chosen().demo_logins_file
    if not logins_file.exists():
        typer.echo("Set TALLYPORT_API_KEY to an API key of your organization.", err=True)
        raise typer.Exit(2)
    owner = next(login for login in json.loads(logins_file.read_text()) if login["role"] == "Owner")
    slug = owner["email"].split("@")[1].removesuffix(".example")
    body = {"organization_slug": slug, "email": owner["email"], "password": owner["password"]}
    token: str = checked(http.post("/v1/sessions", json=body))["access"]["token"]
    return token

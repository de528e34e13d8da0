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
_MOST_SHOWN = 100
_DATE_ORDERS = {
    "auto": None, "ymd": "year_month_day", "dmy": "day_month_year", "mdy": "month_day_year",
}  # fmt: skip
_KINDS = ("invoices", "open-invoices", "history", "customers", "items", "credit-notes")
_AT_WORK = ("running", "undoing")


@app.callback()
def group() -> None:
    """Import data from files."""


_File = Annotated[
    Path,
    typer.Argument(
        exists=True, dir_okay=False, readable=True,
        help="CSV, Excel, JSON, an e-invoice as XML or PDF, or a ZIP of these; found by its content.",
    ),
]  # fmt: skip
_Dates = Annotated[str, typer.Option(help="How dates are written: auto, ymd, dmy or mdy.")]
_DryRun = Annotated[bool, typer.Option("--dry-run", help="Check and show, change nothing.")]
_Notify = Annotated[bool, typer.Option("--notify", help="Mail the invoices to the customers.")]
_Columns = Annotated[
    list[str],
    typer.Option("--column", help="field=column, where a column was not found out; may be repeated."),
]
_Url = Annotated[str, typer.Option(envvar="TALLYPORT_URL")]
_HERE = "http://localhost:8080"


@app.command("invoices")
def invoices(
    file: _File,
    dates: _Dates = "auto",
    dry_run: _DryRun = False,
    notify: _Notify = False,
    url: _Url = _HERE,
) -> None:
    """Import invoices, open and paid. Rows that were imported before are left as they are.

    Signs in with the API key in TALLYPORT_API_KEY; against the local demo without one, as its owner.
    """
    _import(url, _body(file, "invoices", dates, []) | {"dry_run": dry_run, "notify": notify})


@app.command("file")
def file(
    file: _File,
    kind: Annotated[str, typer.Option(help=f"What is in it: {', '.join(_KINDS)}.")],
    dates: _Dates = "auto",
    column: _Columns = [],  # noqa: B006 - typer copies it
    dry_run: _DryRun = False,
    url: _Url = _HERE,
) -> None:
    """Import customers, items or invoices. Rows that were imported before are left as they are."""
    _import(url, _body(file, kind, dates, column) | {"dry_run": dry_run})


@app.command("undo")
def undo(
    import_id: Annotated[str, typer.Argument(help="Id of the import, imp_…")],
    reason: Annotated[str, typer.Option(help="Why.")],
    url: _Url = _HERE,
) -> None:
    """Take back all that an import made and nobody has paid, changed or used since."""
    import httpx

    with httpx.Client(base_url=url, timeout=60) as http:
        http.headers["Authorization"] = f"Bearer {credential(http)}"
        path = f"/v1/imports/{import_id}:undo"
        answer = http.post(path, json={"reason": reason}, headers={"Idempotency-Key": f"undo-{uuid.uuid4()}"})
        undone = _follow(http, checked(answer))
    typer.echo(f"{undone['undone_records']} taken back, {undone['kept_records']} still there.")
    _show_errors([error for error in undone["errors"] if error["column"] == "undo"])
    if undone["kept_records"]:
        raise typer.Exit(1)


def _body(file: Path, kind: str, dates: str, columns: list[str]) -> dict[str, Any]:
    if dates not in _DATE_ORDERS:
        raise typer.BadParameter(f"{dates!r} is not one of {', '.join(_DATE_ORDERS)}", param_hint="--dates")
    if kind not in _KINDS:
        raise typer.BadParameter(f"{kind!r} is not one of {', '.join(_KINDS)}", param_hint="--kind")
    if wrong := [one for one in columns if "=" not in one]:
        raise typer.BadParameter(f"{wrong[0]!r} is not field=column", param_hint="--column")
    pairs = (one.split("=", 1) for one in columns)
    return {
        "file_name": file.name,
        "content": base64.b64encode(file.read_bytes()).decode(),
        "kind": kind.replace("-", "_"),
        "date_order": _DATE_ORDERS[dates],
        "mapping": [{"field": field, "column": name} for field, name in pairs],
    }


def _import(url: str, body: dict[str, Any]) -> None:
    import httpx

    with httpx.Client(base_url=url, timeout=60) as http:
        http.headers["Authorization"] = f"Bearer {credential(http)}"
        answer = http.post("/v1/imports", json=body, headers={"Idempotency-Key": f"import-{uuid.uuid4()}"})
        running = _follow(http, checked(answer))
    _report(running)
    if running["failed_rows"] or running["missing_fields"]:
        raise typer.Exit(1)


def _follow(http: Any, running: dict[str, Any]) -> dict[str, Any]:
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns) as progress:
        task = progress.add_task(running["file_name"], total=running["total_rows"])
        while running["state"] in _AT_WORK:
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
    _show_errors(done["errors"])
    if done["missing_fields"]:
        names = ", ".join(done["missing_fields"])
        typer.echo(f"No column was found for: {names}. Name them with --column field=column.", err=True)
    if done["state"] == "preview":
        typer.echo(f"Nothing was changed (import {done['import_id']}).")


def _show_errors(errors: list[dict[str, Any]]) -> None:
    for error in errors[:_MOST_SHOWN]:
        typer.echo(f"  line {error['line']}, {error['column']}: {error['message']}", err=True)
    if len(errors) > _MOST_SHOWN:
        typer.echo(f"  … and {len(errors) - _MOST_SHOWN} more", err=True)


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

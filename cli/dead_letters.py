"""`tallyport dead-letters ...`: events that a service could not apply."""

import importlib
import importlib.util
from typing import TYPE_CHECKING, Annotated

import typer

from cli import databases

if TYPE_CHECKING:
    from chassis.database import Database
    from chassis.inbox import Consumers
    from chassis.inbox_store import DeadLetter

app = typer.Typer(help="Events that a service could not apply.", no_args_is_help=True)
_LIST_LIMIT = 1_000
_ERROR_CHARACTERS = 300


@app.callback()
def group() -> None:
    """Events that a service could not apply."""


@app.command("list")
def list_all(service: databases.MaybeService = None) -> None:
    """Show them with their errors; ends with 1 when one was given up, since its aggregate stands still.

    States: retrying (being tried again by itself), dead (given up), parked (waits behind a dead one).
    """
    shown, given_up = 0, 0
    for name, url in databases.urls(service).items():
        for letter in databases.run(_letters, name, url):
            typer.echo(_described(name, letter))
            shown += 1
            given_up += letter.state == "dead"
    if shown == 0:
        typer.echo("No dead letters.")
    if given_up:
        databases.fail(
            f"{given_up} were given up; mend the cause, then: tallyport dead-letters retry SERVICE"
        )


@app.command("retry")
def retry(
    service: databases.Service,
    organization: Annotated[str | None, typer.Option(help="Only this organization's.")] = None,
    aggregate: Annotated[str | None, typer.Option(help="Only this aggregate's, such as pay_01k...")] = None,
) -> None:
    """Apply what was given up, and what waits behind it, in order; ends with 1 when something fails again.

    An aggregate whose event fails again stays as it is, the others go on.
    """
    url = databases.urls(service)[service]
    outcomes = databases.run(_retry, service, url, organization, aggregate)
    if not outcomes:
        databases.fail(f"{service} has no dead letter like that")
    for aggregate_id, outcome in outcomes:
        applied = f"{outcome} applied" if isinstance(outcome, int) else f"FAILED: {outcome}"
        typer.echo(f"{aggregate_id}: {applied}")
    if failed := sum(isinstance(outcome, str) for _, outcome in outcomes):
        databases.fail(f"{failed} of {len(outcomes)} aggregates still stand still")


async def _letters(service: str, url: str) -> "list[DeadLetter]":
    async with databases.opened(service, url) as db:
        return await _listed(db, service)


async def _listed(db: "Database", service: str) -> "list[DeadLetter]":
    from chassis.inbox_store import Inbox

    async with db.transport() as tx:
        return await Inbox(service).list_dead_letters(tx, limit=_LIST_LIMIT)


async def _retry(
    service: str, url: str, organization_id: str | None, aggregate_id: str | None
) -> list[tuple[str, int | str]]:
    """How many were applied, or what failed, by aggregate."""
    outcomes: list[tuple[str, int | str]] = []
    async with databases.opened(service, url) as db:
        consumers = _consumers(db, service)
        places = dict.fromkeys(
            (letter.organization_id, letter.aggregate_id)
            for letter in await _listed(db, service)
            if letter.state == "dead"
            and organization_id in (None, letter.organization_id)
            and aggregate_id in (None, letter.aggregate_id)
        )
        for organization, aggregate in places:
            try:
                outcomes.append((aggregate, await consumers.retry_dead_letters(organization, aggregate)))
            except Exception as error:  # the handler's own, whatever it is: the operator reads it
                outcomes.append((aggregate, f"{type(error).__name__}: {error}"[:_ERROR_CHARACTERS]))
    return outcomes


def _consumers(db: "Database", service: str) -> "Consumers":
    """The service's handlers. They are not run, so the bus is never connected."""
    from chassis.bus import Bus
    from chassis.inbox import Consumers

    handlers = {}
    if importlib.util.find_spec(f"services.{service}.consumers") is not None:
        handlers = importlib.import_module(f"services.{service}.consumers").HANDLERS
    return Consumers(db, Bus("", service), service, handlers, db.clock)


def _described(service: str, letter: "DeadLetter") -> str:
    when = letter.failed_at.strftime("%Y-%m-%d %H:%M:%S UTC")
    event = (
        f"{letter.type.rpartition('.')[2]} {letter.aggregate_version} of {letter.aggregate_id or '(nobody)'}"
    )
    place = f"{service}, organization {letter.organization_id or '(none)'}, from {letter.source}"
    error = " ".join(letter.error.split())[:_ERROR_CHARACTERS]
    return f"{letter.state}  {event}\n    {place}, {letter.attempts} tries, last {when}\n    {error}"

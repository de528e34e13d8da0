"""`tallyport audit ...`: whether the logs of who did what are whole."""

import typer

from cli import databases

app = typer.Typer(help="Look after the audit logs.", no_args_is_help=True)


@app.callback()
def group() -> None:
    """Look after the audit logs."""


@app.command("verify")
def verify(service: databases.MaybeService = None) -> None:
    """Check every organization's chain of hashes; ends with 1 when one is broken and names the first bad entry.

    Reads the database in DATABASE_URL, else those of the running dev stack.
    """
    broken = 0
    for name, url in databases.urls(service).items():
        for organization_id, entries, first_bad in databases.run(_verify, name, url):
            state = "whole" if first_bad is None else f"BROKEN at entry {first_bad}"
            typer.echo(f"{name:<14} {organization_id:<32} {entries:>7} entries  {state}")
            broken += first_bad is not None
    if broken:
        databases.fail(f"{broken} of the chains do not hold: entries were changed, removed or added")


async def _verify(service: str, url: str) -> list[tuple[str, int, int | None]]:
    """(organization, entries, first bad entry or None) of every chain in one database."""
    from chassis import audit

    found = []
    async with databases.opened(service, url) as db:
        async with db.transport() as tx:
            organizations = await audit.organizations(tx)
        for organization_id in organizations:
            async with db.read(organization_id) as read:
                found.append((organization_id, await audit.count_entries(read), await audit.verify(read)))
    return found

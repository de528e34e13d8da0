"""`tallyport republish SERVICE`: events of one organization once more, for a consumer that lost them."""

from typing import Annotated

import typer

from cli import databases


def republish(
    service: databases.Service,
    organization: Annotated[str, typer.Option(help="Id of the organization.")],
    since_seq: Annotated[int, typer.Option(min=1, help="First of its stream sequences to send again.")],
) -> None:
    """Let the service's relay send published events again. Consumers drop what they have already applied.

    JetStream itself drops what it took in less than ten minutes ago. Works on the database in DATABASE_URL, else on
    that of the running dev stack; ends with 1 when there is nothing to send.
    """
    url = databases.urls(service)[service]
    marked = databases.run(_republish, service, url, organization, since_seq)
    if marked == 0:
        databases.fail(
            f"{service} has published no event of {organization} with sequence {since_seq} or later"
        )
    typer.echo(f"{marked} events of {organization} are sent again by the relay of {service}.")


async def _republish(service: str, url: str, organization_id: str, since_seq: int) -> int:
    from chassis.relay import republish as mark_unpublished

    async with databases.opened(service, url) as db:
        return await mark_unpublished(db, organization_id, since_seq)

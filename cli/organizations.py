"""`tallyport organization ...`: businesses that send invoices."""

import os
from typing import TYPE_CHECKING, Annotated

import typer

from cli import databases
from devstack.layout import Layout
from devstack.state import read_state

if TYPE_CHECKING:
    from chassis.settings import BaseServiceSettings
    from tallyport.identity.v1 import organizations_pb2 as pb

app = typer.Typer(help="Businesses that send invoices.", no_args_is_help=True)


@app.callback()
def group() -> None:
    """Businesses that send invoices.

    Speaks to identity as TALLYPORT_IDENTITY_ADDRESS and TALLYPORT_TLS_... tell, with a certificate of the mesh for
    `cli`; without them, to the running dev stack.
    """


@app.command("create")
def create(
    slug: Annotated[str, typer.Argument(help="Short name in addresses: lower case letters, digits, dashes.")],
    *,
    name: Annotated[str, typer.Option(help="Legal name.")],
    owner_email: Annotated[str, typer.Option(help="Address with which its first person signs in.")],
    owner_name: Annotated[str, typer.Option(help="Name of that person.")],
    currency: Annotated[str, typer.Option(help="Such as EUR (ISO 4217).")],
    country: Annotated[str, typer.Option(help="Such as DE (ISO 3166-1).")],
    time_zone: Annotated[str, typer.Option(help="Such as Europe/Berlin.")],
    locale: Annotated[str, typer.Option(help="Such as de-DE.")] = "en-US",
    password: Annotated[
        str,
        typer.Option(
            envvar="TALLYPORT_OWNER_PASSWORD", prompt=True, hide_input=True, confirmation_prompt=True,
            help="At least 15 characters; asked for when not given.",
        ),
    ] = "",
    live: Annotated[bool, typer.Option(help="Real money: no test clock, ever.")] = False,
) -> None:  # fmt: skip
    """Create an organization and its owner. It is in test mode unless --live says otherwise."""
    from tallyport.identity.v1 import organizations_pb2 as pb

    request = pb.CreateOrganizationRequest(
        slug=slug, name=name, currency=currency, time_zone=time_zone, locale=locale,
        address=pb.PostalAddress(country=country), contact_email=owner_email,
        owner_name=owner_name, owner_email=owner_email, owner_password=password, live_mode=live,
    )  # fmt: skip
    made = databases.run(_create, request)
    mode = "live" if made.live_mode else "test"
    typer.echo(f"{made.organization_id}  {made.slug}  {mode} mode; {owner_email} signs in at /console/login")


async def _create(request: "pb.CreateOrganizationRequest") -> "pb.Organization":
    from chassis.errors import ServiceError
    from chassis.rpc.client import as_service, connect
    from tallyport.identity.v1 import organizations_pb2_grpc

    channel = connect(_settings(), "identity")
    try:
        create = as_service(organizations_pb2_grpc.OrganizationsStub(channel).CreateOrganization)
        made: pb.Organization = await create(request)
        return made
    except ServiceError as error:
        databases.fail("\n".join([error.message, *(f"{one.field}: {one.message}" for one in error.fields)]))
    finally:
        await channel.close()


def _settings() -> "BaseServiceSettings":
    from chassis.settings import BaseServiceSettings

    if "TALLYPORT_TLS_CERT_FILE" in os.environ:
        return BaseServiceSettings()
    layout = Layout.chosen()
    state = read_state(layout.state_file) if layout.in_use else None
    identity = next((one for one in state.processes if one.name == "identity-serve"), None) if state else None
    if identity is None:
        databases.fail(f"TALLYPORT_TLS_CERT_FILE is not set, and no stack runs from {layout.home}")
    return BaseServiceSettings.model_validate(
        {
            "identity_address": identity.address,
            "tls_ca_file": layout.tls / "ca.pem",
            "tls_cert_file": layout.tls / "cli.pem",
            "tls_key_file": layout.tls / "cli-key.pem",
        }
    )

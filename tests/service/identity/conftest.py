"""The identity service, served over mTLS on a fresh database."""

import uuid
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import pytest

from chassis.clock import FrozenClock
from chassis.database import Database
from chassis.rpc.client import Channel, connect, user_metadata
from chassis.rpc.server import Server
from chassis.rpc.tokens import TokenVerifier
from services.identity.hashing import Hasher
from services.identity.rpc import servicers
from services.identity.settings import IdentitySettings
from services.identity.tokens import TokenIssuer
from tallyport.identity.v1 import (
    organizations_pb2,
    organizations_pb2_grpc,
    people_pb2,
    people_pb2_grpc,
    sessions_pb2,
    sessions_pb2_grpc,
)
from tests.support.database import Databases
from tests.support.mesh import Mesh

PASSWORD = "seven grey herons wait"
CUSTOMER = "cus_01k0000000000000000000000c"


class Identity:
    """The service with stubs of its callers. Its clock stands still until a test turns it on."""

    def __init__(self, mesh: Mesh, db: Database, clock: FrozenClock) -> None:
        self.mesh = mesh
        self.db = db
        self.clock = clock
        self.hasher = Hasher(2)
        settings = IdentitySettings(**mesh.settings("identity"), grpc_listen="127.0.0.1:0")
        issuer = TokenIssuer(mesh.signer, clock)
        verifier = TokenVerifier({"keys": mesh.signer.jwks()["keys"]}, now=lambda: clock.now().timestamp())
        self.verifier = verifier
        self.server = Server(settings, servicers(db, self.hasher, issuer), verifier=verifier)
        self._channels: list[Channel] = []

    def _channel(self, peer: str) -> Channel:
        address = f"127.0.0.1:{self.server.port}"
        settings = IdentitySettings(**self.mesh.settings(peer), identity_address=address)
        channel = connect(settings, "identity")
        self._channels.append(channel)
        return channel

    def connect(self) -> None:
        gateway, cli = self._channel("gateway"), self._channel("cli")
        self.sessions = sessions_pb2_grpc.SessionsStub(gateway)
        self.people = people_pb2_grpc.PeopleStub(gateway)
        self.api_keys = people_pb2_grpc.ApiKeysStub(gateway)
        self.organizations = organizations_pb2_grpc.OrganizationsStub(gateway)
        self.cli = organizations_pb2_grpc.OrganizationsStub(cli)
        self.checks = people_pb2_grpc.PeopleChecksStub(self._channel("invoicing"))
        self.checks_for_payments = people_pb2_grpc.PeopleChecksStub(self._channel("payments"))

    async def close(self) -> None:
        for channel in self._channels:
            await channel.close()
        await self.server.stop(0)
        self.hasher.close()

    async def organization(self, slug: str, **more: Any) -> organizations_pb2.Organization:
        """An organization whose owner signs in as owner@<slug>.example."""
        fields = {
            "slug": slug,
            "name": f"{slug.title()} Ltd",
            "currency": "EUR",
            "time_zone": "Europe/Berlin",
            "locale": "en",
            "contact_email": f"hello@{slug}.example",
            "owner_name": "Olga Owner",
            "owner_email": f"owner@{slug}.example",
            "owner_password": PASSWORD,
        }
        return await self.cli.CreateOrganization(
            organizations_pb2.CreateOrganizationRequest(**(fields | more))
        )

    async def login(
        self, slug: str, email: str | None = None, password: str = PASSWORD, network_address: str = ""
    ) -> sessions_pb2.SessionTokens:
        request = sessions_pb2.LoginRequest(
            organization_slug=slug,
            email=email or f"owner@{slug}.example",
            password=password,
            device="Firefox",
            network_address=network_address,
        )
        return await self.sessions.Login(request)

    async def person(
        self, owner: sessions_pb2.SessionTokens, email: str, role: Any, customer_id: str = ""
    ) -> people_pb2.Person:
        request = people_pb2.CreatePersonRequest(
            name="Pat Someone", email=email, password=PASSWORD, role=role, customer_id=customer_id
        )
        return await self.people.CreatePerson(request, metadata=by(owner, key=uuid.uuid4().hex))


def by(tokens: sessions_pb2.SessionTokens, *, key: str | None = None) -> list[tuple[str, str]]:
    """Metadata of a call by somebody signed in."""
    return user_metadata(token=tokens.access.token, idempotency_key=key)


@pytest.fixture(scope="session")
def mesh(tmp_path_factory: pytest.TempPathFactory) -> Mesh:
    return Mesh(tmp_path_factory.mktemp("mesh"))


@pytest.fixture
async def identity(mesh: Mesh, databases: Databases) -> AsyncIterator[Identity]:
    clock = FrozenClock(datetime(2026, 11, 21, 12, 0, 0, 250_000, tzinfo=UTC))
    async with databases.fresh("identity", clock=clock) as (db, _):
        served = Identity(mesh, db, clock)
        await served.server.start()
        served.connect()
        try:
            yield served
        finally:
            await served.close()

"""Whoever is signed out, barred or revoked is refused at the edge at once, not when the access token ends."""

import asyncio
import base64
import secrets
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from chassis.bus import Bus
from chassis.clock import FrozenClock
from chassis.relay import Relay
from chassis.rpc.client import connect
from devstack.nats import Nats
from services.gateway.app import build
from services.gateway.clients import SERVICES
from services.gateway.revocations import Revocations
from services.gateway.settings import GatewaySettings
from tallyport.identity.v1 import people_pb2, sessions_pb2
from tests.service.identity.conftest import PASSWORD, Identity, by
from tests.support.database import Databases
from tests.support.mesh import Mesh
from tests.support.servers import free_port
from tests.support.wait import until

AUDITOR = "audrey@harbor.example"
WITHIN_SECONDS = 5.0
"""On an idle machine it takes some hundredths."""


class Edge:
    """Identity with its relay, and a gateway before it. The organization is called harbor."""

    def __init__(self, identity: Identity, nats: Nats, app: Any, heard_by: Bus) -> None:
        self.identity, self.nats, self.app, self.bus = identity, nats, app, heard_by
        self.out = Bus(nats.url_for("identity"), "identity")

    def browser(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(
            transport=httpx.ASGITransport(app=self.app, raise_app_exceptions=False),
            base_url="http://localhost:8080",
            headers={"sec-fetch-site": "same-origin"},
        )

    async def people(self, credential: str) -> httpx.Response:
        """A call that identity answers from the token alone."""
        async with self.browser() as client:
            return await client.get("/v1/people", headers={"Authorization": f"Bearer {credential}"})

    async def works(self, credential: str) -> bool:
        return (await self.people(credential)).status_code == 200

    async def refused(self, credential: str) -> str:
        """The code of the refusal, once it comes."""

        async def code() -> str:
            answer = await self.people(credential)
            return answer.json()["code"] if answer.status_code == 401 else ""

        return str(await until(code, WITHIN_SECONDS))

    async def revoke_session(self, tokens: sessions_pb2.SessionTokens, session_id: str) -> None:
        request = sessions_pb2.RevokeSessionRequest(session_id=session_id)
        await self.identity.sessions.RevokeSession(request, metadata=by(tokens))


def session_of(edge: Edge, tokens: sessions_pb2.SessionTokens) -> str:
    return edge.identity.verifier.verify(tokens.access.token).session_id or ""


@pytest.fixture
async def own_nats(tmp_path: Path) -> AsyncIterator[Nats]:
    """A NATS of the test's own, not started."""
    server = Nats(tmp_path / "nats", free_port())
    server.prepare()
    yield server
    await server.stop()


@pytest.fixture
async def edge(mesh: Mesh, databases: Databases, own_nats: Nats, tmp_path: Path) -> AsyncIterator[Edge]:
    """NATS is away until a test starts it. The clock is right at first, since web sessions end by the real one."""
    clock = FrozenClock(datetime.now(UTC))
    async with AsyncExitStack() as stack:
        db, _ = await stack.enter_async_context(databases.fresh("identity", clock=clock))
        identity = Identity(mesh, db, clock)
        await identity.server.start()
        stack.push_async_callback(identity.close)
        identity.connect()
        key_file = tmp_path / "cookie.key"
        key_file.write_text(base64.b64encode(secrets.token_bytes(32)).decode())
        settings = GatewaySettings(
            **mesh.settings("gateway"),
            identity_address=f"127.0.0.1:{identity.server.port}",
            cookie_key_file=key_file,
            default_organization="harbor",
        )
        channels = {name: connect(settings, name) for name in SERVICES}
        for channel in channels.values():
            stack.push_async_callback(channel.close)
        revocations = Revocations(now=lambda: clock.now().timestamp())
        heard_by = Bus(own_nats.url_for("gateway"), "gateway")
        revocations.listen(heard_by)
        await identity.organization("harbor")
        edge = Edge(identity, own_nats, build(settings, channels, revocations=revocations), heard_by)
        for bus in (edge.bus, edge.out):
            await bus.connect()
            stack.push_async_callback(bus.close)
        relay = asyncio.create_task(Relay(db, edge.out, "identity", poll_seconds=0.2).run())
        stack.push_async_callback(asyncio.wait, {relay})
        stack.callback(relay.cancel)
        yield edge


@pytest.fixture
async def connected(edge: Edge) -> Edge:
    """The same with NATS."""
    await edge.nats.start()
    await until(edge.bus._connected.is_set)
    return edge


async def test_a_session_ended_elsewhere_is_refused_and_the_other_goes_on(connected: Edge) -> None:
    here, there = [await connected.identity.login("harbor") for _ in range(2)]
    assert await connected.works(there.access.token)
    await connected.revoke_session(here, session_of(connected, there))
    assert await connected.refused(there.access.token) == "session_ended"
    assert await connected.works(here.access.token)
    async with connected.browser() as client:
        stale = {"Authorization": f"Bearer {there.access.token}"}
        body = {"organization_slug": "harbor", "email": "owner@harbor.example", "password": PASSWORD}
        assert (await client.post("/v1/sessions", json=body, headers=stale)).status_code == 200


async def test_signing_out_and_a_changed_password_are_told(connected: Edge) -> None:
    first, second, third = [await connected.identity.login("harbor") for _ in range(3)]
    await connected.identity.sessions.Logout(sessions_pb2.LogoutRequest(), metadata=by(first))
    await connected.identity.sessions.Logout(sessions_pb2.LogoutRequest(), metadata=by(first))
    assert await connected.refused(first.access.token) == "session_ended"
    change = people_pb2.ChangePasswordRequest(
        current_password=PASSWORD, new_password="eight grey herons wait"
    )
    await connected.identity.people.ChangePassword(change, metadata=by(second))
    assert await connected.refused(third.access.token) == "session_ended"
    assert await connected.works(second.access.token)


async def test_a_barred_person_is_refused_in_every_session(connected: Edge) -> None:
    owner = await connected.identity.login("harbor")
    person = await connected.identity.person(owner, AUDITOR, people_pb2.ROLE_AUDITOR)
    theirs = [await connected.identity.login("harbor", AUDITOR) for _ in range(2)]
    request = people_pb2.DeactivatePersonRequest(person_id=person.person_id)
    for _ in range(2):
        await connected.identity.people.DeactivatePerson(request, metadata=by(owner))
    for tokens in theirs:
        assert await connected.refused(tokens.access.token) == "session_ended"
    assert await connected.works(owner.access.token)


async def test_a_revoked_key_is_refused_although_its_token_was_kept(connected: Edge) -> None:
    owner = await connected.identity.login("harbor")
    create = people_pb2.CreateApiKeyRequest(name="ERP", role=people_pb2.ROLE_OWNER)
    keys = [await connected.identity.api_keys.CreateApiKey(create, metadata=by(owner)) for _ in range(2)]
    exchange = people_pb2.ExchangeApiKeyRequest(secret=keys[0].secret)
    token = (await connected.identity.api_keys.ExchangeApiKey(exchange)).token
    for key in keys:
        assert await connected.works(key.secret)
    revoke = people_pb2.RevokeApiKeyRequest(api_key_id=keys[0].api_key.api_key_id)
    for _ in range(2):
        await connected.identity.api_keys.RevokeApiKey(revoke, metadata=by(owner))
    assert await connected.refused(keys[0].secret) == "api_key_invalid"
    assert await connected.refused(token) == "session_ended"
    assert await connected.works(keys[1].secret)


async def test_a_page_leads_to_the_sign_in_page(connected: Edge) -> None:
    async with connected.browser() as browser:
        form = {
            "csrf": (await browser.get("/console/login")).text.split('name="csrf" value="')[1].split('"')[0],
            "email": "owner@harbor.example",
            "password": PASSWORD,
        }
        assert (await browser.post("/console/login", data=form)).status_code == 303
        assert (await browser.get("/console/account")).status_code == 200
        elsewhere = await connected.identity.login("harbor")
        listed = await connected.identity.sessions.ListSessions(
            sessions_pb2.ListSessionsRequest(), metadata=by(elsewhere)
        )
        for session in listed.sessions:
            if session.session_id != session_of(connected, elsewhere):
                await connected.revoke_session(elsewhere, session.session_id)

        async def asked_to_sign_in() -> str:
            return str((await browser.get("/console/account")).headers.get("location", ""))

        assert await until(asked_to_sign_in, WITHIN_SECONDS) == "/console/login?next=%2Fconsole%2Faccount"
        assert "staff_sid" not in browser.cookies


async def test_without_nats_tokens_work_until_they_end_and_it_is_heard_of_again(edge: Edge) -> None:
    here, there, later = [await edge.identity.login("harbor") for _ in range(3)]
    await edge.revoke_session(here, session_of(edge, there))
    assert not edge.bus.connected
    assert await edge.works(there.access.token)
    await edge.nats.start()
    await until(edge.bus._connected.is_set)
    await edge.revoke_session(here, session_of(edge, later))
    assert await edge.refused(later.access.token) == "session_ended"
    await edge.nats.stop()
    await edge.nats.start()
    await until(lambda: edge.bus.connected)
    last = await edge.identity.login("harbor")
    await edge.revoke_session(here, session_of(edge, last))
    assert await edge.refused(last.access.token) == "session_ended"

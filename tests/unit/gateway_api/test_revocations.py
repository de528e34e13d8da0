"""What the edge remembers of revocations, and for how long."""

from datetime import UTC, datetime, timedelta

import pytest
from google.protobuf.message import Message
from joserfc.jwk import OKPKey
from nats.aio.client import Client
from nats.aio.msg import Msg

from chassis.caller import Audience
from chassis.rpc.tokens import Claims, TokenSigner
from services.gateway import revocations as module
from services.gateway.revocations import Revocations
from tallyport.identity.v1.events_pb2 import ApiKeyRevoked, PersonChanged, SessionEnded

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
SIGNER = TokenSigner(OKPKey.generate_key("Ed25519").as_pem(private=True))


class Edge:
    """Revocations with a clock to turn."""

    def __init__(self) -> None:
        self.now = NOW
        self.revocations = Revocations(now=lambda: self.now.timestamp())

    async def hears(self, event: Message, aggregate: str, *, ago: timedelta = timedelta()) -> None:
        subject = f"evt.identity.org_1.{aggregate}.{event.DESCRIPTOR.name}"
        headers = {"tallyport-occurred-at": (self.now - ago).isoformat()}
        await self.revocations.hear(
            Msg(_client=Client(), subject=subject, data=event.SerializeToString(), headers=headers)
        )

    def refuses(self, *, subject: str = "per_1", session: str | None = "ses_1") -> bool:
        claims = Claims(
            subject_id=subject,
            organization_id="org_1",
            kind=Audience.STAFF,
            expires_at_seconds=int(self.now.timestamp()) + 300,
            session_id=session,
        )
        return self.revocations.includes(SIGNER.sign(claims))


@pytest.fixture
def edge() -> Edge:
    return Edge()


async def test_only_tokens_of_the_session_that_ended_are_refused(edge: Edge) -> None:
    assert not edge.refuses()
    await edge.hears(SessionEnded(session_id="ses_1", person_id="per_1"), "session")
    assert edge.refuses(session="ses_1")
    assert not edge.refuses(session="ses_2")


async def test_a_barred_person_is_refused_until_they_are_let_in_again(edge: Edge) -> None:
    await edge.hears(PersonChanged(person_id="per_1", active=True), "person")
    assert not edge.refuses()
    await edge.hears(PersonChanged(person_id="per_1", active=False), "person")
    assert edge.refuses(session="ses_9")
    edge.now += timedelta(seconds=1)
    await edge.hears(PersonChanged(person_id="per_1", active=True), "person", ago=timedelta(minutes=1))
    assert edge.refuses()
    await edge.hears(PersonChanged(person_id="per_1", active=True), "person")
    assert not edge.refuses()


async def test_a_revoked_key_is_refused(edge: Edge) -> None:
    await edge.hears(ApiKeyRevoked(api_key_id="key_1"), "api_key")
    assert edge.refuses(subject="key_1", session=None)
    assert not edge.refuses(subject="key_2", session=None)


async def test_a_revocation_is_forgotten_when_no_token_can_outlive_it(edge: Edge) -> None:
    await edge.hears(SessionEnded(session_id="ses_1"), "session")
    edge.now += timedelta(minutes=15)
    assert edge.refuses()
    edge.now += timedelta(seconds=1)
    assert not edge.refuses()


async def test_old_events_that_are_published_again_take_no_room(edge: Edge) -> None:
    await edge.hears(SessionEnded(session_id="ses_1"), "session", ago=timedelta(minutes=16))
    assert not edge.refuses()
    assert edge.revocations._revoked_at == {}


async def test_the_memory_is_bounded_and_the_newest_stay(edge: Edge, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "ENTRIES_MAX", 3)
    for number in range(5):
        await edge.hears(SessionEnded(session_id=f"ses_{number}"), "session")
    assert [number for number in range(5) if edge.refuses(session=f"ses_{number}")] == [2, 3, 4]


@pytest.mark.parametrize("token", ["", "a.b.c", "..", "a.WzFd.c", "a.eyJzdWIiOiBbXX0.c", "x"])
async def test_what_is_no_token_of_ours_is_left_to_the_services(edge: Edge, token: str) -> None:
    await edge.hears(SessionEnded(session_id="ses_1"), "session")
    assert not edge.revocations.includes(token)


async def test_an_event_that_cannot_be_read_harms_nothing(edge: Edge) -> None:
    broken = Msg(_client=Client(), subject="evt.identity.org_1.session.SessionEnded", data=b"\xff")
    await edge.revocations.hear(broken)
    broken.headers = {"tallyport-occurred-at": NOW.isoformat()}
    await edge.revocations.hear(broken)
    assert not edge.refuses()

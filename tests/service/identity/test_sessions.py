"""Sessions: refreshing, reuse, ends, and the list."""

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import select

from chassis.errors import ServiceError
from services.identity.tables import refresh_tokens
from tallyport.identity.v1 import people_pb2, sessions_pb2
from tests.service.identity.conftest import CUSTOMER, PASSWORD, Identity, by


async def refresh(identity: Identity, refresh_token: str) -> sessions_pb2.SessionTokens:
    request = sessions_pb2.RefreshSessionRequest(refresh_token=refresh_token)
    return await identity.sessions.RefreshSession(request)


async def test_a_refresh_gives_a_new_pair_and_the_old_token_dies(identity: Identity) -> None:
    await identity.organization("harbor")
    first = await identity.login("harbor")
    session_id = identity.verifier.verify(first.access.token).session_id
    identity.clock.advance(timedelta(minutes=5))
    second = await refresh(identity, first.refresh_token)
    assert second.refresh_token != first.refresh_token
    assert second.idle_expires_at.seconds - first.idle_expires_at.seconds == 300
    assert second.expires_at == first.expires_at
    assert identity.verifier.verify(second.access.token).session_id == session_id


async def test_using_an_old_token_again_ends_the_session_for_everybody(identity: Identity) -> None:
    await identity.organization("harbor")
    first = await identity.login("harbor")
    second = await refresh(identity, first.refresh_token)
    identity.clock.advance(timedelta(seconds=11))
    with pytest.raises(ServiceError, match="SESSION_ENDED"):
        await refresh(identity, first.refresh_token)
    with pytest.raises(ServiceError, match="SESSION_ENDED"):
        await refresh(identity, second.refresh_token)


async def test_two_tabs_that_refresh_at_once_get_the_same_successor(identity: Identity) -> None:
    await identity.organization("harbor")
    first = await identity.login("harbor")
    one, two = await asyncio.gather(*(refresh(identity, first.refresh_token) for _ in range(2)))
    assert one.refresh_token == two.refresh_token
    identity.clock.advance(timedelta(minutes=1))
    await refresh(identity, one.refresh_token)


async def test_a_token_whose_successor_was_used_is_reuse_even_within_seconds(identity: Identity) -> None:
    await identity.organization("harbor")
    first = await identity.login("harbor")
    second = await refresh(identity, first.refresh_token)
    third = await refresh(identity, second.refresh_token)
    with pytest.raises(ServiceError, match="SESSION_ENDED"):
        await refresh(identity, first.refresh_token)
    with pytest.raises(ServiceError, match="SESSION_ENDED"):
        await refresh(identity, third.refresh_token)


async def test_only_hashes_of_refresh_tokens_are_kept(identity: Identity) -> None:
    organization = await identity.organization("harbor")
    first = await identity.login("harbor")
    second = await refresh(identity, first.refresh_token)
    async with identity.db.read(organization.organization_id) as tx:
        rows = (await tx.execute(select(refresh_tokens))).all()
    assert len(rows) == 2
    for tokens in (first, second):
        assert tokens.refresh_token.rpartition(".")[2] not in repr(rows)


@pytest.mark.parametrize(
    ("email", "idle_minutes", "absolute_hours"),
    [("owner@harbor.example", 15, 8), ("pat@buyer.example", 30, 12)],
)
async def test_sessions_end_when_idle_and_in_any_case_after_hours(
    identity: Identity, email: str, idle_minutes: int, absolute_hours: int
) -> None:
    await identity.organization("harbor")
    owner = await identity.login("harbor")
    await identity.person(owner, "pat@buyer.example", people_pb2.ROLE_VIEWER, CUSTOMER)
    idle = await identity.login("harbor", email)
    identity.clock.advance(timedelta(minutes=idle_minutes))
    with pytest.raises(ServiceError, match="SESSION_ENDED"):
        await refresh(identity, idle.refresh_token)
    busy = await identity.login("harbor", email)
    step = timedelta(minutes=idle_minutes - 1)
    ends_at = identity.clock.now() + timedelta(hours=absolute_hours)
    while identity.clock.now() + step < ends_at:
        identity.clock.advance(step)
        busy = await refresh(identity, busy.refresh_token)
    identity.clock.advance(step)
    with pytest.raises(ServiceError, match="SESSION_ENDED"):
        await refresh(identity, busy.refresh_token)


async def test_the_list_shows_open_sessions_and_one_can_be_ended(identity: Identity) -> None:
    await identity.organization("harbor")
    here, there = await identity.login("harbor"), await identity.login("harbor")
    listed = await identity.sessions.ListSessions(sessions_pb2.ListSessionsRequest(), metadata=by(here))
    assert [session.current for session in listed.sessions] == [False, True]
    other_id = listed.sessions[0].session_id
    await identity.sessions.RevokeSession(
        sessions_pb2.RevokeSessionRequest(session_id=other_id), metadata=by(here)
    )
    with pytest.raises(ServiceError, match="SESSION_ENDED"):
        await refresh(identity, there.refresh_token)
    await identity.sessions.Logout(sessions_pb2.LogoutRequest(), metadata=by(here))
    with pytest.raises(ServiceError, match="SESSION_ENDED"):
        await refresh(identity, here.refresh_token)


async def test_nobody_ends_somebody_elses_session(identity: Identity) -> None:
    await identity.organization("harbor")
    await identity.organization("quarry")
    harbor, quarry = await identity.login("harbor"), await identity.login("quarry")
    session_id = identity.verifier.verify(quarry.access.token).session_id or ""
    with pytest.raises(ServiceError, match="SESSION_NOT_FOUND"):
        await identity.sessions.RevokeSession(
            sessions_pb2.RevokeSessionRequest(session_id=session_id), metadata=by(harbor)
        )
    await refresh(identity, quarry.refresh_token)


async def test_a_changed_password_ends_the_other_sessions(identity: Identity) -> None:
    await identity.organization("harbor")
    here, there = await identity.login("harbor"), await identity.login("harbor")

    async def change(current: str, new: str) -> None:
        request = people_pb2.ChangePasswordRequest(current_password=current, new_password=new)
        await identity.people.ChangePassword(request, metadata=by(here))

    with pytest.raises(ServiceError, match="PASSWORD_WRONG"):
        await change("not the right password", "nine black cormorants dive")
    with pytest.raises(ServiceError, match="VALIDATION_FAILED"):
        await change(PASSWORD, "passwordpassword")
    await change(PASSWORD, "nine black cormorants dive")
    with pytest.raises(ServiceError, match="SESSION_ENDED"):
        await refresh(identity, there.refresh_token)
    await refresh(identity, here.refresh_token)
    with pytest.raises(ServiceError, match="LOGIN_FAILED"):
        await identity.login("harbor")
    await identity.login("harbor", password="nine black cormorants dive")


@pytest.mark.parametrize("text", ["x" * 30, "org_01k0000000000000000000000a." + "A" * 43])
async def test_a_made_up_token_opens_nothing(identity: Identity, text: str) -> None:
    with pytest.raises(ServiceError, match="SESSION_ENDED"):
        await refresh(identity, text)

"""Rows of sessions and their refresh tokens."""

from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import Row, delete, insert, select, update

from chassis.caller import Audience
from chassis.database import ReadTx, WriteTx
from services.identity.domain.session import RefreshToken, Session
from services.identity.tables import refresh_tokens, sessions


async def insert_session(tx: WriteTx, session: Session, *, token_hash: bytes) -> None:
    """A new session with its first refresh token."""
    values = {**asdict(session), "audience": session.audience.value, "end_reason": ""}
    await tx.execute(insert(sessions).values(values))
    await insert_token(tx, session.session_id, token_hash)


async def insert_token(tx: WriteTx, session_id: str, token_hash: bytes) -> None:
    values = {"organization_id": tx.organization_id, "token_hash": token_hash, "session_id": session_id}
    await tx.execute(insert(refresh_tokens).values(values))


async def find_by_token(tx: WriteTx, token_hash: bytes) -> tuple[Session, RefreshToken] | None:
    """The session of a refresh token, locked: two refreshes of one session run one after the other."""
    owner = select(refresh_tokens.c.session_id).where(_is_token(tx, token_hash)).scalar_subquery()
    query = select(sessions).where(
        sessions.c.organization_id == tx.organization_id, sessions.c.session_id == owner
    )
    row = (await tx.execute(query.with_for_update())).first()
    if row is None:
        return None
    return _session(row), await _token(tx, token_hash)


async def _token(tx: WriteTx, token_hash: bytes) -> RefreshToken:
    successor = refresh_tokens.alias("successor")
    query = (
        select(refresh_tokens, successor.c.replaced_at.label("successor_replaced_at"))
        .outerjoin(
            successor,
            (successor.c.organization_id == refresh_tokens.c.organization_id)
            & (successor.c.token_hash == refresh_tokens.c.successor_hash),
        )
        .where(_is_token(tx, token_hash))
    )
    row = (await tx.execute(query)).one()
    return RefreshToken(
        token_hash=bytes(row.token_hash),
        session_id=row.session_id,
        replaced_at=row.replaced_at,
        sealed_successor=None if row.sealed_successor is None else bytes(row.sealed_successor),
        successor_used=row.successor_replaced_at is not None,
    )


async def replace_token(tx: WriteTx, token: RefreshToken, *, successor_hash: bytes) -> None:
    """Keeps `replaced_at` and `sealed_successor` of the token and adds its successor."""
    await insert_token(tx, token.session_id, successor_hash)
    await tx.execute(
        update(refresh_tokens)
        .where(_is_token(tx, token.token_hash))
        .values(
            replaced_at=token.replaced_at,
            sealed_successor=token.sealed_successor,
            successor_hash=successor_hash,
        )
    )


async def set_seen(tx: WriteTx, session: Session) -> None:
    """Keeps `last_seen_at` and `idle_expires_at` of the session."""
    await tx.execute(
        update(sessions)
        .where(_is_session(tx, session.session_id))
        .values(last_seen_at=session.last_seen_at, idle_expires_at=session.idle_expires_at)
    )


async def get_session(tx: ReadTx, session_id: str) -> Session | None:
    row = (await tx.execute(select(sessions).where(_is_session(tx, session_id)))).first()
    return None if row is None else _session(row)


async def list_open_sessions(tx: ReadTx, person_id: str) -> list[Session]:
    """A person's open sessions, the newest first."""
    query = (
        select(sessions)
        .where(_is_open(tx), sessions.c.person_id == person_id)
        .order_by(sessions.c.session_id.desc())
    )
    return [_session(row) for row in await tx.execute(query)]


async def end_session(tx: WriteTx, session_id: str, *, reason: str) -> bool:
    """False when it had ended before."""
    statement = (
        update(sessions)
        .where(_is_session(tx, session_id), sessions.c.ended_at.is_(None))
        .values(ended_at=tx.machine_now(), end_reason=reason)
        .returning(sessions.c.session_id)
    )
    return (await tx.execute(statement)).first() is not None


async def end_sessions_of(
    tx: WriteTx, person_id: str, *, reason: str, except_id: str | None = None
) -> list[str]:
    """Ends a person's sessions, all or all but one; the ids of those that were open."""
    statement = update(sessions).where(_is_open(tx), sessions.c.person_id == person_id)
    if except_id is not None:
        statement = statement.where(sessions.c.session_id != except_id)
    ended = await tx.execute(
        statement.values(ended_at=tx.machine_now(), end_reason=reason).returning(sessions.c.session_id)
    )
    return [row.session_id for row in ended]


async def organizations_with_old_sessions(tx: ReadTx, *, older_than: datetime, limit: int) -> list[str]:
    """In a sweep: whose sessions have been over since then."""
    query = select(sessions.c.organization_id).where(sessions.c.expires_at < older_than).distinct()
    return [row.organization_id for row in await tx.execute(query.limit(limit))]


async def delete_old_sessions(tx: WriteTx, *, older_than: datetime, limit: int) -> int:
    """Deletes sessions with their tokens; how many."""
    old = (
        select(sessions.c.session_id)
        .where(sessions.c.organization_id == tx.organization_id, sessions.c.expires_at < older_than)
        .limit(limit)
    )
    deleted = await tx.execute(
        delete(sessions)
        .where(sessions.c.organization_id == tx.organization_id, sessions.c.session_id.in_(old))
        .returning(sessions.c.session_id)
    )
    return len(deleted.all())


def _is_session(tx: ReadTx, session_id: str) -> Any:
    return (sessions.c.organization_id == tx.organization_id) & (sessions.c.session_id == session_id)


def _is_open(tx: ReadTx) -> Any:
    return (
        (sessions.c.organization_id == tx.organization_id)
        & sessions.c.ended_at.is_(None)
        & (sessions.c.idle_expires_at > tx.machine_now())
        & (sessions.c.expires_at > tx.machine_now())
    )


def _is_token(tx: ReadTx, token_hash: bytes) -> Any:
    return (refresh_tokens.c.organization_id == tx.organization_id) & (
        refresh_tokens.c.token_hash == token_hash
    )


def _session(row: Row[Any]) -> Session:
    return Session(
        organization_id=row.organization_id,
        session_id=row.session_id,
        person_id=row.person_id,
        audience=Audience(row.audience),
        device=row.device,
        network_address=row.network_address,
        created_at=row.created_at,
        last_seen_at=row.last_seen_at,
        idle_expires_at=row.idle_expires_at,
        expires_at=row.expires_at,
        ended_at=row.ended_at,
    )

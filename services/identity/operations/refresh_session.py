"""Trades a refresh token for new tokens."""

from dataclasses import replace

import structlog

from chassis.database import Database, WriteTx
from chassis.errors import Kind, ServiceError
from services.identity.domain.secret import RefreshSecret, new_refresh_secret, parse_refresh_secret
from services.identity.domain.session import RefreshToken, Session, Use, use_of
from services.identity.operations.end_session import end_session
from services.identity.operations.login import SignedIn
from services.identity.store import people, sessions
from services.identity.tokens import TokenIssuer

_log = structlog.get_logger("identity.refresh")


async def refresh_session(db: Database, issuer: TokenIssuer, refresh_token: str) -> SignedIn:
    """Raises SESSION_ENDED (UNAUTHENTICATED).

    An older token than the newest means that it was copied: the session ends for everybody. Only in the
    first seconds it gives the very successor it was traded for, since a browser refreshes in two tabs at once.
    """
    secret = parse_refresh_secret(refresh_token)
    if secret is None:
        raise session_ended()
    async with db.write(secret.organization_id) as tx:
        signed_in = await _refresh(tx, issuer, secret)
    if signed_in is None:  # raised outside, so that the end of a session that was copied is committed
        raise session_ended()
    return signed_in


async def _refresh(tx: WriteTx, issuer: TokenIssuer, secret: RefreshSecret) -> SignedIn | None:
    found = await sessions.find_by_token(tx, secret.digest)
    if found is None:
        return None
    session, token = found
    person = await people.get_person(tx, session.person_id)
    if not session.is_open(tx.machine_now()) or person is None or not person.active:
        return None
    use = use_of(token, tx.machine_now())
    if use is Use.REUSE:
        await _end_copied(tx, session)
        return None
    successor = _known_successor(secret, token) if use is Use.REPEAT else await _rotate(tx, secret, token)
    if use is Use.ROTATE:
        session = session.seen(tx.machine_now())
        await sessions.set_seen(tx, session)
    access = issuer.for_person(person, session)
    return SignedIn(person=person, session=session, access=access, refresh_token=successor.text)


async def _rotate(tx: WriteTx, secret: RefreshSecret, token: RefreshToken) -> RefreshSecret:
    successor = new_refresh_secret(tx.organization_id)
    replaced = replace(token, replaced_at=tx.machine_now(), sealed_successor=secret.seal(successor))
    await sessions.replace_token(tx, replaced, successor_hash=successor.digest)
    return successor


def _known_successor(secret: RefreshSecret, token: RefreshToken) -> RefreshSecret:
    if token.sealed_successor is None:
        raise AssertionError("a replaced token without successor")
    return secret.unseal(token.sealed_successor)


async def _end_copied(tx: WriteTx, session: Session) -> None:
    await end_session(tx, session.session_id, session.person_id, reason="refresh token reused")
    _log.warning(
        "refresh token reused", session_id=session.session_id, organization_id=session.organization_id
    )


def session_ended() -> ServiceError:
    """The answer to every token that opens nothing any more."""
    return ServiceError(
        Kind.UNAUTHENTICATED, "SESSION_ENDED", "Your session has ended. Please sign in again."
    )

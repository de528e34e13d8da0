"""Signs a person in with e-mail address and password.

A wrong password, a barred person, an unknown address and an unknown organization look and cost alike.
"""

from dataclasses import dataclass, replace

import structlog

from chassis import audit, ids
from chassis.database import Database, WriteTx
from chassis.errors import Kind, ServiceError
from services.identity.domain.person import Person
from services.identity.domain.secret import new_refresh_secret
from services.identity.domain.session import Session, new_session
from services.identity.hashing import Hasher
from services.identity.operations.throttle_login import count_try, forgive_tries
from services.identity.store import organizations, people, sessions
from services.identity.tokens import AccessToken, TokenIssuer

_log = structlog.get_logger("identity.login")


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """What somebody signs in with."""

    organization_slug: str
    email: str
    password: str
    device: str = ""
    network_address: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedIn:
    """A session with the tokens that the client keeps."""

    person: Person
    session: Session
    access: AccessToken
    refresh_token: str


async def login(db: Database, hasher: Hasher, issuer: TokenIssuer, credentials: Credentials) -> SignedIn:
    """Raises LOGIN_FAILED (UNAUTHENTICATED) or LOGIN_THROTTLED (RESOURCE_EXHAUSTED)."""
    async with db.sweep() as tx:
        organization = await organizations.find_by_slug(tx, credentials.organization_slug)
    if organization is None:
        await hasher.verify(None, credentials.password)
        raise _refused("unknown organization")
    organization_id = organization.organization_id
    async with db.write(organization_id) as tx:
        found = await people.find_by_email(tx, credentials.email)
        await count_try(tx, email=credentials.email, network_address=credentials.network_address)
    person, password_hash = found or (None, None)
    right = await hasher.verify(password_hash, credentials.password)
    if person is None or password_hash is None or not right or not person.active:
        raise _refused("not active" if right else "wrong password", organization_id=organization_id)
    new_hash = await hasher.hash(credentials.password) if hasher.needs_rehash(password_hash) else None
    async with db.write(organization_id) as tx:
        await forgive_tries(tx, email=credentials.email, network_address=credentials.network_address)
        if new_hash is not None:
            await people.set_password_hash(tx, person.person_id, new_hash)
        return await _start_session(tx, issuer, person.person_id, credentials)


async def _start_session(
    tx: WriteTx, issuer: TokenIssuer, person_id: str, credentials: Credentials
) -> SignedIn:
    """Looks at the person again under a lock: who was barred meanwhile stays out."""
    person = await people.get_person(tx, person_id, for_update=True)
    if person is None or not person.active:
        raise _refused("not active", organization_id=tx.organization_id)
    refresh = new_refresh_secret(tx.organization_id)
    begun = new_session(
        organization_id=tx.organization_id,
        session_id=ids.new_id("ses"),
        person_id=person_id,
        audience=person.audience,
        now=tx.machine_now(),
    )
    session = replace(begun, device=credentials.device, network_address=credentials.network_address)
    await sessions.insert_session(tx, session, token_hash=refresh.digest)
    audit.record(tx, "session.started", session.session_id, reason=person_id)
    access = issuer.for_person(person, session)
    return SignedIn(person=person, session=session, access=access, refresh_token=refresh.text)


def _refused(why: str, *, organization_id: str | None = None) -> ServiceError:
    _log.warning("sign-in refused", why=why, organization_id=organization_id)
    return ServiceError(
        Kind.UNAUTHENTICATED, "LOGIN_FAILED", "The e-mail address or the password is not right."
    )

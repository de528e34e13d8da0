"""Changes the caller's own password."""

from chassis import audit
from chassis.caller import current_call
from chassis.database import Database
from chassis.errors import Kind, ServiceError, invalid
from services.identity.domain.password import check_password
from services.identity.domain.person import Person
from services.identity.hashing import Hasher
from services.identity.operations.end_session import end_sessions_of
from services.identity.operations.refresh_session import session_ended
from services.identity.operations.throttle_login import count_try, forgive_tries
from services.identity.store import people


async def change_password(
    db: Database, hasher: Hasher, organization_id: str, *, current_password: str, new_password: str
) -> None:
    """All other sessions of the person end. Raises PASSWORD_WRONG or INVALID_ARGUMENT for a weak new one.

    Wrong tries count like failed sign-ins (LOGIN_THROTTLED): a stolen session must not serve for guessing.
    """
    person, password_hash = await _caller(db, organization_id)
    check_password("new_password", new_password, name=person.name, email=person.email)
    if new_password == current_password:
        raise invalid("new_password", "unchanged", "The new password is the old one.")
    async with db.write(organization_id) as tx:
        await count_try(tx, email=person.email, network_address="")
    if not await hasher.verify(password_hash, current_password):
        raise ServiceError(Kind.PERMISSION_DENIED, "PASSWORD_WRONG", "The current password is not right.")
    new_hash = await hasher.hash(new_password)
    async with db.write(organization_id) as tx:
        await forgive_tries(tx, email=person.email, network_address="")
        await people.set_password_hash(tx, person.person_id, new_hash)
        own_session_id = current_call().caller.session_id
        await end_sessions_of(tx, person.person_id, reason="password changed", except_id=own_session_id)
        audit.record(tx, "person.password_changed", person.person_id)


async def _caller(db: Database, organization_id: str) -> tuple[Person, str]:
    """The person behind the call; API keys have no password."""
    subject_id = current_call().caller.subject_id or ""
    async with db.read(organization_id) as tx:
        person = await people.get_person(tx, subject_id)
        if person is None:
            raise ServiceError(
                Kind.FAILED_PRECONDITION, "NO_PASSWORD", "An API key has no password to change."
            )
        if not person.active:
            raise session_ended()
        return person, await people.get_password_hash(tx, subject_id)

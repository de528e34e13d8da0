"""Tells who the caller is, from the records of now rather than from the token."""

from chassis.caller import current_call
from chassis.database import Database
from services.identity.domain.api_key import ApiKey
from services.identity.domain.person import Person
from services.identity.operations.refresh_session import session_ended
from services.identity.store import api_keys, people, sessions


async def get_me(db: Database, organization_id: str) -> Person | ApiKey:
    """Raises SESSION_ENDED when session, person or key is over though the token still holds."""
    caller = current_call().caller
    subject_id = caller.subject_id or ""
    async with db.read(organization_id) as tx:
        if caller.session_id is None:
            key = await api_keys.get_api_key(tx, subject_id)
            if key is None or not key.active:
                raise session_ended()
            return key
        session = await sessions.get_session(tx, caller.session_id)
        person = await people.get_person(tx, subject_id)
        if session is None or not session.is_open(tx.machine_now()) or person is None or not person.active:
            raise session_ended()
        return person

"""Bars a person."""

from dataclasses import replace

from chassis import audit
from chassis.caller import current_call
from chassis.database import Database
from chassis.errors import Kind, ServiceError, not_found
from services.identity.domain.person import Person
from services.identity.operations.announce import announce_person
from services.identity.operations.end_session import end_sessions_of
from services.identity.store import people


async def deactivate_person(db: Database, organization_id: str, person_id: str, *, reason: str) -> Person:
    """All their sessions end in the same transaction. Barring twice changes nothing.

    Raises PERSON_NOT_FOUND, or CANNOT_BAR_YOURSELF: an organization must not lose its last owner by a slip.
    """
    if current_call().caller.subject_id == person_id:
        raise ServiceError(Kind.FAILED_PRECONDITION, "CANNOT_BAR_YOURSELF", "You cannot bar yourself.")
    async with db.write(organization_id) as tx:
        person = await people.get_person(tx, person_id, for_update=True)
        if person is None:
            raise not_found("person")
        if not person.active:
            return person
        barred = replace(person, active=False, version=person.version + 1)
        await people.set_active(tx, barred)
        await end_sessions_of(tx, person_id, reason="person deactivated")
        audit.record(tx, "person.deactivated", person_id, reason=reason)
        announce_person(tx, barred)
        return barred

"""Creates a person who may sign in."""

from sqlalchemy.exc import IntegrityError

from chassis import audit
from chassis.caller import current_call
from chassis.database import WriteTx, violated_constraint
from chassis.errors import Kind, ServiceError
from services.identity.domain.organization import check_locale
from services.identity.domain.password import check_password
from services.identity.domain.person import Person, check_role
from services.identity.domain.role import PERMISSIONS, STAFF_ROLES, Role
from services.identity.operations.announce import announce_person
from services.identity.store import people


def check_new_person(person: Person, password: str) -> None:
    """Refuses before anything is hashed or written: INVALID_ARGUMENT, or PERMISSION_DENIED for the role."""
    check_role(person.role, person.customer_id)
    check_may_grant(person.role)
    if person.locale:
        check_locale("locale", person.locale)
    check_password("password", password, name=person.name, email=person.email)


def check_may_grant(role: Role) -> None:
    """Nobody of the staff gives more than they have: PERMISSION_DENIED ROLE_EXCEEDS_OWN."""
    if role in STAFF_ROLES and not PERMISSIONS[role] <= current_call().caller.permissions:
        raise ServiceError(
            Kind.PERMISSION_DENIED, "ROLE_EXCEEDS_OWN", "You cannot give a role that may do more than you."
        )


async def create_person(tx: WriteTx, person: Person, *, password_hash: str) -> None:
    """Raises PERSON_EXISTS (ALREADY_EXISTS) for an address in use."""
    try:
        await people.insert_person(tx, person, password_hash=password_hash)
    except IntegrityError as error:
        if violated_constraint(error) != "uq_people_email":
            raise
        raise ServiceError(
            Kind.ALREADY_EXISTS, "PERSON_EXISTS", "Somebody with this e-mail address is there already."
        ) from error
    audit.record(tx, "person.created", person.person_id)
    announce_person(tx, person)

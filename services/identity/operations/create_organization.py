"""Creates an organization together with its owner."""

from dataclasses import dataclass

from sqlalchemy.exc import IntegrityError

from chassis import audit, ids
from chassis.database import Database, violated_constraint
from chassis.errors import Kind, ServiceError
from services.identity.domain.organization import Organization, check_organization
from services.identity.domain.password import check_password
from services.identity.domain.person import Person
from services.identity.domain.role import Role
from services.identity.hashing import Hasher
from services.identity.operations.announce import announce_organization, announce_person
from services.identity.store import organizations, people


@dataclass(frozen=True, slots=True, kw_only=True)
class Owner:
    """The first staff person."""

    name: str
    email: str
    password: str


async def create_organization(
    db: Database, hasher: Hasher, organization: Organization, owner: Owner
) -> Organization:
    """Raises ORGANIZATION_SLUG_TAKEN (ALREADY_EXISTS), or INVALID_ARGUMENT naming the field."""
    check_organization(organization)
    check_password("owner_password", owner.password, name=owner.name, email=owner.email)
    password_hash = await hasher.hash(owner.password)
    person = Person(
        organization_id=organization.organization_id,
        person_id=ids.new_id("per"),
        name=owner.name,
        email=owner.email.strip(),
        role=Role.OWNER,
        customer_id="",
        locale="",
        active=True,
        created_at=organization.created_at,
    )
    try:
        async with db.write(organization.organization_id) as tx:
            await organizations.insert_organization(tx, organization)
            await people.insert_person(tx, person, password_hash=password_hash)
            audit.record(tx, "organization.created", organization.organization_id)
            audit.record(tx, "person.created", person.person_id)
            announce_organization(tx, organization)
            announce_person(tx, person)
    except IntegrityError as error:
        if violated_constraint(error) != "uq_organizations_slug":
            raise
        raise ServiceError(
            Kind.ALREADY_EXISTS, "ORGANIZATION_SLUG_TAKEN", "Another organization has this short name."
        ) from error
    return organization

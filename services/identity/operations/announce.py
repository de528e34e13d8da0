"""What identity tells the other services: the whole state of an organization or person after each change."""

from chassis import outbox
from chassis.database import WriteTx
from services.identity.domain.organization import Organization
from services.identity.domain.person import Person
from services.identity.translate import to_proto_organization_changed, to_proto_person_changed


def announce_organization(tx: WriteTx, organization: Organization) -> None:
    """OrganizationChanged, when the transaction commits."""
    outbox.append(
        tx,
        to_proto_organization_changed(organization),
        aggregate_type="organization",
        aggregate_id=organization.organization_id,
        aggregate_version=organization.version,
    )


def announce_person(tx: WriteTx, person: Person) -> None:
    """PersonChanged, when the transaction commits."""
    outbox.append(
        tx,
        to_proto_person_changed(person),
        aggregate_type="person",
        aggregate_id=person.person_id,
        aggregate_version=person.version,
    )

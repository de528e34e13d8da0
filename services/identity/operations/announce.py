"""What identity tells the others: an organization or person as it is after each change, and what was revoked."""

from chassis import outbox
from chassis.database import WriteTx
from services.identity.domain.organization import Organization
from services.identity.domain.person import Person
from services.identity.translate import (
    to_proto_api_key_revoked,
    to_proto_organization_changed,
    to_proto_person_changed,
    to_proto_session_ended,
)


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


def announce_session_ended(tx: WriteTx, session_id: str, person_id: str) -> None:
    """SessionEnded, when the transaction commits. A session ends once: this is its only event."""
    outbox.append(
        tx,
        to_proto_session_ended(session_id, person_id),
        aggregate_type="session",
        aggregate_id=session_id,
        aggregate_version=1,
    )


def announce_api_key_revoked(tx: WriteTx, api_key_id: str) -> None:
    """ApiKeyRevoked, when the transaction commits. A key is revoked once: this is its only event."""
    outbox.append(
        tx,
        to_proto_api_key_revoked(api_key_id),
        aggregate_type="api_key",
        aggregate_id=api_key_id,
        aggregate_version=1,
    )

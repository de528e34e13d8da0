"""Changes the caller's organization."""

from collections.abc import Callable
from dataclasses import replace

from chassis import audit
from chassis.database import Database
from chassis.errors import not_found
from services.identity.domain.organization import Organization, check_organization
from services.identity.operations.announce import announce_organization
from services.identity.store import organizations
from services.identity.translate import to_proto_organization


async def update_organization(
    db: Database, organization_id: str, change: Callable[[Organization], Organization]
) -> Organization:
    """Applies `change` to the organization as it is then. Raises INVALID_ARGUMENT naming the field."""
    async with db.write(organization_id) as tx:
        before = await organizations.get_organization(tx, for_update=True)
        if before is None:
            raise not_found("organization")
        wanted = change(before)
        check_organization(wanted)
        if wanted == before:
            return before
        after = replace(wanted, version=before.version + 1)
        await organizations.update_organization(tx, after)
        audit.record(
            tx,
            "organization.updated",
            organization_id,
            before=to_proto_organization(before).SerializeToString(deterministic=True),
            after=to_proto_organization(after).SerializeToString(deterministic=True),
        )
        announce_organization(tx, after)
        return after

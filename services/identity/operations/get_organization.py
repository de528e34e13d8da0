"""Reads an organization: the caller's own, or by short name what the sign-in page shows."""

from chassis.database import Database
from chassis.errors import not_found
from services.identity.domain.organization import Organization
from services.identity.store import organizations


async def get_organization(db: Database, organization_id: str) -> Organization:
    """Raises ORGANIZATION_NOT_FOUND."""
    async with db.read(organization_id) as tx:
        organization = await organizations.get_organization(tx)
    if organization is None:
        raise not_found("organization")
    return organization


async def find_organization(db: Database, slug: str) -> Organization:
    """By short name, before anybody has signed in. Raises ORGANIZATION_NOT_FOUND."""
    async with db.sweep() as tx:
        organization = await organizations.find_by_slug(tx, slug)
    if organization is None:
        raise not_found("organization")
    return organization

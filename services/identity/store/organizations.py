"""Rows of organizations."""

from dataclasses import asdict
from typing import Any

from sqlalchemy import Row, insert, select, update

from chassis.database import ReadTx, WriteTx
from services.identity.domain.organization import Brand, Organization, PostalAddress
from services.identity.tables import organizations


async def insert_organization(tx: WriteTx, organization: Organization) -> None:
    """A slug in use violates uq_organizations_slug."""
    await tx.execute(insert(organizations).values(_columns(organization)))


async def get_organization(tx: ReadTx, *, for_update: bool = False) -> Organization | None:
    """The organization of the transaction."""
    query = select(organizations).where(organizations.c.organization_id == tx.organization_id)
    row = (await tx.execute(query.with_for_update() if for_update else query)).first()
    return None if row is None else _organization(row)


async def find_by_slug(tx: ReadTx, slug: str) -> Organization | None:
    """By short name, in a sweep: the one question that comes before the organization is known."""
    row = (await tx.execute(select(organizations).where(organizations.c.slug == slug))).first()
    return None if row is None else _organization(row)


async def update_organization(tx: WriteTx, organization: Organization) -> None:
    await tx.execute(
        update(organizations)
        .where(organizations.c.organization_id == tx.organization_id)
        .values(_columns(organization))
    )


def _columns(organization: Organization) -> dict[str, Any]:
    brand = organization.brand
    return {
        "organization_id": organization.organization_id,
        "slug": organization.slug,
        "name": organization.name,
        "currency": organization.currency,
        "time_zone": organization.time_zone,
        "locale": organization.locale,
        "address": asdict(organization.address),
        "tax_id": organization.tax_id,
        "contact_email": organization.contact_email,
        "contact_phone": organization.contact_phone,
        "brand_name": brand.display_name,
        "brand_color": brand.primary_color,
        "brand_logo": brand.logo,
        "brand_logo_media_type": brand.logo_media_type,
        "live_mode": organization.live_mode,
        "created_at": organization.created_at,
        "version": organization.version,
    }


def _organization(row: Row[Any]) -> Organization:
    address = {**row.address, "lines": tuple(row.address["lines"])}
    return Organization(
        organization_id=row.organization_id,
        slug=row.slug,
        name=row.name,
        currency=row.currency,
        time_zone=row.time_zone,
        locale=row.locale,
        address=PostalAddress(**address),
        tax_id=row.tax_id,
        contact_email=row.contact_email,
        contact_phone=row.contact_phone,
        brand=Brand(
            display_name=row.brand_name,
            primary_color=row.brand_color,
            logo=bytes(row.brand_logo),
            logo_media_type=row.brand_logo_media_type,
        ),
        live_mode=row.live_mode,
        created_at=row.created_at,
        version=row.version,
    )

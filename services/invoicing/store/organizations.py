"""The copy of identity's organizations."""

from typing import Any

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from chassis.database import ReadTx, WriteTx
from chassis.errors import Kind, ServiceError
from services.invoicing.domain.organization import Organization
from services.invoicing.tables.customers import organizations


async def get_organization(tx: ReadTx) -> Organization:
    """The transaction's organization. UNAVAILABLE while its first event has not arrived yet."""
    query = select(organizations).where(organizations.c.organization_id == tx.organization_id)
    row = (await tx.execute(query)).first()
    if row is None:
        raise ServiceError(
            Kind.UNAVAILABLE, "ORGANIZATION_NOT_READY",
            "This organization was just made. Please try again in a moment.", retry_after_seconds="1",
        )  # fmt: skip
    fields: dict[str, Any] = dict(row._mapping)
    fields["address_lines"] = tuple(fields["address_lines"])
    fields["logo"] = bytes(fields["logo"])
    return Organization(**fields)


async def put_organization(tx: WriteTx, organization: Organization) -> None:
    """Keep the organization as it is now; an older version changes nothing."""
    fields = {name: getattr(organization, name) for name in Organization.__dataclass_fields__}
    fields["address_lines"] = list(organization.address_lines)
    statement = insert(organizations).values(fields)
    changes = {name: statement.excluded[name] for name in fields if name != "organization_id"}
    await tx.execute(
        statement.on_conflict_do_update(
            index_elements=[organizations.c.organization_id],
            set_=changes,
            where=organizations.c.version < statement.excluded.version,
        )
    )

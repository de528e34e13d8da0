"""Rows of brands."""

from dataclasses import asdict

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from chassis.database import ReadTx, WriteTx
from services.notifications.domain.brand import Brand
from services.notifications.tables import brands


async def keep_brand(tx: WriteTx, brand: Brand) -> None:
    """The newest version wins, in whatever order they come."""
    values = asdict(brand)
    statement = insert(brands).values(values)
    await tx.execute(
        statement.on_conflict_do_update(
            constraint="pk_brands",
            set_={name: statement.excluded[name] for name in values if name != "organization_id"},
            where=brands.c.version < statement.excluded.version,
        )
    )


async def get_brand(tx: ReadTx) -> Brand | None:
    """The brand of the transaction's organization; None until identity has told it."""
    query = select(brands).where(brands.c.organization_id == tx.organization_id)
    row = (await tx.execute(query)).first()
    if row is None:
        return None
    return Brand(**{**row._mapping, "logo": bytes(row.logo)})

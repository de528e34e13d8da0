"""Rates that change by law, as an organization has set them."""

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from chassis.database import ReadTx, WriteTx
from services.invoicing.domain.legal_rates import LegalRate, LegalRates
from services.invoicing.tables.adjustments import legal_rates as table


async def get_rates(tx: ReadTx) -> LegalRates:
    """Those that come with the product and those that were set."""
    rows = await tx.execute(select(table).where(table.c.organization_id == tx.organization_id))
    return LegalRates(LegalRate(row.name, row.valid_from, row.value, row.source) for row in rows)


async def put_rate(tx: WriteTx, rate: LegalRate) -> None:
    """Set one; it replaces the one of its name and day."""
    values = {"value": rate.value, "source": rate.source, "updated_at": tx.now()}
    await tx.execute(
        insert(table)
        .values(organization_id=tx.organization_id, name=rate.name, valid_from=rate.valid_from, **values)
        .on_conflict_do_update(index_elements=["organization_id", "name", "valid_from"], set_=values)
    )

"""The organization's own tax codes."""

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from chassis.database import ReadTx, WriteTx
from services.invoicing.domain.tax_table import TaxRate
from services.invoicing.store.invoices import tax_of, tax_values
from services.invoicing.tables.items import tax_rates as table


async def put_tax_rate(tx: WriteTx, rate: TaxRate) -> None:
    """Write what a code means from a day on; the same day again replaces it."""
    values = {"name": rate.name, "taxes": [tax_values(tax) for tax in rate.taxes], "created_at": tx.now()}
    await tx.execute(
        insert(table)
        .values(organization_id=tx.organization_id, code=rate.code, valid_from=rate.valid_from, **values)
        .on_conflict_do_update(index_elements=["organization_id", "code", "valid_from"], set_=values)
    )


async def tax_rates(tx: ReadTx) -> list[TaxRate]:
    """All of them, by code and day."""
    query = select(table).where(table.c.organization_id == tx.organization_id)
    return [
        TaxRate(
            code=row.code, name=row.name, valid_from=row.valid_from,
            taxes=tuple(tax_of(tax) for tax in row.taxes),
        )
        for row in await tx.execute(query.order_by(table.c.code, table.c.valid_from))
    ]  # fmt: skip

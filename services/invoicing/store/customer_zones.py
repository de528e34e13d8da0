"""Where customers are, for days that count by their calendar."""

from collections.abc import Collection, Mapping

from sqlalchemy import func, select

from chassis.database import ReadTx
from services.invoicing.tables.customers import customers


async def time_zones(tx: ReadTx, customer_ids: Collection[str]) -> Mapping[str, str]:
    """IANA zones of those customers that have one of their own."""
    query = (
        select(customers.c.customer_id, customers.c.time_zone)
        .where(customers.c.organization_id == tx.organization_id)
        .where(customers.c.customer_id == func.any(list(customer_ids)), customers.c.time_zone != "")
    )
    return {row.customer_id: row.time_zone for row in await tx.execute(query)}

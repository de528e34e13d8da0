"""Tell the sums that payments' own books must agree with."""

from collections.abc import Sequence

from chassis.database import Database
from services.invoicing.store.agreement import CashSum, cash_sums


async def get_cash_agreement(db: Database, organization_id: str, payment_ids: Sequence[str]) -> list[CashSum]:
    """One sum for each currency, about these payments or about all."""
    async with db.read(organization_id) as tx:
        return await cash_sums(tx, payment_ids)

"""Open items with what is asked for of them."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from chassis.database import ReadTx
from services.invoicing.domain.instalment_plan import Demand
from services.invoicing.domain.open_item import OpenItem
from services.invoicing.operations.early_offers import offers_end


async def asked_items(
    tx: ReadTx, items: Iterable[OpenItem], demanded: Mapping[str, Demand]
) -> list[OpenItem]:
    """With what plans demand, and until when paying early earns something."""
    listed = list(items)
    ends = await offers_end(tx, [one.invoice for one in listed])
    return [
        replace(
            one,
            demand=demanded.get(one.invoice.invoice_id),
            offer_ends_at=ends.get(one.invoice.invoice_id),
        )
        for one in listed
    ]

"""What may be kept of invoices for paying them early, by the day it is where the payer is."""

from collections.abc import Iterable
from datetime import timedelta
from zoneinfo import ZoneInfo

from chassis.database import ReadTx
from chassis.money import Money
from services.invoicing.domain.invoice import Invoice
from services.invoicing.store.customer_zones import time_zones
from services.invoicing.store.organizations import get_organization

HONOURED_FOR = timedelta(minutes=15)
"""Who was shown an offer before midnight may still take it so long."""
_ONE_DAY = timedelta(days=1)


async def early_offers(
    tx: ReadTx, invoices: Iterable[Invoice], *, late_by: timedelta = timedelta()
) -> dict[str, Money]:
    """By invoice id; invoices that offer nothing now are left out.

    The day is that of the invoice's customer, or of the organization where the customer has no zone.
    """
    now = tx.now() - late_by
    first_day = now.date() - _ONE_DAY  # nobody's day is before it
    found = [
        one for one in invoices
        if one.terms.early_discount_until is not None and one.terms.early_discount_until >= first_day
    ]  # fmt: skip
    if not found:
        return {}
    default = (await get_organization(tx)).time_zone
    zones = await time_zones(tx, {one.customer_id for one in found})
    offers = {}
    for one in found:
        today = now.astimezone(ZoneInfo(zones.get(one.customer_id) or default)).date()
        if (kept := one.early_offer(today)) is not None:
            offers[one.invoice_id] = kept
    return offers

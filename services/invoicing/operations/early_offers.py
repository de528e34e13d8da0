"""What may be kept of invoices for paying them early, by the day it is where the payer is."""

from collections.abc import Iterable
from datetime import datetime, time, timedelta
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


async def offers_end(tx: ReadTx, invoices: Iterable[Invoice]) -> dict[str, datetime]:
    """When the last day for paying early is over where the payer is, also if it is; by invoice id.

    Nothing can be kept of what is on its way already or in dispute.
    """
    found = [
        (one, one.terms.early_discount_until)
        for one in invoices
        if one.terms.early_discount_until is not None and one.reserved.is_zero and not one.is_disputed
    ]
    if not found:
        return {}
    default = (await get_organization(tx)).time_zone
    zones = await time_zones(tx, {one.customer_id for one, _ in found})
    return {
        one.invoice_id: datetime.combine(
            until + _ONE_DAY, time(), ZoneInfo(zones.get(one.customer_id) or default)
        )
        for one, until in found
        if one.early_offer(until) is not None
    }

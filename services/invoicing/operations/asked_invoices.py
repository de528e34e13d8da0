"""What is asked for of invoices today: less for whoever pays early, an instalment where a plan is agreed."""

from collections.abc import Sequence
from dataclasses import dataclass

from chassis.database import ReadTx
from chassis.money import Money
from services.invoicing.domain.adjustment import AdjustmentKind
from services.invoicing.domain.instalment_plan import Demand
from services.invoicing.domain.invoice import Invoice
from services.invoicing.operations.early_offers import early_offers
from services.invoicing.store.adjustments import sums_of
from services.invoicing.store.plans import demands_on


@dataclass(frozen=True, slots=True)
class AskedInvoice:
    """An invoice, what settles it for whoever pays early, what its plan demands, and the discount that was granted for
    paying early; None where there is no such.
    """

    invoice: Invoice
    early_payment: Money | None
    demand: Demand | None
    granted: Money | None = None


async def asked_invoices(tx: ReadTx, invoices: Sequence[Invoice]) -> list[AskedInvoice]:
    """The same invoices in the same order."""
    offers = await early_offers(tx, invoices)
    payable = [one.invoice_id for one in invoices if one.is_payable]
    demanded = await demands_on(tx, invoice_ids=payable) if payable else {}
    discounted = [
        one.invoice_id
        for one in invoices
        if one.terms.early_discount_percent and not one.credited.is_zero and not one.is_payable
    ]
    granted = await sums_of(tx, AdjustmentKind.EARLY_DISCOUNT, discounted) if discounted else {}
    found = []
    for one in invoices:
        kept, demand = offers.get(one.invoice_id), demanded.get(one.invoice_id)
        is_offered = demand is None and one.reserved.is_zero and not one.is_disputed
        early = one.due - kept if kept and is_offered else None
        found.append(AskedInvoice(one, early, demand, granted.get(one.invoice_id)))
    return found

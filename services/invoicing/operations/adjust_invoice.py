"""Note that less is asked for of an invoice: one adjustment, what it corrects of the taxes, and one booking.

The caller has locked the invoice, and writes it with the sums that `domain/invoice.py` makes of the same amount.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime

from chassis.database import ReadTx, WriteTx
from chassis.ids import new_id
from chassis.money import Money
from services.invoicing.domain import ledger as books
from services.invoicing.domain.adjustment import TAXED, Adjustment, AdjustmentKind
from services.invoicing.domain.invoice import Invoice
from services.invoicing.domain.tax_correction import (
    Correction,
    correct,
    left_of,
    shares_of,
    spread,
    take_back,
)
from services.invoicing.store import adjustments, ledger
from services.invoicing.store.invoices import get_invoice
from services.invoicing.store.organizations import get_organization


@dataclass(frozen=True, slots=True, kw_only=True)
class Reduction:
    """So much less is asked for, with tax; less than zero takes a reduction back.

    `by_group` is how it is shared among the invoice's groups of taxes: by what is left of each when empty. `returned`
    had been paid and became credit, by the customers who had paid it.
    """

    kind: AdjustmentKind
    source_id: str
    amount: Money
    reason: str = ""
    effective_on: date | None = None
    booked_at: datetime | None = None
    by_group: Mapping[int, Money] = field(default_factory=dict)
    returned: Mapping[str, Money] = field(default_factory=dict)


async def adjust(tx: WriteTx, invoice: Invoice, reduction: Reduction) -> list[Correction]:
    """Note a reduction of a locked invoice, given as it was or as it is. Returns how it corrects the taxes.

    Once for each kind and source: the second time it violates `uq_invoice_adjustments_source`.
    """
    day = reduction.effective_on or (await get_organization(tx)).date_of(tx.now())
    made = Adjustment(
        adjustment_id=new_id("adj"), invoice_id=invoice.invoice_id, kind=reduction.kind,
        source_id=reduction.source_id, amount=reduction.amount, reason=reduction.reason, effective_on=day,
    )  # fmt: skip
    corrections: list[Correction] = []
    if reduction.kind in TAXED:
        corrections = await corrections_of(tx, invoice, reduction.amount, reduction.by_group)
    await adjustments.insert_adjustments(tx, [made])
    await adjustments.insert_corrections(tx, made, corrections)
    if reduction.kind is not AdjustmentKind.FORGIVEN_REFUND:
        tax = sum((one.tax for one in corrections), Money.zero(reduction.amount.currency))
        booking = books.adjustment(
            made,
            invoice.customer_id,
            tax=tax,
            returned=reduction.returned,
            at=reduction.booked_at or tx.now(),
        )
        await ledger.post(tx, [booking])
    return corrections


async def corrections_of(
    tx: ReadTx, invoice: Invoice, amount: Money, by_group: Mapping[int, Money]
) -> list[Correction]:
    """How a reduction by so much corrects the taxes of an invoice. CREDIT_EXCEEDS_INVOICE."""
    whole = invoice if invoice.lines else await get_invoice(tx, invoice.invoice_id)
    shares = shares_of(whole)
    before = await adjustments.corrected(tx, invoice.invoice_id, invoice.currency)
    if not by_group:
        by_group = (
            take_back(-amount, before) if amount.is_negative else spread(amount, left_of(shares, before))
        )
    return correct(shares, before, by_group)

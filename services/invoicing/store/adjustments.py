"""What reduced invoices without money, and how that corrected their taxes. Rows are added, never changed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, func, select

from chassis.database import ReadTx, WriteTx
from chassis.money import Money
from services.invoicing.domain.adjustment import Adjustment, AdjustmentKind
from services.invoicing.domain.tax_correction import Correction
from services.invoicing.store.rows import enqueue_rows, insert_rows
from services.invoicing.tables.adjustments import adjustment_taxes
from services.invoicing.tables.invoices import invoice_adjustments


@dataclass(frozen=True, slots=True)
class MadeAdjustment:
    """An adjustment and when it was made."""

    adjustment: Adjustment
    created_at: datetime


async def insert_adjustments(tx: WriteTx, made: Sequence[Adjustment]) -> None:
    """Add adjustments of locked invoices. Their sums are written with the invoices."""
    enqueue_rows(
        tx,
        invoice_adjustments,
        [
            {
                "adjustment_id": one.adjustment_id,
                "invoice_id": one.invoice_id,
                "kind": one.kind.value,
                "source_id": one.source_id,
                "amount_minor_units": one.amount.minor_units,
                "currency": one.amount.currency,
                "reason": one.reason,
                "effective_on": one.effective_on,
                "created_at": tx.now(),
            }
            for one in made
        ],
    )


async def insert_corrections(tx: WriteTx, made: Adjustment, corrections: Sequence[Correction]) -> None:
    """Add how an adjustment corrects taxes."""
    rows = [
        {
            "adjustment_id": made.adjustment_id,
            "group_no": one.share.group_no,
            "invoice_id": made.invoice_id,
            "taxable_minor_units": one.taxable.minor_units,
            "tax_minor_units": one.tax.minor_units,
            "taxes": [
                {"name": tax.name, "rate_percent": str(tax.rate_percent), "minor_units": amount.minor_units}
                for tax, amount in zip(one.share.taxes, one.amounts, strict=True)
            ],
        }
        for one in corrections
    ]
    await insert_rows(tx, adjustment_taxes, rows)


async def corrected(tx: ReadTx, invoice_id: str, currency: str) -> dict[int, Money]:
    """What was taken off each group of an invoice so far, with tax."""
    taken = func.sum(adjustment_taxes.c.taxable_minor_units + adjustment_taxes.c.tax_minor_units)
    query = (
        select(adjustment_taxes.c.group_no, taken.label("taken"))
        .where(adjustment_taxes.c.organization_id == tx.organization_id)
        .where(adjustment_taxes.c.invoice_id == invoice_id)
        .group_by(adjustment_taxes.c.group_no)
        .order_by(adjustment_taxes.c.group_no)
    )
    return {row.group_no: Money(int(row.taken), currency) for row in await tx.execute(query)}


async def taxes_of(tx: ReadTx, kind: AdjustmentKind, source_id: str) -> list[Row[Any]]:
    """The corrections of one source by group: `taxable_minor_units` and `taxes`."""
    query = (
        select(adjustment_taxes)
        .join(
            invoice_adjustments,
            (invoice_adjustments.c.organization_id == adjustment_taxes.c.organization_id)
            & (invoice_adjustments.c.adjustment_id == adjustment_taxes.c.adjustment_id),
        )
        .where(adjustment_taxes.c.organization_id == tx.organization_id)
        .where(invoice_adjustments.c.kind == kind.value, invoice_adjustments.c.source_id == source_id)
        .order_by(adjustment_taxes.c.group_no)
    )
    return list(await tx.execute(query))


async def adjustments_of(tx: ReadTx, invoice_id: str) -> list[MadeAdjustment]:
    """All adjustments of an invoice, the oldest first."""
    query = (
        select(invoice_adjustments)
        .where(invoice_adjustments.c.organization_id == tx.organization_id)
        .where(invoice_adjustments.c.invoice_id == invoice_id)
        .order_by(invoice_adjustments.c.created_at, invoice_adjustments.c.adjustment_id)
    )
    return [MadeAdjustment(_adjustment(row), row.created_at) for row in await tx.execute(query)]


async def sums_of(tx: ReadTx, kind: AdjustmentKind, invoice_ids: Sequence[str]) -> Mapping[str, Money]:
    """What adjustments of a kind come to, by invoice; invoices without any are left out."""
    query = (
        select(
            invoice_adjustments.c.invoice_id,
            invoice_adjustments.c.currency,
            func.sum(invoice_adjustments.c.amount_minor_units).label("sum"),
        )
        .where(invoice_adjustments.c.organization_id == tx.organization_id)
        .where(invoice_adjustments.c.kind == kind.value)
        .where(invoice_adjustments.c.invoice_id == func.any(list(invoice_ids)))
        .group_by(invoice_adjustments.c.invoice_id, invoice_adjustments.c.currency)
    )
    return {
        row.invoice_id: Money(int(row.sum), row.currency) for row in await tx.execute(query) if int(row.sum)
    }


async def of_source(tx: ReadTx, kind: AdjustmentKind, source_id: str) -> Mapping[str, Money]:
    """What adjustments of a kind and a source came to, by invoice."""
    query = (
        select(invoice_adjustments)
        .where(invoice_adjustments.c.organization_id == tx.organization_id)
        .where(invoice_adjustments.c.kind == kind.value, invoice_adjustments.c.source_id == source_id)
    )
    return {row.invoice_id: Money(row.amount_minor_units, row.currency) for row in await tx.execute(query)}


def _adjustment(row: Row[Any]) -> Adjustment:
    return Adjustment(
        adjustment_id=row.adjustment_id,
        invoice_id=row.invoice_id,
        kind=AdjustmentKind(row.kind),
        source_id=row.source_id,
        amount=Money(row.amount_minor_units, row.currency),
        reason=row.reason,
        effective_on=row.effective_on,
    )

"""Lots of credit, and what payments that have not finished hold of them."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Row, Select, func, select, text

from chassis.database import ReadTx, WriteTx
from chassis.money import Money
from services.invoicing.domain.credit import CreditPart, Lot
from services.invoicing.store.rows import insert_rows
from services.invoicing.tables.money import credit_holds, customer_credits


async def lots_of(tx: ReadTx, customer_ids: Collection[str]) -> list[Lot]:
    """The lots of customers of which something is left."""
    return [_lot(row) for row in await tx.execute(_left(tx).where(_of(customer_ids)))]


async def lock_lots(
    tx: WriteTx, *, customer_ids: Collection[str] = (), payment_ids: Collection[str] = ()
) -> dict[str, Lot]:
    """Lots of customers of which something is left, and those of payments, by payment, locked in order of their ids.

    Invoices are locked before lots.
    """
    query = (
        select(customer_credits)
        .where(customer_credits.c.organization_id == tx.organization_id)
        .where(
            customer_credits.c.payment_id == func.any(list(payment_ids))
            if payment_ids
            else _of(customer_ids) & (customer_credits.c.remaining_minor_units > 0)
        )
        .order_by(customer_credits.c.payment_id)
        .with_for_update()
    )
    return {row.payment_id: _lot(row) for row in await tx.execute(query)}


async def holds_of(tx: ReadTx, payment_ids: Collection[str]) -> dict[str, list[CreditPart]]:
    """What payments hold of lots, by payment."""
    query = (
        select(credit_holds, customer_credits.c.currency)
        .join(
            customer_credits,
            (customer_credits.c.organization_id == credit_holds.c.organization_id)
            & (customer_credits.c.payment_id == credit_holds.c.source_payment_id),
        )
        .where(credit_holds.c.organization_id == tx.organization_id)
        .where(credit_holds.c.payment_id == func.any(list(payment_ids)))
        .order_by(credit_holds.c.payment_id, credit_holds.c.source_payment_id)
    )
    found: dict[str, list[CreditPart]] = {}
    for row in await tx.execute(query):
        part = CreditPart(row.source_payment_id, Money(row.amount_minor_units, row.currency))
        found.setdefault(row.payment_id, []).append(part)
    return found


async def holders_of(tx: ReadTx, lot: Lot) -> list[tuple[str, Money]]:
    """The payments that hold parts of a lot, the newest first."""
    query = (
        select(credit_holds)
        .where(credit_holds.c.organization_id == tx.organization_id)
        .where(credit_holds.c.source_payment_id == lot.payment_id)
        .order_by(credit_holds.c.created_at.desc(), credit_holds.c.payment_id.desc())
    )
    return [
        (row.payment_id, Money(row.amount_minor_units, lot.amount.currency))
        for row in await tx.execute(query)
    ]


async def insert_holds(tx: WriteTx, holds: Mapping[str, Sequence[CreditPart]]) -> None:
    """Hold parts of lots for payments; the lots are locked and written by the caller."""
    rows = [
        {
            "payment_id": payment_id,
            "source_payment_id": part.source_payment_id,
            "amount_minor_units": part.amount.minor_units,
            "created_at": tx.now(),
        }
        for payment_id, parts in holds.items()
        for part in parts
    ]
    await insert_rows(tx, credit_holds, rows)


async def delete_holds(tx: WriteTx, payment_ids: Collection[str]) -> None:
    """Payments hold no credit any more; the lots are locked and written by the caller."""
    await tx.execute(
        credit_holds.delete()
        .where(credit_holds.c.organization_id == tx.organization_id)
        .where(credit_holds.c.payment_id == func.any(list(payment_ids)))
    )


async def shrink_hold(tx: WriteTx, payment_id: str, source_payment_id: str, left: Money) -> None:
    """A payment holds only `left` of a lot now."""
    mine = (
        (credit_holds.c.organization_id == tx.organization_id)
        & (credit_holds.c.payment_id == payment_id)
        & (credit_holds.c.source_payment_id == source_payment_id)
    )
    if left.is_zero:
        await tx.execute(credit_holds.delete().where(mine))
    else:
        await tx.execute(credit_holds.update().where(mine).values(amount_minor_units=left.minor_units))


async def put_lots(tx: WriteTx, lots: Iterable[Lot]) -> None:
    """Write lots that were locked, and new ones, in one statement."""
    found = sorted(lots, key=lambda lot: lot.payment_id)
    if not found:
        return
    await tx.execute(
        _PUT_LOTS,
        {
            "organization_id": tx.organization_id,
            "payment_ids": [lot.payment_id for lot in found],
            "customer_ids": [lot.customer_id for lot in found],
            "currencies": [lot.amount.currency for lot in found],
            "amounts": [lot.amount.minor_units for lot in found],
            "remaining": [lot.remaining.minor_units for lot in found],
            "held": [lot.held.minor_units for lot in found],
            "created_at": [lot.created_at for lot in found],
        },
    )


def _of(customer_ids: Collection[str]) -> Any:
    return customer_credits.c.customer_id == func.any(list(customer_ids))


def _left(tx: ReadTx) -> Select[Any]:
    return (
        select(customer_credits)
        .where(customer_credits.c.organization_id == tx.organization_id)
        .where(customer_credits.c.remaining_minor_units > 0)
    )


def _lot(row: Row[Any]) -> Lot:
    return Lot(
        payment_id=row.payment_id,
        customer_id=row.customer_id,
        amount=Money(row.amount_minor_units, row.currency),
        remaining=Money(row.remaining_minor_units, row.currency),
        held=Money(row.held_minor_units, row.currency),
        created_at=row.created_at,
    )


_PUT_LOTS = text("""
    INSERT INTO customer_credits (
        organization_id, payment_id, customer_id, currency, amount_minor_units, remaining_minor_units,
        held_minor_units, created_at
    )
    SELECT :organization_id, new.*
    FROM unnest(
        CAST(:payment_ids AS text[]), CAST(:customer_ids AS text[]), CAST(:currencies AS text[]),
        CAST(:amounts AS bigint[]), CAST(:remaining AS bigint[]), CAST(:held AS bigint[]),
        CAST(:created_at AS timestamptz[])
    ) AS new
    ON CONFLICT (organization_id, payment_id) DO UPDATE
    SET amount_minor_units = excluded.amount_minor_units,
        remaining_minor_units = excluded.remaining_minor_units, held_minor_units = excluded.held_minor_units
""")

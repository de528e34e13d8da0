"""Reservations."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Row, func, select, text
from sqlalchemy.dialects.postgresql import distinct_on

from chassis.database import ReadTx, WriteTx
from chassis.money import Money
from services.invoicing.domain.reservation import Reservation, ReservationState
from services.invoicing.store.invoices import Question
from services.invoicing.tables.money import reservations


async def reservations_of(tx: ReadTx, *payment_ids: str) -> list[Reservation]:
    """What payments reserved, whatever became of it, by invoice id."""
    return reserved(await tx.execute(*asking(tx, payment_ids)))


def asking(tx: ReadTx, payment_ids: Sequence[str]) -> Question:
    """The question to which `reserved` reads the answer, to be asked together with others."""
    return _OF_PAYMENTS, {"organization_id": tx.organization_id, "payment_ids": list(payment_ids)}


def reserved(rows: Iterable[Row[Any]]) -> list[Reservation]:
    """Reservations by invoice id."""
    return [_reservation(row) for row in rows]


async def put_reservations(tx: WriteTx, held: Sequence[Reservation]) -> None:
    """Hold parts for payments; parts that they held before and that expired are held anew."""
    tx.enqueue(
        _PUT,
        {
            "organization_id": tx.organization_id,
            "payment_ids": [reservation.payment_id for reservation in held],
            "invoice_ids": [reservation.invoice_id for reservation in held],
            "amounts": [reservation.amount.minor_units for reservation in held],
            "expires_at": [reservation.expires_at for reservation in held],
            "discounts": [one.discount.minor_units if one.discount else 0 for one in held],
            "now": tx.now(),
        },
    )


async def end_reservations(tx: WriteTx, payment_ids: Sequence[str], state: ReservationState) -> None:
    """Note what became of payments' held parts; their invoices are locked and written by the caller."""
    tx.enqueue(
        _END,
        {"organization_id": tx.organization_id, "payment_ids": list(payment_ids), "state": state.value},
    )


async def holders_of(tx: ReadTx, invoice_ids: Collection[str]) -> Mapping[str, str]:
    """The payment that holds the newest part of each invoice, for those that are held."""
    query = (
        select(reservations.c.invoice_id, reservations.c.payment_id)
        .ext(distinct_on(reservations.c.invoice_id))
        .where(reservations.c.organization_id == tx.organization_id)
        .where(reservations.c.invoice_id == func.any(list(invoice_ids)))
        .where(reservations.c.state == ReservationState.HELD.value)
        .order_by(reservations.c.invoice_id, reservations.c.created_at.desc())
    )
    return {row.invoice_id: row.payment_id for row in await tx.execute(query)}


async def expired_payments(tx: ReadTx, *, limit: int) -> list[tuple[str, str]]:
    """(organization_id, payment_id) of lapsed reservations of all organizations, for a sweep."""
    query = (
        select(reservations.c.organization_id, reservations.c.payment_id)
        .where(reservations.c.state == ReservationState.HELD.value)
        .where(reservations.c.expires_at <= tx.now())
        .distinct()
        .limit(limit)
    )
    return [(row.organization_id, row.payment_id) for row in await tx.execute(query)]


def _reservation(row: Row[Any]) -> Reservation:
    return Reservation(
        row.payment_id, row.invoice_id, Money(row.amount_minor_units, row.currency),
        ReservationState(row.state), row.expires_at, row.number or "",
        Money(row.discount_minor_units, row.currency) if row.discount_minor_units else None,
    )  # fmt: skip


_OF_PAYMENTS = text("""
    SELECT r.payment_id, r.invoice_id, r.amount_minor_units, r.state, r.expires_at, r.discount_minor_units,
        i.currency, i.number
    FROM reservations r JOIN invoices i USING (organization_id, invoice_id)
    WHERE r.organization_id = :organization_id AND r.payment_id = ANY(CAST(:payment_ids AS text[]))
    ORDER BY r.invoice_id
""")
_PUT = text("""
    INSERT INTO reservations (
        organization_id, payment_id, invoice_id, amount_minor_units, state, expires_at, created_at,
        discount_minor_units
    )
    SELECT :organization_id, payment_id, invoice_id, amount, 'held', expires_at, :now, discount
    FROM unnest(
        CAST(:payment_ids AS text[]), CAST(:invoice_ids AS text[]), CAST(:amounts AS bigint[]),
        CAST(:expires_at AS timestamptz[]), CAST(:discounts AS bigint[])
    ) AS part (payment_id, invoice_id, amount, expires_at, discount)
    ON CONFLICT (organization_id, payment_id, invoice_id) DO UPDATE
    SET amount_minor_units = excluded.amount_minor_units, state = 'held', expires_at = excluded.expires_at,
        discount_minor_units = excluded.discount_minor_units
""")
_END = text(
    "UPDATE reservations SET state = :state WHERE organization_id = :organization_id"
    " AND payment_id = ANY(CAST(:payment_ids AS text[])) AND state = 'held'"
)

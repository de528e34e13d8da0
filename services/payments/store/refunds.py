"""Refunds and their parts."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Row, text

from chassis.database import ReadTx, WriteTx
from chassis.errors import not_found
from chassis.money import Money
from services.payments.domain.payment import Part
from services.payments.domain.refund import Destination, Refund, RefundLine, RefundStatus
from services.payments.domain.refund_lines import LineName, LineTaken


@dataclass(frozen=True, slots=True)
class DueRefund:
    """A refund whose time to be asked about has come."""

    organization_id: str
    refund_id: str


async def load(tx: ReadTx, refund_id: str) -> Refund:
    """A refund of this organization; REFUND_NOT_FOUND."""
    found = await find(tx, refund_id)
    if found is None:
        raise not_found("refund")
    return found


async def find(tx: ReadTx, refund_id: str) -> Refund | None:
    """A refund of this organization, if there is one."""
    params = {"organization_id": tx.organization_id, "refund_id": refund_id}
    row = (await tx.execute(_LOAD, params)).first()
    return None if row is None else _refund(row)


async def of_payment(tx: ReadTx, payment_id: str) -> list[Refund]:
    """All refunds of a payment, the oldest first."""
    params = {"organization_id": tx.organization_id, "payment_id": payment_id}
    return [_refund(row) for row in await tx.execute(_OF_PAYMENT, params)]


async def page(
    tx: ReadTx,
    *,
    payment_id: str,
    customer_id: str | None,
    after: tuple[datetime, str] | None,
    limit: int,
) -> list[Refund]:
    """At most `limit` refunds below a position, the newest first."""
    conditions = ["r.organization_id = :organization_id"]
    if payment_id:
        conditions.append("r.payment_id = :payment_id")
    if customer_id is not None:
        conditions.append("r.customer_id = :customer_id")
    if after is not None:
        conditions.append("(r.created_at, r.refund_id) < (:created_at, :refund_id)")
    statement = text(
        f"{_SELECT} WHERE {' AND '.join(conditions)} ORDER BY r.created_at DESC, r.refund_id DESC LIMIT :limit"
    )
    params = {
        "organization_id": tx.organization_id,
        "payment_id": payment_id,
        "customer_id": customer_id,
        "created_at": after[0] if after else None,
        "refund_id": after[1] if after else None,
        "limit": limit,
    }
    return [_refund(row) for row in await tx.execute(statement, params)]


async def insert(tx: WriteTx, refund: Refund) -> None:
    """Write a new refund with its parts and lines."""
    await tx.execute(_INSERT, _row(tx, refund))
    if refund.parts:
        await tx.execute(
            _INSERT_PART,
            [
                {
                    "organization_id": tx.organization_id,
                    "refund_id": refund.refund_id,
                    "position": position,
                    "invoice_id": part.invoice_id,
                    "invoice_number": part.invoice_number,
                    "amount": part.amount.minor_units,
                }
                for position, part in enumerate(refund.parts, start=1)
            ],
        )
    if refund.lines:
        await tx.execute(
            _INSERT_LINE,
            [
                {
                    "organization_id": tx.organization_id,
                    "refund_id": refund.refund_id,
                    "position": position,
                    "invoice_id": line.invoice_id,
                    "line_no": line.line_no,
                    "description": line.description,
                    "quantity": line.quantity,
                    "amount": line.amount.minor_units,
                }
                for position, line in enumerate(refund.lines, start=1)
            ],
        )


async def taken_of_lines(tx: WriteTx, lines: Collection[LineName]) -> dict[LineName, LineTaken]:
    """What refunds that hold have given back of lines. Until this transaction ends, nobody else gives back of them."""
    if not lines:
        return {}
    for invoice_id in sorted({invoice_id for invoice_id, _line_no in lines}):
        await tx.execute(_LOCK_LINES, {"name": f"refund_lines:{tx.organization_id}:{invoice_id}"})
    params = {
        "organization_id": tx.organization_id,
        "invoice_ids": [invoice_id for invoice_id, _line_no in lines],
        "line_nos": [line_no for _invoice_id, line_no in lines],
    }
    return {
        (row.invoice_id, row.line_no): LineTaken(Decimal(row.quantity), int(row.units))
        for row in await tx.execute(_TAKEN, params)
    }


async def save(tx: WriteTx, refund: Refund) -> None:
    """Write a refund's later state. Under the lock of its payment."""
    await tx.execute(_SAVE, _row(tx, refund))


async def check_soon(tx: WriteTx, refund_id: str) -> None:
    """Let the provider be asked about a refund at the next turn."""
    params = {"organization_id": tx.organization_id, "refund_id": refund_id, "now": tx.now()}
    await tx.execute(_SOON, params)


async def due(tx: ReadTx, *, now: datetime, limit: int) -> list[DueRefund]:
    """Refunds of all organizations whose check is due, the longest waiting first. In a sweep."""
    rows = await tx.execute(_DUE, {"now": now, "limit": limit})
    return [DueRefund(row.organization_id, row.refund_id) for row in rows]


async def claim_check(tx: WriteTx, refund_id: str) -> Refund | None:
    """A refund whose check is due, locked; None if somebody else has taken it."""
    params = {"organization_id": tx.organization_id, "refund_id": refund_id, "now": tx.now()}
    if (await tx.execute(_CLAIM, params)).first() is None:
        return None
    return await find(tx, refund_id)


async def put_off(tx: WriteTx, refund: Refund) -> None:
    """Write when a refund is asked about next, and how often it was."""
    await tx.execute(_PUT_OFF, _row(tx, refund))


def _refund(row: Row[Any]) -> Refund:
    return Refund(
        refund_id=row.refund_id,
        payment_id=row.payment_id,
        customer_id=row.customer_id,
        amount=Money(row.amount_minor_units, row.currency),
        surcharge=Money(row.surcharge_minor_units, row.currency),
        parts=tuple(
            Part(invoice_id, Money(units, row.currency), number)
            for invoice_id, units, number in zip(
                row.invoice_ids or (), row.part_amounts or (), row.invoice_numbers or (), strict=True
            )
        ),
        destination=Destination(row.destination),
        forgives=row.forgives,
        status=RefundStatus(row.status),
        reason=row.reason,
        requested_by=row.requested_by,
        created_at=row.created_at,
        finished_at=row.finished_at,
        failure_code=row.failure_code,
        provider_reference=row.provider_reference,
        next_check_at=row.next_check_at,
        checks=row.checks,
        lines=tuple(
            RefundLine(
                invoice_id=line["invoice_id"],
                line_no=line["line_no"],
                description=line["description"],
                quantity=None if line["quantity"] is None else Decimal(line["quantity"]),
                amount=Money(line["units"], row.currency),
            )
            for line in row.lines or ()
        ),
    )


def _row(tx: WriteTx, refund: Refund) -> dict[str, Any]:
    return {
        "organization_id": tx.organization_id,
        "refund_id": refund.refund_id,
        "payment_id": refund.payment_id,
        "customer_id": refund.customer_id,
        "amount": refund.amount.minor_units,
        "surcharge": refund.surcharge.minor_units,
        "currency": refund.amount.currency,
        "destination": refund.destination.value,
        "forgives": refund.forgives,
        "status": refund.status.value,
        "reason": refund.reason,
        "requested_by": refund.requested_by,
        "failure_code": refund.failure_code,
        "provider_reference": refund.provider_reference,
        "created_at": refund.created_at,
        "finished_at": refund.finished_at,
        "next_check_at": refund.next_check_at,
        "checks": refund.checks,
    }


_SELECT = """
    SELECT r.refund_id, r.payment_id, r.customer_id, r.amount_minor_units, r.surcharge_minor_units, r.currency,
           r.destination, r.forgives, r.status, r.reason, r.requested_by, r.failure_code, r.provider_reference,
           r.created_at, r.finished_at, r.next_check_at, r.checks, part.invoice_ids, part.part_amounts,
           part.invoice_numbers, line.lines
    FROM refunds r
    CROSS JOIN LATERAL (
        SELECT array_agg(invoice_id ORDER BY position) AS invoice_ids,
               array_agg(amount_minor_units ORDER BY position) AS part_amounts,
               array_agg(invoice_number ORDER BY position) AS invoice_numbers
        FROM refund_parts WHERE organization_id = r.organization_id AND refund_id = r.refund_id
    ) AS part
    CROSS JOIN LATERAL (
        SELECT json_agg(
            json_build_object(
                'invoice_id', invoice_id, 'line_no', line_no, 'description', description,
                'quantity', CAST(quantity AS text), 'units', amount_minor_units
            ) ORDER BY position
        ) AS lines
        FROM refund_lines WHERE organization_id = r.organization_id AND refund_id = r.refund_id
    ) AS line
"""
_LOAD = text(f"{_SELECT} WHERE r.organization_id = :organization_id AND r.refund_id = :refund_id")
_OF_PAYMENT = text(
    f"{_SELECT} WHERE r.organization_id = :organization_id AND r.payment_id = :payment_id ORDER BY r.refund_id"
)
_INSERT = text("""
    INSERT INTO refunds (
        organization_id, refund_id, payment_id, customer_id, amount_minor_units, surcharge_minor_units, currency,
        destination, forgives, status, reason, requested_by, created_at, finished_at, next_check_at
    ) VALUES (
        :organization_id, :refund_id, :payment_id, :customer_id, :amount, :surcharge, :currency,
        :destination, :forgives, :status, :reason, :requested_by, :created_at, :finished_at, :next_check_at
    )
""")
_INSERT_PART = text("""
    INSERT INTO refund_parts (
        organization_id, refund_id, position, invoice_id, invoice_number, amount_minor_units
    ) VALUES (:organization_id, :refund_id, :position, :invoice_id, :invoice_number, :amount)
""")
_INSERT_LINE = text("""
    INSERT INTO refund_lines (
        organization_id, refund_id, position, invoice_id, line_no, description, quantity, amount_minor_units
    ) VALUES (:organization_id, :refund_id, :position, :invoice_id, :line_no, :description, :quantity, :amount)
""")
_LOCK_LINES = text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))")
_TAKEN = text("""
    SELECT l.invoice_id, l.line_no, coalesce(sum(l.quantity), 0) AS quantity, sum(l.amount_minor_units) AS units
    FROM unnest(CAST(:invoice_ids AS text[]), CAST(:line_nos AS integer[])) AS named (invoice_id, line_no)
    JOIN refund_lines l ON l.organization_id = :organization_id
        AND l.invoice_id = named.invoice_id AND l.line_no = named.line_no
    JOIN refunds r ON r.organization_id = l.organization_id AND r.refund_id = l.refund_id
    WHERE r.status <> 'failed'
    GROUP BY l.invoice_id, l.line_no
""")
_THIS = "organization_id = :organization_id AND refund_id = :refund_id"
_SAVE = text(f"""
    UPDATE refunds
    SET status = :status, failure_code = :failure_code, provider_reference = :provider_reference,
        finished_at = :finished_at, next_check_at = :next_check_at, checks = :checks
    WHERE {_THIS}
""")  # noqa: S608
_SOON = text(f"UPDATE refunds SET next_check_at = :now WHERE {_THIS}")  # noqa: S608
_DUE = text(
    "SELECT organization_id, refund_id FROM refunds WHERE next_check_at <= :now"
    " ORDER BY next_check_at LIMIT :limit"
)
_CLAIM = text(f"SELECT 1 FROM refunds WHERE {_THIS} AND next_check_at <= :now FOR UPDATE SKIP LOCKED")  # noqa: S608
_PUT_OFF = text(f"UPDATE refunds SET next_check_at = :next_check_at, checks = :checks WHERE {_THIS}")  # noqa: S608

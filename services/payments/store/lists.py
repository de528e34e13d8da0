"""Payments as lists and sums."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import text

from chassis.database import ReadTx
from chassis.money import Money
from chassis.paging import Position
from services.payments.domain.failure import REFUSALS
from services.payments.domain.outcome import LIVE, Status
from services.payments.domain.payment import Payment
from services.payments.store import cases, statements


@dataclass(frozen=True, slots=True)
class DaySum:
    """What came in on a day in one currency."""

    day: date
    amount: Money
    payments: int


async def page(
    tx: ReadTx,
    *,
    customer_id: str | None,
    statuses: Sequence[Status],
    after: Position | None,
    limit: int,
) -> list[Payment]:
    """At most `limit` payments below a position; of all customers if none is named, in any state if none is."""
    conditions = ["p.organization_id = :organization_id"]
    if customer_id is not None:
        conditions.append("p.customer_id = :customer_id")
    if statuses:
        conditions.append("p.status = ANY(:statuses)")
    if after is not None:
        conditions.append("(p.created_at, p.payment_id) < (:created_at, :payment_id)")
    statement = text(
        f"SELECT {statements.COLUMNS} FROM payments p {statements.PARTS} WHERE {' AND '.join(conditions)}"  # noqa: S608
        " ORDER BY p.created_at DESC, p.payment_id DESC LIMIT :limit"
    )
    params = {
        "organization_id": tx.organization_id,
        "customer_id": customer_id,
        "statuses": [status.value for status in statuses],
        "created_at": after[0] if after else None,
        "payment_id": after[1] if after else None,
        "limit": limit,
    }
    return [cases.to_payment(row) for row in await tx.execute(statement, params)]


async def received_since(tx: ReadTx, first_day: date) -> list[DaySum]:
    """What came in by day and currency."""
    params = {"organization_id": tx.organization_id, "first_day": first_day}
    rows = await tx.execute(_RECEIVED, params)
    return [DaySum(row.received_on, Money(int(row.amount), row.currency), row.payments) for row in rows]


async def failed_since(tx: ReadTx, moment: datetime) -> dict[str, int]:
    """Payments that failed at the provider, by currency."""
    refused = [reason.lower() for reason in REFUSALS]
    params = {"organization_id": tx.organization_id, "since": moment, "refused": refused}
    return {row.currency: row.payments for row in await tx.execute(_FAILED, params)}


async def count_unfinished(tx: ReadTx) -> int:
    """Payments that are being checked, on their way, or wait for the payer at the provider."""
    params = {
        "organization_id": tx.organization_id,
        "live": [status.value for status in LIVE if not status.is_waiting],
    }
    return int((await tx.execute(_UNFINISHED, params)).scalar_one())


_RECEIVED = text(
    "SELECT received_on, currency, sum(amount_minor_units) AS amount, count(*) AS payments FROM payments"
    " WHERE organization_id = :organization_id AND status = 'succeeded' AND received_on >= :first_day"
    " GROUP BY received_on, currency"
)
_FAILED = text(
    "SELECT currency, count(*) AS payments FROM payments"
    " WHERE organization_id = :organization_id AND status = 'failed' AND finished_at >= :since"
    " AND created_at >= CAST(:since AS timestamptz) - interval '1 day' AND NOT (failure_code = ANY(:refused))"
    " GROUP BY currency"
)
_UNFINISHED = text(
    "SELECT count(*) FROM payments WHERE organization_id = :organization_id AND status = ANY(:live)"
)

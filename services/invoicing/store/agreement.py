"""Sums of money by where it came from, for checking the books against those of payments."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, text

from chassis.database import ReadTx
from chassis.money import Money


@dataclass(frozen=True, slots=True, kw_only=True)
class CashSum:
    """Sums in one currency: received = applied + unapplied + refunded."""

    received: Money
    applied: Money
    unapplied: Money
    refunded: Money
    cash_clearing: Money


async def cash_sums(tx: ReadTx, payment_ids: Sequence[str] = ()) -> list[CashSum]:
    """By currency, of these payments or of all; `cash_clearing` is debits less credits in the ledger."""
    params = {"organization_id": tx.organization_id, "payment_ids": list(payment_ids)}
    return [_sum(row) for row in await tx.execute(_OF_SOME if payment_ids else _OF_ALL, params)]


def _sum(row: Row[Any]) -> CashSum:
    def money(minor_units: Any) -> Money:
        return Money(int(minor_units), row.currency)

    return CashSum(
        received=money(row.received),
        applied=money(row.applied),
        unapplied=money(row.unapplied),
        refunded=money(row.refunded),
        cash_clearing=money(row.cash_clearing),
    )


_ALL_CLEARING = """
    SELECT currency, sum(CASE side WHEN 'D' THEN amount_minor_units ELSE -amount_minor_units END) AS amount
    FROM ledger_lines
    WHERE organization_id = :organization_id AND account = 'cash_clearing' GROUP BY currency
"""
_SOME_CLEARING = """
    SELECT currency, sum(CASE side WHEN 'D' THEN amount_minor_units ELSE -amount_minor_units END) AS amount
    FROM ledger_entries
    JOIN ledger_lines USING (organization_id, entry_id)
    WHERE organization_id = :organization_id AND account = 'cash_clearing'
      AND source = 'payment' AND source_id = ANY(CAST(:payment_ids AS text[]))
    GROUP BY currency
"""


def _sums(of: str, clearing: str) -> str:
    """`of` narrows the payments whose money it is, by the column {0}."""
    return f"""
        WITH came AS (
            SELECT currency, sum(received_minor_units - surcharge_minor_units) AS received,
                sum(refunded_minor_units) AS refunded
            FROM payment_applications
            WHERE organization_id = :organization_id {of.format("payment_id")} GROUP BY currency
        ), used AS (
            SELECT applications.currency, sum(part.amount_minor_units) AS applied
            FROM (
                SELECT payment_id, amount_minor_units FROM allocations
                WHERE organization_id = :organization_id {of.format("payment_id")}
                UNION ALL
                SELECT source_payment_id, amount_minor_units FROM credit_allocations
                WHERE organization_id = :organization_id {of.format("source_payment_id")}
            ) AS part
            JOIN payment_applications AS applications
                ON applications.organization_id = :organization_id
               AND applications.payment_id = part.payment_id
            GROUP BY applications.currency
        ), credit AS (
            SELECT currency, sum(remaining_minor_units) AS unapplied FROM customer_credits
            WHERE organization_id = :organization_id {of.format("payment_id")} GROUP BY currency
        ), clearing AS ({clearing})
        SELECT currency, coalesce(received, 0) AS received, coalesce(applied, 0) AS applied,
            coalesce(unapplied, 0) AS unapplied, coalesce(refunded, 0) AS refunded,
            coalesce(clearing.amount, 0) AS cash_clearing
        FROM came FULL JOIN used USING (currency) FULL JOIN credit USING (currency)
        FULL JOIN clearing USING (currency)
        ORDER BY currency
    """  # noqa: S608 - made of our own texts only


_OF_ALL = text(_sums("", _ALL_CLEARING))
_OF_SOME = text(_sums("AND {0} = ANY(CAST(:payment_ids AS text[]))", _SOME_CLEARING))

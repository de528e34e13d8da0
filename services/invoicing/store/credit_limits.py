"""Limits of what a customer and everybody below it may owe together."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import text

from chassis.database import ReadTx, WriteTx
from chassis.money import Money


@dataclass(frozen=True, slots=True)
class CreditLimit:
    """Most that a customer and everybody below it may owe at once."""

    customer_id: str
    customer_name: str
    amount: Money


async def lock_limits(tx: WriteTx, customer_ids: Sequence[str], currency: str) -> list[CreditLimit]:
    """The limits of these customers in a currency, whoever stands highest first.

    They stay locked until the transaction ends, so that two invoices never share the room under one limit.
    """
    params = {"organization_id": tx.organization_id, "customer_ids": list(customer_ids), "currency": currency}
    return [
        CreditLimit(row.customer_id, row.name, Money(row.credit_limit_minor_units, currency))
        for row in await tx.execute(_LOCK, params)
    ]


async def owed_under(tx: ReadTx, limit: CreditLimit) -> Money:
    """What the customer and all below it owe in the limit's currency, less the credit that could pay it."""
    currency = limit.amount.currency
    params = {
        "organization_id": tx.organization_id, "customer_id": limit.customer_id, "currency": currency,
    }  # fmt: skip
    return Money(int((await tx.execute(_OWED, params)).scalar_one()), currency)


# In the order in which a branch is locked when it moves.
_LOCK = text("""
    SELECT customer_id, name, credit_limit_minor_units FROM customers
    WHERE organization_id = :organization_id AND customer_id = ANY(CAST(:customer_ids AS text[]))
      AND credit_limit_minor_units IS NOT NULL AND currency = :currency
    ORDER BY cardinality(ancestor_ids), customer_id FOR NO KEY UPDATE
""")
_OWED = text("""
    WITH RECURSIVE family (customer_id) AS (
        SELECT CAST(:customer_id AS text)
        UNION ALL
        SELECT c.customer_id FROM family JOIN customers c
            ON c.organization_id = :organization_id AND c.parent_customer_id = family.customer_id
    )
    SELECT coalesce(sum(owed.amount - credit.amount), 0)
    FROM family, LATERAL (
        SELECT coalesce(sum(total_minor_units - paid_minor_units - credited_minor_units), 0) AS amount
        FROM invoices
        WHERE organization_id = :organization_id AND customer_id = family.customer_id AND currency = :currency
          AND status IN ('open', 'partly_paid')
    ) AS owed, LATERAL (
        SELECT coalesce(sum(remaining_minor_units - held_minor_units), 0) AS amount FROM customer_credits
        WHERE organization_id = :organization_id AND customer_id = family.customer_id AND currency = :currency
    ) AS credit
""")

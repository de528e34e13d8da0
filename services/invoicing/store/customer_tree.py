"""Parents and children of customers."""

from collections.abc import Collection, Mapping
from datetime import date
from typing import Any

from sqlalchemy import func, select, text

from chassis.database import ReadTx, WriteTx
from chassis.money import Money
from services.invoicing.domain.customer import CustomerBalance
from services.invoicing.store.customer_rows import customer_of
from services.invoicing.tables.customers import customers


async def lock_tree(tx: WriteTx) -> None:
    """One customer of the organization moves at a time, so that no two moves make a circle together."""
    key = f"customer-tree:{tx.organization_id}"
    await tx.execute(text("SELECT pg_advisory_xact_lock(hashtextextended(:key, 0))"), {"key": key})


async def ancestors_of(tx: ReadTx, customer_ids: Collection[str]) -> Mapping[str, frozenset[str]]:
    """Who stands above each of these customers; those without anybody above are left out."""
    query = select(customers.c.customer_id, customers.c.ancestor_ids).where(
        customers.c.organization_id == tx.organization_id,
        customers.c.customer_id == func.any(list(customer_ids)),
        customers.c.parent_customer_id.is_not(None),
    )
    return {row.customer_id: frozenset(row.ancestor_ids) for row in await tx.execute(query)}


async def is_above(tx: ReadTx, ancestor_id: str, customer_id: str) -> bool:
    """Whether the one stands above the other."""
    return ancestor_id in (await ancestors_of(tx, [customer_id])).get(customer_id, ())


async def descendant_ids(tx: ReadTx, customer_id: str) -> list[str]:
    """Everybody below a customer, those right below first."""
    params = {"organization_id": tx.organization_id, "customer_id": customer_id}
    return list((await tx.execute(_DESCENDANTS, params)).scalars())


async def balances_below(tx: ReadTx, customer_id: str, *, today: date) -> list[tuple[CustomerBalance, int]]:
    """Everybody below a customer with what they owe in their own currency, and how far below, from one."""
    params = {"organization_id": tx.organization_id, "customer_id": customer_id, "today": today}
    return [(_balance(row), row.depth) for row in await tx.execute(_BALANCES, params)]


def _balance(row: Any) -> CustomerBalance:
    return CustomerBalance(
        customer_of(row), Money(int(row.open), row.currency), Money(int(row.overdue), row.currency),
        row.open_invoices,
    )  # fmt: skip


_DESCENDANTS = text("""
    WITH RECURSIVE below (customer_id, depth) AS (
        SELECT customer_id, 1 FROM customers
        WHERE organization_id = :organization_id AND parent_customer_id = :customer_id
        UNION ALL
        SELECT c.customer_id, below.depth + 1 FROM below JOIN customers c
            ON c.organization_id = :organization_id AND c.parent_customer_id = below.customer_id
    )
    SELECT customer_id FROM below ORDER BY depth, customer_id
""")
_BALANCES = text("""
    WITH RECURSIVE below (customer_id, depth) AS (
        SELECT customer_id, 1 FROM customers
        WHERE organization_id = :organization_id AND parent_customer_id = :customer_id
        UNION ALL
        SELECT c.customer_id, below.depth + 1 FROM below JOIN customers c
            ON c.organization_id = :organization_id AND c.parent_customer_id = below.customer_id
    )
    SELECT c.*, below.depth, coalesce(sums.open, 0) AS open, coalesce(sums.overdue, 0) AS overdue,
        coalesce(sums.open_invoices, 0) AS open_invoices
    FROM below
    JOIN customers c ON c.organization_id = :organization_id AND c.customer_id = below.customer_id
    LEFT JOIN LATERAL (
        SELECT sum(due) AS open,
            sum(due - least(i.disputed_minor_units, due)) FILTER (WHERE i.due_date < :today) AS overdue,
            count(*) AS open_invoices
        FROM invoices i,
            LATERAL (SELECT i.total_minor_units - i.paid_minor_units - i.credited_minor_units AS due)
        WHERE i.organization_id = :organization_id AND i.customer_id = c.customer_id
          AND i.currency = c.currency AND i.status IN ('open', 'partly_paid')
    ) AS sums ON true
    ORDER BY below.depth, lower(c.name), c.customer_id
""")

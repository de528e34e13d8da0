"""Whether the books add up after a run. A figure of payments that were lost or doubled is worth nothing."""

from collections import Counter
from collections.abc import Mapping

import psycopg
from psycopg import sql

from bench.load import Window
from bench.results import NothingPrintedError
from bench.stack import BenchStack

PAID = "SELECT count(*) FROM invoices WHERE status = 'paid'"
_PAYMENTS_SIDE = """
    SELECT (SELECT count(*) FROM payments WHERE status = 'succeeded'),
           (SELECT count(*) FROM payments WHERE status <> 'succeeded'),
           (SELECT count(*) FROM receipts),
           (SELECT coalesce(sum(amount_minor_units), 0) FROM payments WHERE status = 'succeeded'),
           (SELECT coalesce(sum(amount_minor_units), 0) FROM ledger_lines WHERE side = 'D')
"""
_INVOICING_SIDE = """
    SELECT (SELECT count(*) FROM payment_applications),
           (SELECT coalesce(sum(amount_minor_units), 0) FROM allocations),
           (SELECT coalesce(sum(paid_minor_units), 0) FROM invoices),
           (SELECT coalesce(sum(reserved_minor_units), 0) FROM invoices),
           (SELECT count(*) FROM dead_letters)
"""
_UNBALANCED = """
    SELECT count(*) FROM (
        SELECT 1 FROM ledger_lines GROUP BY organization_id, entry_id, currency
        HAVING sum(CASE side WHEN 'D' THEN amount_minor_units ELSE -amount_minor_units END) <> 0
    ) AS wrong
"""


def refuse_errors(name: str, window: Window) -> None:
    """Raises NothingPrintedError unless every request was answered as it should be."""
    if window.errors:
        kinds = "\n".join(f"  {count} x {text}" for text, count in Counter(window.errors).most_common(5))
        raise NothingPrintedError(
            f"{name}: {len(window.errors)} of {window.answers} requests failed:\n{kinds}"
        )
    if not window.answers:
        raise NothingPrintedError(f"{name}: nothing was answered")


async def count_paid(stack: BenchStack) -> int:
    """Invoices that are paid in full."""
    async with await psycopg.AsyncConnection.connect(
        stack.database_url("invoicing"), autocommit=True
    ) as database:
        row = await (await database.execute(PAID)).fetchone()
    assert row is not None
    return int(row[0])


async def verify(stack: BenchStack, *, expected_payments: int) -> None:
    """Raises NothingPrintedError unless payments = receipts = applications, and every sum agrees."""
    async with await psycopg.AsyncConnection.connect(
        stack.database_url("payments"), autocommit=True
    ) as payments:
        one = await (await payments.execute(_PAYMENTS_SIDE)).fetchone()
        wrong_there = await (await payments.execute(_UNBALANCED)).fetchone()
    async with await psycopg.AsyncConnection.connect(
        stack.database_url("invoicing"), autocommit=True
    ) as invoicing:
        two = await (await invoicing.execute(_INVOICING_SIDE)).fetchone()
        wrong_here = await (await invoicing.execute(_UNBALANCED)).fetchone()
    if one is None or two is None or wrong_there is None or wrong_here is None:
        raise NothingPrintedError("a database counts nothing")
    succeeded, others, receipts, paid, debited = one
    applications, allocated, on_invoices, reserved, dead = two
    facts = {
        "payments": (succeeded, expected_payments),
        "payments that did not succeed": (others, 0),
        "receipts": (receipts, succeeded),
        "applications": (applications, succeeded),
        "cash ledger's debits": (debited, paid),
        "allocated": (allocated, paid),
        "paid on invoices": (on_invoices, paid),
        "still reserved": (reserved, 0),
        "dead letters": (dead, 0),
        "unbalanced entries": (wrong_there[0] + wrong_here[0], 0),
    }
    wrong = [f"  {name}: {found}, not {wanted}" for name, (found, wanted) in facts.items() if found != wanted]
    if wrong:
        raise NothingPrintedError("the books do not add up after the payments:\n" + "\n".join(wrong))


async def count_rows(url: str, schema: str) -> dict[str, int]:
    """Rows by table."""
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as database:
        names = await (
            await database.execute(
                "SELECT table_name FROM information_schema.tables"
                " WHERE table_schema = %s AND table_type = 'BASE TABLE'",
                [schema],
            )
        ).fetchall()
        counts = {}
        for (name,) in names:
            query = sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(schema, name))
            row = await (await database.execute(query)).fetchone()
            assert row is not None
            counts[name] = int(row[0])
    return counts


def rows_per_payment(before: Mapping[str, int], after: Mapping[str, int], payments: int) -> dict[str, float]:
    """How many rows a payment leaves behind, by table; tables that did not grow are left out."""
    grown = {name: count - before.get(name, 0) for name, count in after.items()}
    return {
        name: round(count / payments, 2) for name, count in sorted(grown.items()) if count >= payments / 2
    }

"""What imports made, and whether it may be taken back."""

from collections.abc import Collection, Mapping, Sequence

from sqlalchemy import ColumnElement, TextClause, case, func, select, text, update

from chassis.database import ReadTx, WriteTx
from services.invoicing.domain.invoice_import import Making, Outcome
from services.invoicing.store.rows import insert_rows
from services.invoicing.tables.imports import import_makings

_USED_CUSTOMERS = text("""
    SELECT DISTINCT customer_id FROM (
        SELECT customer_id FROM invoices WHERE organization_id = :organization_id
            AND customer_id = ANY(CAST(:ids AS text[])) AND status <> 'void'
        UNION ALL SELECT customer_id FROM schedules
            WHERE organization_id = :organization_id AND customer_id = ANY(CAST(:ids AS text[]))
        UNION ALL SELECT customer_id FROM payment_applications
            WHERE organization_id = :organization_id AND customer_id = ANY(CAST(:ids AS text[]))
        UNION ALL SELECT parent_customer_id FROM customers
            WHERE organization_id = :organization_id AND parent_customer_id = ANY(CAST(:ids AS text[]))
    ) AS used
""")
_USED_ITEMS = text("""
    SELECT DISTINCT item_id FROM (
        SELECT item_id FROM invoice_lines
            WHERE organization_id = :organization_id AND item_id = ANY(CAST(:ids AS text[]))
        UNION ALL SELECT item_id FROM schedule_lines
            WHERE organization_id = :organization_id AND item_id = ANY(CAST(:ids AS text[]))
    ) AS used
""")
_PLANNED_INVOICES = text("""
    SELECT invoice_id FROM plan_invoices
    WHERE organization_id = :organization_id AND invoice_id = ANY(CAST(:ids AS text[])) AND live
""")
_RETIRE_INVOICES = text("""
    UPDATE invoices SET number = number || :ending, number_key = NULL, external_id = NULL
    WHERE organization_id = :organization_id AND invoice_id = ANY(CAST(:ids AS text[])) AND status = 'void'
""")
_REMOVE_ITEM_PRICES = text("""
    DELETE FROM item_prices WHERE organization_id = :organization_id AND item_id = ANY(CAST(:ids AS text[]))
""")
_REMOVE_ITEMS = text("""
    DELETE FROM items WHERE organization_id = :organization_id AND item_id = ANY(CAST(:ids AS text[]))
""")


async def insert_makings(tx: WriteTx, import_id: str, makings: Sequence[Making]) -> None:
    """Note what an import made."""
    rows = [
        {
            "import_id": import_id, "object_id": one.object_id, "noun": one.noun, "line": one.line,
            "version": one.version, "outcome": one.outcome.value,
        }
        for one in makings
    ]  # fmt: skip
    await insert_rows(tx, import_makings, rows)


async def next_makings(tx: ReadTx, import_id: str, *, limit: int) -> list[Making]:
    """What is still to be taken back: invoices before customers and items, which they may use."""
    query = (
        select(import_makings)
        .where(import_makings.c.organization_id == tx.organization_id)
        .where(import_makings.c.import_id == import_id)
        .where(import_makings.c.outcome == Outcome.MADE.value)
        .order_by(
            case((import_makings.c.noun == "invoice", 0), else_=1),
            import_makings.c.noun,
            import_makings.c.line,
        )
        .limit(limit)
    )
    return [
        Making(row.line, row.noun, row.object_id, row.version, Outcome(row.outcome))
        for row in await tx.execute(query)
    ]


async def note_outcomes(tx: WriteTx, import_id: str, outcomes: Mapping[str, Outcome]) -> None:
    """Note what became of things that were made, by their ids."""
    for outcome in (Outcome.UNDONE, Outcome.KEPT):
        ids = [object_id for object_id, one in outcomes.items() if one is outcome]
        if ids:
            await _set_outcome(tx, import_id, outcome, import_makings.c.object_id == func.any(ids))


async def try_kept_again(tx: WriteTx, import_id: str) -> None:
    """What was kept is to be taken back once more."""
    await _set_outcome(tx, import_id, Outcome.MADE, import_makings.c.outcome == Outcome.KEPT.value)


async def used_customers(tx: ReadTx, ids: Collection[str]) -> frozenset[str]:
    """Those of the customers that have invoices, schedules, payments or children."""
    return await _found(tx, _USED_CUSTOMERS, ids)


async def used_items(tx: ReadTx, ids: Collection[str]) -> frozenset[str]:
    """Those of the items that are sold on invoices or schedules."""
    return await _found(tx, _USED_ITEMS, ids)


async def planned_invoices(tx: ReadTx, ids: Collection[str]) -> frozenset[str]:
    """Those of the invoices that are paid by instalments."""
    return await _found(tx, _PLANNED_INVOICES, ids)


async def retire_invoices(tx: WriteTx, ids: Collection[str], *, ending: str) -> None:
    """Free the numbers and external ids of voided invoices: their own numbers get an ending."""
    await tx.execute(
        _RETIRE_INVOICES, {"organization_id": tx.organization_id, "ids": list(ids), "ending": ending}
    )


async def remove_items(tx: WriteTx, ids: Collection[str]) -> None:
    """Remove items that nothing uses."""
    for statement in (_REMOVE_ITEM_PRICES, _REMOVE_ITEMS):
        await tx.execute(statement, {"organization_id": tx.organization_id, "ids": list(ids)})


async def _found(tx: ReadTx, query: TextClause, ids: Collection[str]) -> frozenset[str]:
    result = await tx.execute(query, {"organization_id": tx.organization_id, "ids": list(ids)})
    return frozenset(result.scalars())


async def _set_outcome(tx: WriteTx, import_id: str, outcome: Outcome, which: ColumnElement[bool]) -> None:
    await tx.execute(
        update(import_makings)
        .where(import_makings.c.organization_id == tx.organization_id)
        .where(import_makings.c.import_id == import_id)
        .where(which)
        .values(outcome=outcome.value)
    )

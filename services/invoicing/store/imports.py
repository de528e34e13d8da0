"""Imports and their rows."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from sqlalchemy import Row as SqlRow
from sqlalchemy import func, insert, select, update

from chassis.database import ReadTx, WriteTx
from chassis.errors import not_found
from chassis.money import Money
from services.invoicing.domain.invoice_import import SAMPLE_ROWS, Import, ImportState, Row, RowError
from services.invoicing.store.rows import insert_rows
from services.invoicing.tables.imports import import_rows, imports


async def insert_import(tx: WriteTx, new: Import, rows: Sequence[Row]) -> None:
    """Keep an import with all rows that can be imported."""
    await tx.execute(insert(imports).values(organization_id=tx.organization_id, **_values(new)))
    await insert_rows(tx, import_rows, [_row_values(new.import_id, row) for row in rows])


async def update_import(tx: WriteTx, changed: Import) -> None:
    """Write an import that was locked."""
    await tx.execute(
        update(imports)
        .where(imports.c.organization_id == tx.organization_id)
        .where(imports.c.import_id == changed.import_id)
        .values(**_values(changed))
    )


async def get_import(tx: ReadTx, import_id: str, *, for_update: bool = False) -> Import:
    """An import of the transaction's organization with its first rows; NOT_FOUND otherwise."""
    query = select(imports).where(
        imports.c.organization_id == tx.organization_id, imports.c.import_id == import_id
    )
    row = (await tx.execute(query.with_for_update() if for_update else query)).first()
    if row is None:
        raise not_found("import")
    return _import(row, await _rows(tx, import_id, limit=SAMPLE_ROWS))


async def waiting_rows(tx: ReadTx, import_id: str, *, limit: int) -> list[Row]:
    """The next rows that have not been handled, in the order of the file."""
    return await _rows(tx, import_id, limit=limit, handled=False)


async def mark_handled(tx: WriteTx, import_id: str, rows: Sequence[Row]) -> None:
    """Note that rows were imported or left out."""
    await tx.execute(
        update(import_rows)
        .where(import_rows.c.organization_id == tx.organization_id)
        .where(import_rows.c.import_id == import_id)
        .where(import_rows.c.line == func.any([row.line for row in rows]))
        .values(handled=True)
    )


async def running_imports(tx: ReadTx, *, limit: int) -> list[tuple[str, str]]:
    """(organization_id, import_id) of imports at work in all organizations, for a sweep."""
    query = (
        select(imports.c.organization_id, imports.c.import_id)
        .where(imports.c.state == ImportState.RUNNING.value)
        .order_by(imports.c.created_at)
        .limit(limit)
    )
    return [(row.organization_id, row.import_id) for row in await tx.execute(query)]


async def _rows(tx: ReadTx, import_id: str, *, limit: int, handled: bool | None = None) -> list[Row]:
    query = select(import_rows).where(
        import_rows.c.organization_id == tx.organization_id, import_rows.c.import_id == import_id
    )
    if handled is not None:
        query = query.where(import_rows.c.handled == handled)
    found = await tx.execute(query.order_by(import_rows.c.line).limit(limit))
    return [_row(row) for row in found]


def _values(new: Import) -> dict[str, Any]:
    return {
        "import_id": new.import_id,
        "file_name": new.file_name,
        "state": new.state.value,
        "notify": new.notify,
        "total_rows": new.total_rows,
        "handled_rows": new.handled_rows,
        "created_rows": new.created_rows,
        "unchanged_rows": new.unchanged_rows,
        "failed_rows": new.failed_rows,
        "errors": [asdict(error) for error in new.errors],
        "actor": new.actor,
        "created_at": new.created_at,
        "finished_at": new.finished_at,
    }


def _import(row: SqlRow[Any], sample: Sequence[Row]) -> Import:
    return Import(
        import_id=row.import_id,
        file_name=row.file_name,
        state=ImportState(row.state),
        notify=row.notify,
        total_rows=row.total_rows,
        handled_rows=row.handled_rows,
        created_rows=row.created_rows,
        unchanged_rows=row.unchanged_rows,
        failed_rows=row.failed_rows,
        errors=[RowError(**error) for error in row.errors],
        actor=row.actor,
        created_at=row.created_at,
        finished_at=row.finished_at,
        sample=sample,
    )


def _row_values(import_id: str, row: Row) -> dict[str, Any]:
    return {
        "import_id": import_id,
        "line": row.line,
        "external_id": row.external_id,
        "customer_external_id": row.customer_external_id,
        "customer_name": row.customer_name,
        "customer_email": row.customer_email,
        "invoice_date": row.invoice_date,
        "due_date": row.due_date,
        "total_minor_units": row.total.minor_units,
        "currency": row.total.currency,
        "description": row.description,
        "disputed": row.disputed,
        "settled_date": row.settled_date,
        "handled": False,
    }


def _row(row: SqlRow[Any]) -> Row:
    return Row(
        line=row.line,
        external_id=row.external_id,
        customer_external_id=row.customer_external_id,
        customer_name=row.customer_name,
        customer_email=row.customer_email,
        invoice_date=row.invoice_date,
        due_date=row.due_date,
        total=Money(row.total_minor_units, row.currency),
        description=row.description,
        disputed=row.disputed,
        settled_date=row.settled_date,
    )

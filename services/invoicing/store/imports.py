"""Imports, their rows and files, and how columns were understood."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from sqlalchemy import Row as SqlRow
from sqlalchemy import delete, func, insert, select, tuple_, update
from sqlalchemy.dialects.postgresql import insert as upsert

from chassis.database import ReadTx, WriteTx
from chassis.errors import not_found
from services.invoicing.domain.invoice_import import (
    SAMPLE_ROWS,
    DateOrder,
    DecimalSign,
    Import,
    ImportFormat,
    ImportKind,
    ImportState,
    Record,
    Row,
    RowError,
    SavedMapping,
    Understanding,
)
from services.invoicing.store.import_rows import row_of, row_values
from services.invoicing.store.pages import decode_page_token, moment_of, page_of
from services.invoicing.store.rows import insert_rows
from services.invoicing.tables.imports import import_files, import_mappings, import_rows, imports

_SCOPE = "imports"
_AT_WORK = (ImportState.RUNNING.value, ImportState.UNDOING.value)


async def insert_import(tx: WriteTx, new: Import, rows: Sequence[Row | Record]) -> None:
    """Keep an import with all rows that can be imported."""
    await tx.execute(insert(imports).values(organization_id=tx.organization_id, **_values(new)))
    await insert_rows(tx, import_rows, [row_values(new.import_id, row) for row in rows])


async def replace_rows(tx: WriteTx, import_id: str, rows: Sequence[Row | Record]) -> None:
    """Keep these rows of a preview instead of the ones before."""
    await tx.execute(
        delete(import_rows)
        .where(import_rows.c.organization_id == tx.organization_id)
        .where(import_rows.c.import_id == import_id)
    )
    await insert_rows(tx, import_rows, [row_values(import_id, row) for row in rows])


async def keep_file(tx: WriteTx, import_id: str, content: bytes) -> None:
    """Keep the file of a preview, so that it can be read once more."""
    await tx.execute(
        insert(import_files).values(organization_id=tx.organization_id, import_id=import_id, content=content)
    )


async def get_file(tx: ReadTx, import_id: str) -> bytes:
    """The file of a preview; NOT_FOUND when it is not kept any more."""
    query = select(import_files.c.content).where(
        import_files.c.organization_id == tx.organization_id, import_files.c.import_id == import_id
    )
    content = (await tx.execute(query)).scalar_one_or_none()
    if content is None:
        raise not_found("import")
    return bytes(content)


async def drop_file(tx: WriteTx, import_id: str) -> None:
    """Forget the file: from now on only its rows count."""
    await tx.execute(
        delete(import_files)
        .where(import_files.c.organization_id == tx.organization_id)
        .where(import_files.c.import_id == import_id)
    )


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


async def list_imports(tx: ReadTx, *, page_size: int, page_token: str) -> tuple[list[Import], str]:
    """A page, the newest first, without first rows; and the token of the next one."""
    query = select(imports).where(imports.c.organization_id == tx.organization_id)
    if (after := decode_page_token(page_token, _SCOPE)) is not None:
        at = moment_of(after[0])
        query = query.where(tuple_(imports.c.created_at, imports.c.import_id) < (at, after[1]))
    newest = query.order_by(imports.c.created_at.desc(), imports.c.import_id.desc()).limit(page_size + 1)
    rows = (await tx.execute(newest)).all()
    rows, token = page_of(rows, page_size, _SCOPE, lambda last: (last.created_at.isoformat(), last.import_id))
    return [_import(row, ()) for row in rows], token


async def waiting_rows(tx: ReadTx, import_id: str, *, limit: int) -> list[Row | Record]:
    """The next rows that have not been handled, in the order of the file."""
    return await _rows(tx, import_id, limit=limit, handled=False)


async def mark_handled(tx: WriteTx, import_id: str, rows: Sequence[Row | Record]) -> None:
    """Note that rows were imported or left out."""
    await tx.execute(
        update(import_rows)
        .where(import_rows.c.organization_id == tx.organization_id)
        .where(import_rows.c.import_id == import_id)
        .where(import_rows.c.line == func.any([row.line for row in rows]))
        .values(handled=True)
    )


async def imports_at_work(tx: ReadTx, *, limit: int) -> list[tuple[str, str]]:
    """(organization_id, import_id) of imports at work in all organizations, for a sweep."""
    query = (
        select(imports.c.organization_id, imports.c.import_id)
        .where(imports.c.state.in_(_AT_WORK))
        .order_by(imports.c.created_at)
        .limit(limit)
    )
    return [(row.organization_id, row.import_id) for row in await tx.execute(query)]


async def save_mapping(tx: WriteTx, kind: ImportKind, understanding: Understanding) -> None:
    """Remember how a header was understood."""
    values = {"understanding": _understanding_values(understanding), "used_at": tx.now()}
    place = {
        "organization_id": tx.organization_id, "kind": kind.value, "fingerprint": _fingerprint(understanding.columns),
    }  # fmt: skip
    statement = upsert(import_mappings).values(**place, **values)
    await tx.execute(statement.on_conflict_do_update(constraint="pk_import_mappings", set_=values))


async def find_mapping(tx: ReadTx, kind: ImportKind, columns: Sequence[str]) -> Understanding | None:
    """How such a header was understood when it was imported last."""
    query = select(import_mappings.c.understanding).where(
        import_mappings.c.organization_id == tx.organization_id,
        import_mappings.c.kind == kind.value,
        import_mappings.c.fingerprint == _fingerprint(columns),
    )
    found = (await tx.execute(query)).scalar_one_or_none()
    return None if found is None else _understanding(found)


async def list_mappings(tx: ReadTx, kind: ImportKind | None) -> list[SavedMapping]:
    """Remembered mappings, the last used first."""
    query = select(import_mappings).where(import_mappings.c.organization_id == tx.organization_id)
    if kind is not None:
        query = query.where(import_mappings.c.kind == kind.value)
    rows = await tx.execute(query.order_by(import_mappings.c.used_at.desc()).limit(200))
    return [
        SavedMapping(ImportKind(row.kind), _understanding(row.understanding), row.used_at) for row in rows
    ]


async def _rows(tx: ReadTx, import_id: str, *, limit: int, handled: bool | None = None) -> list[Row | Record]:
    query = select(import_rows).where(
        import_rows.c.organization_id == tx.organization_id, import_rows.c.import_id == import_id
    )
    if handled is not None:
        query = query.where(import_rows.c.handled == handled)
    found = await tx.execute(query.order_by(import_rows.c.line).limit(limit))
    return [row_of(row) for row in found]


def _fingerprint(columns: Sequence[str]) -> str:
    return hashlib.sha256("\n".join(columns).encode()).hexdigest()


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
        "kind": new.kind.value,
        "format": new.format.value,
        "understanding": _understanding_values(new.understanding),
        "undone_records": new.undone_records,
        "kept_records": new.kept_records,
        "undo_reason": new.undo_reason,
    }


def _import(row: SqlRow[Any], sample: Sequence[Row | Record]) -> Import:
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
        kind=ImportKind(row.kind),
        format=ImportFormat(row.format),
        understanding=_understanding(row.understanding),
        undone_records=row.undone_records,
        kept_records=row.kept_records,
        undo_reason=row.undo_reason,
    )


def _understanding_values(understanding: Understanding) -> dict[str, Any]:
    return {
        "columns": list(understanding.columns),
        "mapping": dict(understanding.mapping),
        "date_order": understanding.date_order.value if understanding.date_order else "",
        "decimal_sign": understanding.decimal_sign.value if understanding.decimal_sign else "",
        "missing": list(understanding.missing),
        "remembered": understanding.remembered,
    }


def _understanding(values: Mapping[str, Any]) -> Understanding:
    order, sign = values.get("date_order"), values.get("decimal_sign")
    return Understanding(
        columns=tuple(values.get("columns", ())),
        mapping=values.get("mapping", {}),
        date_order=DateOrder(order) if order else None,
        decimal_sign=DecimalSign(sign) if sign else None,
        missing=tuple(values.get("missing", ())),
        remembered=bool(values.get("remembered")),
    )

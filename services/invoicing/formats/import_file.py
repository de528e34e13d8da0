"""A file of any format as rows that can be imported, and what is wrong with the others."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date

from services.invoicing.domain.invoice_import import (
    How,
    ImportKind,
    Record,
    Row,
    RowError,
    Understanding,
    UnderstoodFile,
)
from services.invoicing.formats.import_cells import Cells, shown
from services.invoicing.formats.import_fields import FIELDS, Shape, guess_mapping, missing_fields
from services.invoicing.formats.import_problems import WrongCell
from services.invoicing.formats.import_rows import read_credit_note, read_customer, read_invoice, read_item
from services.invoicing.formats.import_values import find_date_order, find_decimal_sign
from services.invoicing.formats.sources.reading import Source, SourceRow

_FIELDS_BY_NAME = {kind: {field.name: field for field in fields} for kind, fields in FIELDS.items()}


def understand(source: Source, kind: ImportKind, how: How, *, currency: str, today: date) -> UnderstoodFile:
    """All rows of a file. A file that lacks a needed column has none, and says which.

    `currency` counts where a row names none; nothing was settled after `today`.
    """
    understanding = _understanding(source, kind, how)
    if understanding.missing:
        return UnderstoodFile([], [], len(source.rows), understanding)
    rows: list[Row | Record] = []
    errors: list[RowError] = []
    seen: dict[str, int] = {}
    for row in source.rows:
        if row.problem:
            errors.append(RowError(row.line, "", row.problem))
            continue
        try:
            found = _read(row, kind, understanding, currency, today)
            key = found.external_id if isinstance(found, Row) else found.key
            if (first := seen.setdefault(key, row.line)) != row.line:
                raise WrongCell(_key_of(kind), "twice", text=shown(key), line=str(first))
        except WrongCell as wrong:
            errors.append(RowError(row.line, wrong.column, wrong.message, wrong.code, wrong.params))
        else:
            rows.append(found)
    return UnderstoodFile(rows, errors, len(source.rows), understanding)


def _key_of(kind: ImportKind) -> str:
    return "sku" if kind is ImportKind.ITEMS else "external_id"


def _understanding(source: Source, kind: ImportKind, how: How) -> Understanding:
    mapping = guess_mapping(kind, source.columns, how.mapping)
    missing = missing_fields(kind, mapping) if source.rows or source.columns else ()
    found = Understanding(tuple(source.columns), mapping, how.date_order, how.decimal_sign, missing)
    if found.date_order is None:
        found = replace(found, date_order=find_date_order(_texts(source, kind, mapping, Shape.DATE)))
    if found.decimal_sign is None:
        found = replace(found, decimal_sign=find_decimal_sign(_texts(source, kind, mapping, Shape.AMOUNT)))
    return found


def _texts(source: Source, kind: ImportKind, mapping: Mapping[str, str], shape: Shape) -> Iterator[str]:
    columns = [
        mapping[field.name] for field in FIELDS[kind] if field.shape is shape and field.name in mapping
    ]
    return (row.cells[column] for row in source.rows for column in columns if column in row.cells)


def _read(row: SourceRow, kind: ImportKind, how: Understanding, currency: str, today: date) -> Row | Record:
    cells = Cells(
        {name: row.cells.get(column, "") for name, column in how.mapping.items()},
        _FIELDS_BY_NAME[kind],
        date_order=how.date_order,
        decimal_sign=how.decimal_sign,
    )
    if kind is ImportKind.CUSTOMERS:
        return read_customer(row.line, cells, currency=currency)
    if kind is ImportKind.ITEMS:
        return read_item(row.line, cells, currency=currency)
    if kind is ImportKind.CREDIT_NOTES:
        return read_credit_note(row.line, cells, currency=currency, today=today)
    return read_invoice(row.line, cells, kind=kind, currency=currency, today=today)

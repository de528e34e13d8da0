"""Understand a file: its format, its columns, its rows, and which of them are there already."""

import asyncio
from collections.abc import Collection
from dataclasses import replace
from datetime import date

from chassis.database import ReadTx
from chassis.errors import invalid
from services.invoicing.domain.invoice_import import (
    How,
    ImportFormat,
    ImportKind,
    Record,
    Row,
    RowError,
    Understanding,
    UnderstoodFile,
)
from services.invoicing.domain.organization import Organization
from services.invoicing.formats.import_cells import shown
from services.invoicing.formats.import_file import understand
from services.invoicing.formats.import_problems import PROBLEMS
from services.invoicing.formats.sources.detection import read_source
from services.invoicing.formats.sources.reading import Source, UnreadableFile
from services.invoicing.operations.import_credit_notes import known_notes
from services.invoicing.operations.list_tax_rates import known_rates
from services.invoicing.store.customers import customers_by_external_id
from services.invoicing.store.imports import find_mapping
from services.invoicing.store.invoices import taken_external_ids
from services.invoicing.store.items import taken_skus
from services.invoicing.translate.import_records import wrong_record


async def read_file(content: bytes, wanted: ImportFormat | None) -> tuple[ImportFormat, Source]:
    """Format and rows. VALIDATION_FAILED for a file that cannot be read at all."""
    try:
        return await asyncio.to_thread(read_source, content, wanted)
    except UnreadableFile as error:
        raise invalid("content", "file", str(error)) from None


async def understand_file(
    source: Source,
    kind: ImportKind,
    how: How,
    organization: Organization,
    *,
    today: date,
    earlier: Understanding | None,
) -> UnderstoodFile:
    """All rows. A header that was imported `earlier` is understood as it was then, unless somebody says otherwise."""
    remembered = earlier is not None and not how.mapping
    mapping = earlier.mapping if earlier is not None and not how.mapping else how.mapping

    def work() -> UnderstoodFile:
        chosen = replace(how, mapping=mapping)
        found = _read(source, kind, chosen, organization, today)
        if earlier is not None:
            doubtful = found.understanding
            order = doubtful.date_order or earlier.date_order
            sign = doubtful.decimal_sign or earlier.decimal_sign
            if (order, sign) != (doubtful.date_order, doubtful.decimal_sign):
                found = _read(source, kind, How(mapping, order, sign), organization, today)
        return replace(found, understanding=replace(found.understanding, remembered=remembered))

    return await asyncio.to_thread(work)


async def remembered(tx: ReadTx, kind: ImportKind, source: Source) -> Understanding | None:
    """How a file with the same header was understood."""
    return await find_mapping(tx, kind, source.columns)


async def taken_keys(tx: ReadTx, kind: ImportKind, rows: Collection[Row | Record]) -> Collection[str]:
    """Those of the rows' external ids, stock keeping units or numbers of what is there already."""
    keys = [row.external_id if isinstance(row, Row) else row.key for row in rows]
    if kind is ImportKind.CUSTOMERS:
        return (await customers_by_external_id(tx, keys)).keys()
    if kind is ImportKind.ITEMS:
        return await taken_skus(tx, keys)
    if kind is ImportKind.CREDIT_NOTES:
        return await known_notes(tx, [row for row in rows if isinstance(row, Record)])
    return await taken_external_ids(tx, keys)


async def with_known_codes(tx: ReadTx, kind: ImportKind, found: UnderstoodFile) -> UnderstoodFile:
    """The file without items whose tax code is in no table: these rows are wrong."""
    if kind is not ImportKind.ITEMS:
        return found
    known = {"", *(rate.code for rate in await known_rates(tx))}
    rows: list[Row | Record] = []
    errors = list(found.errors)
    for row in found.rows:
        code = row.values.get("tax_code", "") if isinstance(row, Record) else ""
        if code in known:
            rows.append(row)
            continue
        params = {"text": shown(code)}
        sentence = PROBLEMS["no_tax_code"].format(**params)
        errors.append(RowError(row.line, "tax_code", sentence, "no_tax_code", params))
    return replace(found, rows=rows, errors=sorted(errors, key=lambda error: error.line))


def _read(
    source: Source, kind: ImportKind, how: How, organization: Organization, today: date
) -> UnderstoodFile:
    found = understand(source, kind, how, currency=organization.currency, today=today)
    if kind not in (ImportKind.CUSTOMERS, ImportKind.ITEMS):
        return found
    rows: list[Row | Record] = []
    errors: list[RowError] = list(found.errors)
    for row in found.rows:
        error = wrong_record(kind, row) if isinstance(row, Record) else None
        if error is None:
            rows.append(row)
        else:
            errors.append(error)
    return replace(found, rows=rows, errors=sorted(errors, key=lambda error: error.line))

"""Excel workbooks: the first sheet that is not empty. Formulas count with the value that was saved with them."""

import io
from collections.abc import Iterator, Sequence
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

from services.invoicing.formats.sources.archives import open_archive, refuse_entities
from services.invoicing.formats.sources.reading import (
    MAX_COLUMNS,
    MAX_ROWS,
    Source,
    SourceRow,
    UnreadableFile,
    bounded,
    clean,
    header_names,
)

_MOST_LINES = 4 * MAX_ROWS
"""Lines of a sheet, the empty ones counted."""
_MOST_SHARED_BYTES = 24 * 1024 * 1024
"""Texts of a workbook are held in memory all at once."""
_DIGITS = 15
"""What Excel keeps of a number."""


def read_xlsx(content: bytes) -> Source:
    """Rows below the first line that is not empty."""
    archive = open_archive(content)
    shared = sum(one.file_size for one in archive.infolist() if "sharedstrings" in one.filename.lower())
    if shared > _MOST_SHARED_BYTES:
        raise UnreadableFile("The workbook holds too much text. Split it.")
    refuse_entities(archive)
    archive.close()
    try:
        return _read(content)
    except UnreadableFile:
        raise
    except Exception:  # openpyxl raises whatever it stumbles upon in a broken workbook
        raise UnreadableFile("The workbook is broken. Save it again, or save it as CSV.") from None


def _read(content: bytes) -> Source:
    from openpyxl import load_workbook

    workbook = load_workbook(io.BytesIO(content), read_only=True, data_only=True, keep_links=False)
    try:
        for sheet in workbook.worksheets:
            lines = _lines(sheet)
            header = next(lines, None)
            if header is not None:
                return _table(header[1], lines)
    finally:
        workbook.close()
    raise UnreadableFile("The workbook is empty.")


def _table(header: Sequence[Any], lines: Iterator[tuple[int, Sequence[Any]]]) -> Source:
    names = header_names([_text(cell) for cell in header])
    rows = (_row(line, cells, names) for line, cells in lines)
    return bounded(rows, lambda: [name for name in names if name])


def _lines(sheet: Any) -> Iterator[tuple[int, Sequence[Any]]]:
    """Lines with something in them, by number."""
    for line, cells in enumerate(sheet.iter_rows(max_col=MAX_COLUMNS + 1, values_only=True), start=1):
        if line > _MOST_LINES:
            raise UnreadableFile(
                f"The sheet has more than {_MOST_LINES} lines. Remove the empty ones, or split it."
            )
        if any(cell is not None and cell != "" for cell in cells):
            yield line, cells


def _row(line: int, cells: Sequence[Any], names: Sequence[str]) -> SourceRow:
    named = zip(names, cells, strict=False)
    return SourceRow(line, {name: text for name, cell in named if name and (text := _text(cell))})


def _text(cell: Any) -> str:
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    if isinstance(cell, float):
        return f"{Decimal(format(cell, f'.{_DIGITS}g')):f}" if abs(cell) < 1e18 else str(cell)
    if isinstance(cell, datetime):
        return cell.date().isoformat()
    if isinstance(cell, (date, time)):
        return cell.isoformat()
    return clean(str(cell))

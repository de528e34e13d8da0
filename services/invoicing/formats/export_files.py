"""Tables as files that are written while their rows are read: memory holds a page of rows, never all of them."""

import asyncio
import csv
import io
import json
import tempfile
import zipfile
from collections.abc import AsyncIterator, Sequence
from datetime import date
from decimal import Decimal
from typing import Any, Final

import xlsxwriter

from chassis.errors import Kind, ServiceError
from services.invoicing.domain.export import Column, ColumnType, ExportFormat, Record, Value

Pages = AsyncIterator[Sequence[Record]]
MEDIA_TYPES: Final = {
    ExportFormat.CSV: "text/csv; charset=utf-8",
    ExportFormat.JSON_LINES: "application/x-ndjson",
    ExportFormat.XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ExportFormat.ZIP_OF_PDFS: "application/zip",
}
ENDINGS: Final = {
    ExportFormat.CSV: "csv",
    ExportFormat.JSON_LINES: "jsonl",
    ExportFormat.XLSX: "xlsx",
    ExportFormat.ZIP_OF_PDFS: "zip",
}
MOST_SHEET_ROWS = 1_048_575
"""What a sheet holds besides its head."""
_MOST_CELL_SIGNS = 32_767
_CHUNK_BYTES = 256 * 1024
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_WORKED_OUT = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
"""How a text begins that spreadsheets take for a formula, also after the quotation mark."""


async def write_csv(
    columns: Sequence[Column], pages: Pages, *, byte_order_mark: bool = False
) -> AsyncIterator[bytes]:
    """RFC 4180: lines end with CRLF. Amounts have a point and no grouping."""
    yield (_BYTE_ORDER_MARK if byte_order_mark else b"") + _csv_lines([[column.name for column in columns]])
    async for page in pages:
        yield _csv_lines([[_csv_cell(value) for value in record] for record in page])


async def write_json_lines(columns: Sequence[Column], pages: Pages) -> AsyncIterator[bytes]:
    """Amounts and rates are texts, so that no reader rounds them."""
    names = [column.name for column in columns]
    async for page in pages:
        lines = (
            json.dumps(dict(zip(names, map(_plain, one), strict=True)), ensure_ascii=False) for one in page
        )
        yield "".join(f"{line}\n" for line in lines).encode()


async def write_xlsx(columns: Sequence[Column], pages: Pages, *, title: str) -> AsyncIterator[bytes]:
    """A workbook, made on disk a row at a time. Texts stay texts. EXPORT_TOO_LONG for more rows than a sheet holds."""
    with tempfile.TemporaryFile() as file:
        book = xlsxwriter.Workbook(
            file,
            {
                "constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False,
                "strings_to_numbers": False,
            },
        )  # fmt: skip
        sheet = _Sheet(book, columns, title)
        try:
            async for page in pages:
                sheet.write(page)
        except BaseException:
            book.close()  # it holds a file of its own
            raise
        await asyncio.to_thread(book.close)
        file.seek(0)
        while chunk := await asyncio.to_thread(file.read, _CHUNK_BYTES):
            yield chunk


async def write_zip(files: AsyncIterator[tuple[str, date, bytes]]) -> AsyncIterator[bytes]:
    """An archive of (name, day, content), each written as soon as it is there; a name that comes again is numbered.

    Nothing is compressed: documents are already.
    """
    sink = _Sink()
    archive = zipfile.ZipFile(sink, "w")
    taken: set[str] = set()
    async for name, day, content in files:
        info = zipfile.ZipInfo(_free(name, taken), (max(day.year, 1980), day.month, day.day, 0, 0, 0))
        archive.writestr(info, content)
        yield sink.drain()
    archive.close()
    yield sink.drain()


class _Sink(io.RawIOBase):
    """A file that can only be written: what was written is taken out again at once."""

    def __init__(self) -> None:
        super().__init__()
        self._parts: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, part: Any) -> int:
        self._parts.append(bytes(part))
        return len(part)

    def drain(self) -> bytes:
        written = b"".join(self._parts)
        self._parts.clear()
        return written


class _Sheet:
    """One sheet with a head that stays in sight."""

    def __init__(self, book: Any, columns: Sequence[Column], title: str) -> None:
        self._columns = columns
        self._sheet = book.add_worksheet(title[:31])
        self._sheet.freeze_panes(1, 0)
        self._day = book.add_format({"num_format": "yyyy-mm-dd"})
        self._rows = 0
        head = book.add_format({"bold": True, "bottom": 1})
        for at, column in enumerate(columns):
            self._sheet.set_column(at, at, 24 if column.type is ColumnType.TEXT else 14)
            self._sheet.write_string(0, at, column.name, head)

    def write(self, page: Sequence[Record]) -> None:
        for record in page:
            self._rows += 1
            if self._rows > MOST_SHEET_ROWS:
                raise ServiceError(
                    Kind.FAILED_PRECONDITION,
                    "EXPORT_TOO_LONG",
                    "A sheet cannot hold so many rows. Choose a shorter period, or CSV.",
                )
            for at, value in enumerate(record):
                self._write(at, value)

    def _write(self, at: int, value: Value) -> None:
        if value is None or value == "":
            return
        if isinstance(value, bool):
            self._sheet.write_boolean(self._rows, at, value)
        elif isinstance(value, date):
            self._sheet.write_datetime(self._rows, at, value, self._day)
        elif isinstance(value, str):
            self._sheet.write_string(self._rows, at, value[:_MOST_CELL_SIGNS])
        else:
            self._sheet.write_number(self._rows, at, value)


def _csv_lines(rows: Sequence[Sequence[str]]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\r\n").writerows(rows)
    return text.getvalue().encode()


def _csv_cell(value: Value) -> str:
    if isinstance(value, str):
        return f"'{value}" if value.startswith(_WORKED_OUT) else value
    plain = _plain(value)
    if plain is None:
        return ""
    return str(plain).lower() if isinstance(plain, bool) else str(plain)


def _plain(value: Value) -> str | int | bool | None:
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, date):
        return value.isoformat()
    return value


def _free(name: str, taken: set[str]) -> str:
    free, at = name, 2
    while free in taken:
        stem, dot, ending = name.rpartition(".")
        free, at = f"{stem}-{at}{dot}{ending}", at + 1
    taken.add(free)
    return free

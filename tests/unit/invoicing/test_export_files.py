"""Files are written while they are read: memory does not grow with them."""

import io
import tracemalloc
import zipfile
from collections.abc import AsyncIterator, Sequence
from datetime import date
from decimal import Decimal

import pytest

from chassis.errors import ServiceError
from services.invoicing.domain.export import COLUMNS, ExportKind, Record
from services.invoicing.formats import export_files

COLUMNS_OF_NOTES = COLUMNS[ExportKind.CREDIT_NOTES]
MIB = 1024 * 1024


async def pages(count: int) -> AsyncIterator[Sequence[Record]]:
    for at in range(count):
        yield [_note(at * 500 + row) for row in range(500)]


def _note(at: int) -> Record:
    amount = Decimal(at) / 100
    return [
        f"CN-{at:06d}", date(2026, 11, 21), f"INV-{at:06d}", f"Customer {at}", "USD", amount, amount, amount,
        None, "other", "x" * 100, f"crn_{at}", f"inv_{at}",
    ]  # fmt: skip


async def documents(count: int, size: int) -> AsyncIterator[tuple[str, date, bytes]]:
    for at in range(count):
        yield f"invoice-{at % 7}.pdf", date(2026, 11, 21), bytes([at % 256]) * size


async def peak_of(pieces: AsyncIterator[bytes]) -> tuple[int, int]:
    """(bytes written, most memory held meanwhile)."""
    tracemalloc.start()
    try:
        written = 0
        async for piece in pieces:
            written += len(piece)
        return written, tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("kind", ["csv", "json", "xlsx"])
async def test_twice_the_rows_need_no_more_memory(kind: str) -> None:
    def write(count: int) -> AsyncIterator[bytes]:
        if kind == "csv":
            return export_files.write_csv(COLUMNS_OF_NOTES, pages(count))
        if kind == "json":
            return export_files.write_json_lines(COLUMNS_OF_NOTES, pages(count))
        return export_files.write_xlsx(COLUMNS_OF_NOTES, pages(count), title="notes")

    await peak_of(write(1))
    few, peak_of_few = await peak_of(write(2))
    many, peak_of_many = await peak_of(write(8))
    assert many > 3 * few
    assert peak_of_many < peak_of_few + MIB


async def test_an_archive_needs_memory_for_the_names_in_it_only() -> None:
    written, peak = await peak_of(export_files.write_zip(documents(400, 100_000)))
    assert written > 40_000_000
    assert peak < 3 * MIB


@pytest.mark.chaos
async def test_ten_thousand_documents_fit_in_twenty_mebibytes() -> None:
    written, peak = await peak_of(export_files.write_zip(documents(10_000, 20_000)))
    assert written > 200_000_000
    assert peak < 20 * MIB


async def test_names_that_come_again_are_numbered() -> None:
    content = b"".join([piece async for piece in export_files.write_zip(documents(8, 10))])
    archive = zipfile.ZipFile(io.BytesIO(content))
    assert archive.testzip() is None
    assert archive.namelist()[-1] == "invoice-0-2.pdf"
    assert len(set(archive.namelist())) == 8


async def test_more_rows_than_a_sheet_holds_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export_files, "MOST_SHEET_ROWS", 600)
    with pytest.raises(ServiceError, match="sheet"):
        async for _ in export_files.write_xlsx(COLUMNS_OF_NOTES, pages(2), title="notes"):
            pass

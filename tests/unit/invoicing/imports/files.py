"""Files of every format that all hold the same rows, or the same invoice."""

import io
import json
import zipfile
from collections.abc import Mapping, Sequence

import openpyxl
import pypdf

from services.invoicing.domain.invoice_import import ImportFormat

Rows = Sequence[Mapping[str, str]]


def csv_of(rows: Rows, separator: str = ",") -> str:
    """Every cell in quotes."""
    lines = [list(rows[0]), *([row.get(name, "") for name in rows[0]] for row in rows)]
    quoted = ([cell.replace('"', '""') for cell in line] for line in lines)
    return "".join(separator.join(f'"{cell}"' for cell in line) + "\r\n" for line in quoted)


def xlsx_of(lines: Sequence[Sequence[object]]) -> bytes:
    """A workbook with an empty sheet before the one that counts."""
    workbook = openpyxl.Workbook()
    sheet = workbook.create_sheet("Data")
    for line in lines:
        sheet.append(list(line))
    target = io.BytesIO()
    workbook.save(target)
    return target.getvalue()


def tables_of(rows: Rows) -> Mapping[str, tuple[ImportFormat, bytes]]:
    """The rows as every format of tables writes them, by a name for the format."""
    names = list(rows[0])
    text = csv_of(rows)
    return {
        "csv": (ImportFormat.CSV, text.encode()),
        "csv with semicolons and a mark": (ImportFormat.CSV, csv_of(rows, ";").encode("utf-8-sig")),
        "csv with tabs in utf-16": (ImportFormat.CSV, csv_of(rows, "\t").encode("utf-16")),
        "csv in utf-16 without a mark": (ImportFormat.CSV, text.encode("utf-16-le")),
        "csv in windows-1252": (ImportFormat.CSV, text.encode("cp1252")),
        "xlsx": (ImportFormat.XLSX, xlsx_of([names, *([row.get(name) for name in names] for row in rows)])),
        "json": (ImportFormat.JSON, json.dumps(list(rows)).encode()),
        "json in an object": (ImportFormat.JSON, json.dumps({"count": 2, "rows": list(rows)}).encode()),
        "json lines": (ImportFormat.JSON, "\n".join(json.dumps(row) for row in rows).encode()),
    }


def pdf_with(xml: bytes, name: str = "factur-x.xml") -> bytes:
    """A PDF with one attachment."""
    writer = pypdf.PdfWriter()
    writer.add_blank_page(100, 100)
    writer.add_attachment(name, xml)
    target = io.BytesIO()
    writer.write(target)
    return target.getvalue()


def zip_of(members: Mapping[str, bytes], *, method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """An archive."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", method) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return target.getvalue()

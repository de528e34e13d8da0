"""Finds the format of a file from its content, and reads it."""

from collections.abc import Mapping

from services.invoicing.domain.invoice_import import ImportFormat
from services.invoicing.formats.sources.archives import open_archive
from services.invoicing.formats.sources.csv_rows import decode, read_csv
from services.invoicing.formats.sources.einvoice_rows import (
    read_einvoice_pdf,
    read_einvoice_xml,
    read_einvoice_zip,
)
from services.invoicing.formats.sources.json_rows import read_json
from services.invoicing.formats.sources.reading import MAX_BYTES, Reader, Source, UnreadableFile
from services.invoicing.formats.sources.xlsx_rows import read_xlsx

READERS: Mapping[ImportFormat, Reader] = {
    ImportFormat.CSV: read_csv,
    ImportFormat.XLSX: read_xlsx,
    ImportFormat.JSON: read_json,
    ImportFormat.EINVOICE_XML: read_einvoice_xml,
    ImportFormat.EINVOICE_PDF: read_einvoice_pdf,
    ImportFormat.EINVOICE_ZIP: read_einvoice_zip,
}
_NOT_READ: Mapping[bytes, str] = {
    b"\xd0\xcf\x11\xe0": "This is an old Excel file (.xls), or one with a password. Save it as .xlsx or CSV.",
    b"\x1f\x8b": "This file is compressed. Unpack it first.",
    b"7z\xbc\xaf\x27\x1c": "This file is compressed. Unpack it first.",
    b"Rar!": "This file is compressed. Unpack it first.",
}
_BLANK = b"\x00\x1a \t\r\n\xef\xbb\xbf"


def read_source(content: bytes, wanted: ImportFormat | None = None) -> tuple[ImportFormat, Source]:
    """The format and the rows. UnreadableFile, whatever the bytes are, and nothing else."""
    if len(content) > MAX_BYTES:
        raise UnreadableFile("The file is larger than 8 MiB. Split it.")
    if not content.strip(_BLANK):
        raise UnreadableFile("The file is empty.")
    found = wanted or find_format(content)
    try:
        return found, READERS[found](content)
    except UnreadableFile:
        raise
    except (ValueError, ArithmeticError, LookupError, RecursionError, TypeError, AttributeError) as error:
        raise UnreadableFile("The file is broken. Save it again.") from error


def find_format(content: bytes) -> ImportFormat:
    """By what only it has; what is nothing else is CSV."""
    for start, why in _NOT_READ.items():
        if content.startswith(start):
            raise UnreadableFile(why)
    if content.startswith(b"%PDF"):
        return ImportFormat.EINVOICE_PDF
    if content.startswith(b"PK"):
        names = {member.filename for member in open_archive(content).infolist()}
        return ImportFormat.XLSX if "[Content_Types].xml" in names else ImportFormat.EINVOICE_ZIP
    head = decode(content[:4000] if len(content) > 4000 and b"\0" in content[:100] else content).lstrip(
        "\ufeff \t\r\n"
    )
    if head.startswith("<"):
        return ImportFormat.EINVOICE_XML
    return ImportFormat.JSON if head.startswith(("{", "[")) else ImportFormat.CSV

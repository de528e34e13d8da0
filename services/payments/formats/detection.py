"""Finds the format of a bank file from its content, reads it, and checks that it adds up."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from chassis.errors import ServiceError
from services.payments.domain.bank_statement import BankFileFormat, ParsedStatement, check_pages
from services.payments.formats import bai2, camt, csv_statement, mt940, ofx
from services.payments.formats.source import ReadOptions, decode, unreadable

Reader = Callable[[bytes, ReadOptions], Sequence[ParsedStatement]]
"""What a format is: bytes in, statements or a ServiceError out."""

READERS: Mapping[BankFileFormat, Reader] = {
    BankFileFormat.CAMT: camt.read,
    BankFileFormat.MT940: mt940.read,
    BankFileFormat.BAI2: bai2.read,
    BankFileFormat.OFX: ofx.read,
    BankFileFormat.CSV: csv_statement.read,
}
LARGEST_BYTES = 8 * 1024 * 1024
_STARTS = 8_000
_NOT_STATEMENTS: Mapping[bytes, str] = {
    b"PK\x03\x04": "This is a ZIP archive or a spreadsheet. Unpack it, or save it as CSV, first.",
    b"%PDF": "This is a PDF. Ask the bank for the statement as camt.053, MT940, BAI2, OFX or CSV.",
    b"\x1f\x8b": "This file is compressed. Unpack it first.",
    b"\xd0\xcf\x11\xe0": "This is a spreadsheet. Save it as CSV first.",
}


@dataclass(frozen=True, slots=True)
class BankFile:
    """What a file holds."""

    format: BankFileFormat
    statements: Sequence[ParsedStatement]


def read_bank_file(
    content: bytes, options: ReadOptions, file_format: BankFileFormat | None = None
) -> BankFile:
    """The file's statements. BANK_FILE_UNREADABLE or BANK_FILE_UNBALANCED, naming line and reason.

    Whatever the bytes are, nothing but a ServiceError comes out.
    """
    if len(content) > LARGEST_BYTES:
        raise unreadable(None, "too_large", "The file is larger than 8 MiB. Import it in smaller parts.")
    if not content.strip(b"\x00\x1a \t\r\n\xef\xbb\xbf"):
        raise unreadable(None, "empty", "The file is empty.")
    found = file_format or find_format(content)
    try:
        statements = READERS[found](content, options)
        check_pages(statements)
        for statement in statements:
            statement.check_balances()
    except ServiceError:
        raise
    except (ValueError, ArithmeticError, LookupError, RecursionError, AssertionError) as error:
        raise unreadable(None, "unreadable", f"The file cannot be read as {found.value.upper()}.") from error
    return BankFile(found, statements)


def find_format(content: bytes) -> BankFileFormat:
    """The format, by what only it has. BANK_FILE_UNREADABLE for what is none."""
    for start, why in _NOT_STATEMENTS.items():
        if content.startswith(start):
            raise unreadable(None, "not_a_statement", why)
    text = decode(_cut(content))
    head = text[:_STARTS].lstrip("\ufeff \t\n")
    if re.search(r"<OFX\s*>|^OFXHEADER\s*:|<\?OFX", head, re.IGNORECASE | re.MULTILINE):
        return BankFileFormat.OFX
    if head.startswith("<"):
        return BankFileFormat.CAMT
    if re.match(r"01\s*,", head):
        return BankFileFormat.BAI2
    if re.search(r"^\s{0,3}:20:", text, re.MULTILINE) and re.search(
        r"^\s{0,3}:(25P?|60F|60M|61):", text, re.MULTILINE
    ):
        return BankFileFormat.MT940
    if csv_statement.looks_like_csv(text):
        return BankFileFormat.CSV
    raise unreadable(None, "unknown_format", "This is neither camt.053, MT940, BAI2, OFX nor CSV.")


def _cut(content: bytes) -> bytes:
    """The beginning, not through the middle of a sign of UTF-8."""
    start = content[: 4 * _STARTS]
    while start and len(start) < len(content) and start[-1] >= 0x80 and len(start) > 4 * _STARTS - 4:
        start = start[:-1]
    return start

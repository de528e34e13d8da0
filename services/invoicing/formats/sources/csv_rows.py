"""CSV as accounting systems write it: any of three separators, any of three families of encodings."""

import csv
import io
from collections.abc import Iterator

from services.invoicing.formats.sources.reading import (
    Source,
    SourceRow,
    UnreadableFile,
    bounded,
    clean,
    header_names,
)

_SEPARATORS = (",", ";", "\t")
_BINARY_SHARE = 100
"""One control character in so many is no text."""


def read_csv(content: bytes) -> Source:
    """Rows below the first line that is not empty."""
    text = decode(content)
    lines = csv.reader(io.StringIO(text, newline=""), delimiter=_separator(text))
    try:
        header = next((cells for cells in lines if any(cell.strip() for cell in cells)), None)
        if header is None:
            raise UnreadableFile("The file is empty.")
        names = header_names(header)
        return bounded(_rows(lines, names), lambda: [name for name in names if name])
    except csv.Error as error:
        raise UnreadableFile(f"The file is not a CSV file: {error}.") from None


def decode(content: bytes) -> str:
    """UTF-8 or UTF-16 by mark or by content; else Windows-1252, which Latin-1 files are as well."""
    try:
        if content.startswith((b"\xff\xfe", b"\xfe\xff")):
            text = content.decode("utf-16")
        elif content[:2000].count(0) * 3 > len(content[:2000]):
            text = content.decode("utf-16-le" if content[1:2] == b"\0" else "utf-16-be")
        else:
            text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("cp1252", errors="replace")
    if "\0" in text or _looks_binary(text[:5000]):
        raise UnreadableFile("The file holds binary data. Save it as CSV, UTF-8.")
    return text


def _looks_binary(text: str) -> bool:
    controls = sum(1 for sign in text if (ord(sign) < 32 and sign not in "\t\n\r\f") or sign == "\ufffd")
    return controls * _BINARY_SHARE > len(text)


def _separator(text: str) -> str:
    header = next((line for line in text.split("\n", 20) if line.strip()), "")
    return max(_SEPARATORS, key=header.count)


def _rows(lines: Iterator[list[str]], names: list[str]) -> Iterator[SourceRow]:
    for cells in lines:
        if any(cell.strip() for cell in cells):
            line: int = lines.line_num  # type: ignore[attr-defined]
            named = zip(names, cells, strict=False)
            yield SourceRow(line, {name: clean(cell) for name, cell in named if name and cell})

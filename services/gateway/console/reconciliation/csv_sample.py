"""The first rows of a CSV file, to let staff say which column is what."""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass

_LOOKED_AT_CHARACTERS = 20_000
_MOST_ROWS = 60
_SHOWN_ROWS = 3
_SHOWN_CHARACTERS = 60
_FEWEST_COLUMNS = 3
_MOST_COLUMNS = 60
DELIMITERS = (",", ";", "\t", "|")


@dataclass(frozen=True, slots=True)
class CsvSample:
    """Names of the columns and some rows below them."""

    delimiter: str
    skip_lines: int
    header: Sequence[str]
    rows: Sequence[Sequence[str]]


def looks_like_text(content: bytes) -> bool:
    """Whether it can be CSV at all."""
    return b"\x00\x00\x00" not in content[:2_000] and not content.lstrip().startswith((b"<", b"PK", b"%PDF"))


def sample_of(content: bytes, *, delimiter: str = "", skip_lines: int | None = None) -> CsvSample:
    """As told, or else by the delimiter that makes most columns and the first row that has them all."""
    text = _decoded(content)[:_LOOKED_AT_CHARACTERS]
    chosen = delimiter if delimiter in DELIMITERS else max(DELIMITERS, key=lambda one: _width(text, one))
    rows = _rows(text, chosen)
    if skip_lines is None:
        widest = max((len(row) for row in rows), default=0)
        skip_lines = next((number for number, row in enumerate(rows) if len(row) == widest), 0)
    below = rows[skip_lines:]
    header = [name.strip()[:100] for name in (below[0] if below else [])][:_MOST_COLUMNS]
    shown = [[cell[:_SHOWN_CHARACTERS] for cell in row[: len(header)]] for row in below[1 : 1 + _SHOWN_ROWS]]
    return CsvSample(chosen, skip_lines, header, shown)


def _decoded(content: bytes) -> str:
    start = content[: 4 * _LOOKED_AT_CHARACTERS]
    if start.startswith((b"\xff\xfe", b"\xfe\xff")):
        return start.decode("utf-16", errors="replace")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return start.decode("cp1252", errors="replace")


def _rows(text: str, delimiter: str) -> list[list[str]]:
    lines = io.StringIO(text.replace("\x00", ""), newline="")
    rows: list[list[str]] = []
    try:
        for row in csv.reader(lines, delimiter=delimiter):
            rows.append(row)
            if len(rows) == _MOST_ROWS:
                break
    except csv.Error:
        pass
    return rows


def _width(text: str, delimiter: str) -> int:
    widths = [len(row) for row in _rows(text, delimiter)]
    common = max(widths, default=0)
    return common if widths.count(common) > 1 or common >= _FEWEST_COLUMNS else 0

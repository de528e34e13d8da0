"""What every format comes to: named columns, and rows of texts by column. Nothing else comes out of any bytes."""

import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

MAX_BYTES = 8 * 1024 * 1024
MAX_ROWS = 50_000
MAX_COLUMNS = 200
MAX_COLUMN_CHARACTERS = 200
MAX_CELL_CHARACTERS = 10_000


class UnreadableFile(ValueError):
    """The file as a whole cannot be read; the text says why and what to do."""


@dataclass(frozen=True, slots=True)
class SourceRow:
    """A row. `line` counts from one: lines of texts and sheets, else which object or document it is.

    `problem` says why this row alone could not be read; its cells are empty then.
    """

    line: int
    cells: Mapping[str, str]
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Source:
    """A file as it was read. Columns are in the file's order, each name once; empty cells may be left out."""

    columns: Sequence[str]
    rows: Sequence[SourceRow]


Reader = Callable[[bytes], Source]
"""Bytes in, a Source out or UnreadableFile; never more than the limits above."""


def bounded(rows: Iterable[SourceRow], columns: Callable[[], Sequence[str]]) -> Source:
    """A source of at most MAX_ROWS rows. The columns may become known while the rows are read."""
    kept: list[SourceRow] = []
    for row in rows:
        if len(kept) == MAX_ROWS:
            raise UnreadableFile(f"The file has more than {MAX_ROWS} rows. Split it.")
        kept.append(row)
    names = columns()
    if len(names) > MAX_COLUMNS:
        raise UnreadableFile(
            f"The file has more than {MAX_COLUMNS} columns. Remove those that are not needed."
        )
    return Source(names, kept)


def header_names(cells: Sequence[str]) -> list[str]:
    """Names of columns, each once; a name that comes again gets a number, an empty one stays empty."""
    if sum(1 for cell in cells if cell.strip()) > MAX_COLUMNS:
        raise UnreadableFile(
            f"The file has more than {MAX_COLUMNS} columns. Remove those that are not needed."
        )
    names: list[str] = []
    for cell in cells:
        name = " ".join(cell.split())[:MAX_COLUMN_CHARACTERS]
        again = 2
        plain = name
        while name and name in names:
            name = f"{plain} ({again})"
            again += 1
        names.append(name)
    return names


def clean(text: str) -> str:
    """A cell without spaces around, in one normal form, without signs that no document can show."""
    if text.isascii() and text.isprintable():
        return text.strip()[: MAX_CELL_CHARACTERS + 1]
    shown = "".join(sign for sign in text if sign in "\n\t" or unicodedata.category(sign) not in ("Cc", "Cs"))
    return unicodedata.normalize("NFC", shown).strip()[: MAX_CELL_CHARACTERS + 1]

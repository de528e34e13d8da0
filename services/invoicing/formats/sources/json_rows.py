"""JSON: a list of objects, an object that holds one, or one object a line. Numbers stay the texts they are."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from services.invoicing.formats.sources.csv_rows import decode
from services.invoicing.formats.sources.reading import (
    MAX_COLUMN_CHARACTERS,
    MAX_COLUMNS,
    MAX_ROWS,
    Source,
    SourceRow,
    UnreadableFile,
    bounded,
    clean,
)

_MOST_BRACKETS = 10 * MAX_ROWS
"""Objects and lists together; each costs far more memory than the two characters it is written with."""


def read_json(content: bytes) -> Source:
    """Objects become rows; fields of objects in them get the names of both: `customer name`."""
    if content.count(b"{") + content.count(b"[") > _MOST_BRACKETS:
        raise UnreadableFile("The file holds too many objects. Split it.")
    text = decode(content).strip()
    columns: dict[str, None] = {}
    rows = (SourceRow(at, _cells(one, columns)) for at, one in _objects(text))
    return bounded(rows, lambda: list(columns))


def _objects(text: str) -> Iterator[tuple[int, Mapping[str, Any]]]:
    try:
        whole = _load(text)
    except json.JSONDecodeError as error:
        if not text.startswith("{") or error.msg != "Extra data":
            raise _broken(error) from None
        yield from _lines(text)
        return
    listed = whole if isinstance(whole, list) else _the_list_in(whole)
    for at, one in enumerate(listed, start=1):
        if not isinstance(one, dict):
            raise UnreadableFile(
                f"Entry {at} of the list is no object. Each row must be an object with named fields."
            )
        yield at, one


def _lines(text: str) -> Iterator[tuple[int, Mapping[str, Any]]]:
    for at, line in enumerate(text.split("\n"), start=1):
        if line.strip():
            try:
                one = _load(line)
            except json.JSONDecodeError as error:
                raise UnreadableFile(f"Line {at} is not JSON: {error.msg}.") from None
            if not isinstance(one, dict):
                raise UnreadableFile(f"Line {at} is no object. Each row must be an object with named fields.")
            yield at, one


def _the_list_in(whole: Any) -> list[Any]:
    """The only list of objects in an object, or the object itself as the only row."""
    if not isinstance(whole, dict):
        raise UnreadableFile("The file is JSON, but holds no list of objects.")
    lists = [
        value for value in whole.values() if isinstance(value, list) and value and isinstance(value[0], dict)
    ]
    if len(lists) > 1:
        raise UnreadableFile(
            "The file holds several lists of objects. Save the one that counts in a file of its own."
        )
    return lists[0] if lists else [whole]


def _load(text: str) -> Any:
    try:
        return json.loads(text, parse_int=str, parse_float=str, parse_constant=lambda name: name)
    except RecursionError:
        raise UnreadableFile("The file holds objects in objects in objects, too many of them.") from None


def _broken(error: json.JSONDecodeError) -> UnreadableFile:
    return UnreadableFile(f"The file is not JSON: {error.msg} in line {error.lineno}.")


def _cells(one: Mapping[str, Any], columns: dict[str, None]) -> dict[str, str]:
    cells: dict[str, str] = {}
    for name, value in _flat(one):
        text = _text(value)
        columns.setdefault(name)
        if len(columns) > MAX_COLUMNS:
            raise UnreadableFile(
                f"The file has more than {MAX_COLUMNS} fields. Remove those that are not needed."
            )
        if text:
            cells[name] = text
    return cells


def _flat(one: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, value in one.items():
        if isinstance(value, dict):
            for inner, part in value.items():
                yield _name(f"{name} {inner}"), part
        else:
            yield _name(name), value


def _name(name: str) -> str:
    return clean(" ".join(name.split())[:MAX_COLUMN_CHARACTERS]) or "?"


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, list) and all(isinstance(part, str) for part in value):
        return clean("\n".join(value))
    return ""

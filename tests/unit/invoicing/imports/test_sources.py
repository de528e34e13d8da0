"""Files of every format come to the same rows; whatever the bytes, the answer is rows or one clear refusal."""

import json
import time
import tracemalloc
import zlib
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.invoicing.domain.invoice_import import ImportFormat
from services.invoicing.formats.sources.detection import READERS, read_source
from services.invoicing.formats.sources.reading import (
    MAX_BYTES,
    MAX_COLUMNS,
    MAX_ROWS,
    UnreadableFile,
)
from tests.unit.invoicing.imports.files import pdf_with, tables_of, xlsx_of, zip_of

ROWS = [
    {"Rechnungsnummer": "R-1", "Kunde": 'Müller & "Söhne" KG', "Betrag": "1234,50", "Text": "Seil;\nTau, 2×"},
    {"Rechnungsnummer": "R-2", "Kunde": "Café Ölmütz", "Betrag": "7", "Text": ""},
]
NAUGHTY = json.loads((Path(__file__).parents[3] / "data" / "text" / "naughty-strings.json").read_text())
MOST_BYTES = 200 * 1024 * 1024
MOST_SECONDS = 30.0
UBL = "urn:oasis:names:specification:ubl:schema:xsd:Invoice-2"


def refused(content: bytes) -> str:
    """Why a file is refused; the memory and the time that takes are bounded."""
    began = time.monotonic()
    tracemalloc.start()
    try:
        with pytest.raises(UnreadableFile) as caught:
            read_source(content)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < MOST_BYTES
    assert time.monotonic() - began < MOST_SECONDS
    assert len(str(caught.value)) < 400
    return str(caught.value)


@pytest.mark.parametrize("name", tables_of(ROWS))
def test_every_format_of_tables_comes_to_the_same_rows(name: str) -> None:
    wanted, content = tables_of(ROWS)[name]
    found, source = read_source(content)
    assert (found, list(source.columns)) == (wanted, list(ROWS[0]))
    assert [dict(row.cells) for row in source.rows] == [
        {column: cell for column, cell in row.items() if cell} for row in ROWS
    ]
    lines = [row.line for row in source.rows]
    assert lines == sorted(set(lines))
    assert all(line >= 1 for line in lines)


def test_every_format_has_a_reader() -> None:
    assert set(READERS) == set(ImportFormat)


def test_cells_of_workbooks_are_dates_and_numbers_as_people_write_them() -> None:
    _, source = read_source(
        xlsx_of([["Nr", "Tag", "Betrag", "Summe", "Ja"], [7, date(2026, 3, 31), 0.1 + 0.2, "=B2+1", True]])
    )
    assert dict(source.rows[0].cells) == {"Nr": "7", "Tag": "2026-03-31", "Betrag": "0.3", "Ja": "yes"}


def test_numbers_in_json_stay_as_they_are_written() -> None:
    _, source = read_source(
        b'[{"amount": 1234567890123456789.10, "customer": {"id": 7, "vip": true}, "x": null}]'
    )
    assert dict(source.rows[0].cells) == {
        "amount": "1234567890123456789.10", "customer id": "7", "customer vip": "yes",
    }  # fmt: skip


def test_names_of_columns_that_come_twice_are_told_apart() -> None:
    _, source = read_source(b"Text,Text,,Text\n1,2,3,4\n")
    assert list(source.columns) == ["Text", "Text (2)", "Text (3)"]
    assert source.rows[0].cells == {"Text": "1", "Text (2)": "2", "Text (3)": "4"}


def test_naughty_strings_are_read_or_refused_in_every_format() -> None:
    for text in NAUGHTY:
        for name, (_, content) in _tables_with(text).items():
            try:
                _, source = read_source(content)
            except UnreadableFile:
                continue
            cells = [cell for row in source.rows for cell in row.cells.values()]
            assert all(isinstance(cell, str) for cell in cells), (name, text)


def _tables_with(text: str) -> dict[str, tuple[ImportFormat, bytes]]:
    rows = [{"a": "1", "b": text}]
    found = {
        "csv": (ImportFormat.CSV, f'a,b\n1,"{text}"\n'.encode(errors="replace")),
        "bare": (ImportFormat.CSV, text.encode(errors="replace")),
        "json": (ImportFormat.JSON, json.dumps(rows).encode()),
    }
    xml = f'<Invoice xmlns="{UBL}"><ID>{text}</ID></Invoice>'
    found["xml"] = (ImportFormat.EINVOICE_XML, xml.encode(errors="replace"))
    return found


@settings(max_examples=150, deadline=None)
@given(
    st.sampled_from(
        [
            b"",
            b"PK\x03\x04",
            b"%PDF-1.7\n",
            b"<?xml version='1.0'?>",
            b"{",
            b"[",
            b"\xff\xfe",
            b"\xef\xbb\xbf",
        ]
    ),
    st.binary(max_size=300),
)
def test_no_bytes_break_a_reader(start: bytes, rest: bytes) -> None:
    _reads_or_refuses(start + rest)


@settings(max_examples=120, deadline=None)
@given(st.data())
def test_no_damage_breaks_a_reader(data: st.DataObject) -> None:
    whole = data.draw(st.sampled_from(WHOLE))
    at = data.draw(st.integers(0, len(whole) - 1))
    to = data.draw(st.integers(at, min(len(whole), at + 200)))
    _reads_or_refuses(whole[:at] + data.draw(st.binary(max_size=20)) + whole[to:])


@settings(max_examples=120, deadline=None)
@given(st.text(max_size=400))
def test_no_text_breaks_a_reader(text: str) -> None:
    for content in (text, f"a,b\n{text}", f'[{{"a": {text}}}]', f'<Invoice xmlns="{UBL}">{text}</Invoice>'):
        _reads_or_refuses(content.encode(errors="surrogatepass"))


WHOLE = [
    *(content for _, content in tables_of(ROWS).values()),
    pdf_with(f'<Invoice xmlns="{UBL}"/>'.encode()),
    zip_of({"a.xml": b"<a/>", "b.pdf": b"%PDF"}),
]


def _reads_or_refuses(content: bytes) -> None:
    for wanted in (None, *ImportFormat):
        try:
            _, source = read_source(content, wanted)
        except UnreadableFile:
            continue
        assert len(source.rows) <= MAX_ROWS
        assert len(source.columns) <= MAX_COLUMNS


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "empty"),
        (b" \r\n\t", "empty"),
        (b"\xd0\xcf\x11\xe0" + b"\0" * 100, "old Excel"),
        (b"\x1f\x8b\x08\0" + b"\0" * 100, "compressed"),
        (b"PK\x03\x04\0", "broken"),
        (b"%PDF-1.7 nothing", "broken"),
        (pdf_with(b"just text", "notes.txt"), "holds no e-invoice"),
        (pdf_with(b"<a/>"), "no e-invoice"),
        (zip_of({"readme.txt": b"hello"}), "no e-invoices"),
        (b"[1, 2]", "no object"),
        (b'{"a": [{}], "b": [{}]}', "several lists"),
        (b'{"a": 1}\nnonsense', "Line 2 is not JSON"),
        (b"<a><b></a>", "broken"),
        (b"<html/>", "neither UBL"),
        (b"a\n" + b"1\n" * (MAX_ROWS + 1), "more than 50000 rows"),
        ((",".join(f"c{at}" for at in range(MAX_COLUMNS + 1)) + "\n1").encode(), "more than 200 columns"),
        (b"x" * (MAX_BYTES + 1), "larger than 8 MiB"),
        (b"\x01\x02\x03\x04" * 50, "binary"),
    ],
)
def test_a_file_that_cannot_be_read_says_why(content: bytes, why: str) -> None:
    assert why in refused(content)


def billion_laughs() -> bytes:
    """Ten entities, each ten times the one before."""
    entities = "".join(f'<!ENTITY l{at} "{f"&l{at - 1};" * 10}">' for at in range(1, 10))
    return f'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY l0 "ha">{entities}]><x>&l9;</x>'.encode()


ENTITY_FILE = b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><x>&e;</x>'


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
@pytest.mark.parametrize("attack", [billion_laughs(), ENTITY_FILE])
def test_entities_are_refused_in_every_place_where_xml_can_be(attack: bytes, encoding: str) -> None:
    xml = attack.decode().encode(encoding)
    assert "document type" in refused(xml)
    assert "document type" in refused(pdf_with(xml))
    workbook = zip_of({"[Content_Types].xml": xml, "xl/workbook.xml": xml})
    assert "document type" in refused(workbook)
    _, source = read_source(zip_of({"a.xml": xml}))
    assert "document type" in source.rows[0].problem


def test_archives_that_unpack_to_far_more_are_refused() -> None:
    blank = b" " * (40 * 1024 * 1024)
    for name in ("xl/sharedStrings.xml", "xl/worksheets/sheet1.xml"):
        assert "far more" in refused(zip_of({"[Content_Types].xml": b"<a/>", name: blank}))
    assert "far more" in refused(zip_of({f"{at}.xml": blank for at in range(2)}))
    assert "files" in refused(zip_of({f"{at}.xml": b"" for at in range(2_001)}))


def test_a_stream_of_a_pdf_that_unpacks_to_far_more_is_refused() -> None:
    bomb = zlib.compress(b"<a>" + b" " * (60 * 1024 * 1024), 9)
    pdf = pdf_with(b"PLACEHOLDER")
    at = pdf.index(b"PLACEHOLDER")
    head = pdf[:at].replace(b"/Length 11", b"/Filter /FlateDecode /Length %d" % len(bomb))
    assert refused(head + bomb + pdf[at + len(b"PLACEHOLDER") :])


@pytest.mark.parametrize(
    "content",
    [
        b"[" * 100_000,
        b"[" + b"{}," * 600_000 + b"{}]",
        b'{"a":' * 50_000 + b"1" + b"}" * 50_000,
        b"<a>" + b"<b/>" * 900_000 + b"</a>",
        b"<a " + b" ".join(b'a%d=""' % at for at in range(500_000)) + b"/>",
        b"<a>" * 60_000 + b"</a>" * 60_000,
    ],
)
def test_what_is_nested_or_countless_is_refused_in_bounded_time(content: bytes) -> None:
    refused(content)

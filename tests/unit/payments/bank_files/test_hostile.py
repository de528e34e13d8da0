"""Whatever a file holds, the answer is statements or a clear refusal, soon."""

import random
import time
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chassis.errors import ServiceError
from services.payments.domain.bank_statement import BankFileFormat, entries_of
from services.payments.formats.detection import LARGEST_BYTES, READERS, read_bank_file
from services.payments.formats.source import ReadOptions
from tests.unit.payments.bank_files.samples import CSV, EVERYTHING, OFX_1, SAMPLES

OPTIONS = ReadOptions(currency="EUR")
SECONDS = 5.0
NAMES = sorted(EVERYTHING)
REASONS = {"BANK_FILE_UNREADABLE", "BANK_FILE_UNBALANCED"}
PIECES = (
    b"", b"\x00", b"\xff\xfe", b"\xc3", b"\n", b"\r", b"9" * 40, b"-", b",", b"/", b"<", b">", b"&", b"&x;", b"]]>",
    b":61:", b":86:", b":20:", b"88,", b"16,", b"?20", b"//", b"<STMTTRN>", b"<Ntry>", b'"', b";", b"0000", b"999999",
    b"NaN", b"1E9", "٣".encode(), "’".encode(), b"%d", b"D", b"V,", b"S,", b"49,1", b"99,1",
)  # fmt: skip


def _read(content: bytes, file_format: BankFileFormat | None = None) -> str:
    """Reason of the refusal; empty when it was read. Anything but a ServiceError is a defect."""
    began = time.process_time()
    refused = _refusal(content, file_format)
    assert time.process_time() - began < SECONDS
    if refused is None:
        return ""
    assert refused.reason in REASONS
    assert refused.fields
    assert refused.message.isprintable()
    return refused.reason


def _refusal(content: bytes, file_format: BankFileFormat | None) -> ServiceError | None:
    try:
        file = read_bank_file(content, OPTIONS, file_format)
    except ServiceError as error:
        return error
    for statement in file.statements:
        statement.digest()
    assert all(entry.lines for _, entries in entries_of(file.statements) for entry in entries)
    return None


@st.composite
def _mutated(draw: st.DrawFn) -> bytes:
    """A sample with pieces cut out, doubled, replaced and put in."""
    content = EVERYTHING[draw(st.sampled_from(NAMES))]
    for _ in range(draw(st.integers(1, 6))):
        start = draw(st.integers(0, len(content)))
        end = min(len(content), start + draw(st.integers(0, 60)))
        piece = draw(st.one_of(st.sampled_from(PIECES), st.binary(max_size=8)))
        match draw(st.integers(0, 3)):
            case 0:
                content = content[:start] + content[end:]
            case 1:
                content = content[:end] + content[start:]
            case 2:
                content = content[:start] + piece + content[end:]
            case _:
                content = content[:start] + piece + content[start:]
    return content


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(_mutated())
def test_mutated_samples_are_read_or_refused(content: bytes) -> None:
    _read(content)


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=300), st.sampled_from(sorted(READERS)))
def test_any_bytes_in_any_format_are_read_or_refused(content: bytes, file_format: BankFileFormat) -> None:
    _read(content, file_format)


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=300), st.sampled_from(sorted(READERS)))
def test_any_text_in_any_format_is_read_or_refused(text: str, file_format: BankFileFormat) -> None:
    _read(text.encode("utf-8", "replace"), file_format)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("file_format", sorted(READERS))
def test_a_file_of_another_format_is_refused_or_read(name: str, file_format: BankFileFormat) -> None:
    _read(EVERYTHING[name], file_format)


@pytest.mark.parametrize("name", NAMES)
def test_cut_off_files_are_read_or_refused(name: str) -> None:
    content = EVERYTHING[name]
    places = random.Random(7).sample(range(len(content)), min(40, len(content)))
    for place in places:
        _read(content[:place])


CAMT = SAMPLES["camt053/camt053.v2.multi.statement.xml"]
MT940 = SAMPLES["mt940/self-provided-february_30.sta"]
BOMB = b"<!DOCTYPE a [<!ENTITY a 'x'>" + b"".join(
    b"<!ENTITY %c '%s'>" % (98 + n, b"&%c;" % (97 + n) * 20) for n in range(12)
)
LARGE: dict[str, Callable[[], bytes]] = {
    "entities": lambda: BOMB + b"]><Document>&m;</Document>",
    "external entity": lambda: b"<!DOCTYPE a SYSTEM 'file:///etc/passwd'><Document/>",
    "deep XML": lambda: b"<a>" * 1_000_000,
    "deep right XML": lambda: b"<Document>" + b"<a>" * 100_000 + b"</a>" * 100_000 + b"</Document>",
    "wide XML": lambda: b"<Document>" + b"<a/>" * 1_500_000 + b"</Document>",
    "many attributes": lambda: b"<Document " + b" ".join(b"a%d='1'" % n for n in range(200_000)) + b"/>",
    "long number": lambda: CAMT.replace(b">8.85<", b">" + b"9" * 2_000_000 + b"<"),
    "exponent": lambda: CAMT.replace(b">8.85<", b">1e999999999<"),
    "many camt entries": lambda: CAMT.replace(
        b"</Ntry>", b"</Ntry>" + b"<Ntry><Amt Ccy='EUR'>1</Amt></Ntry>" * 90_000, 1
    ),
    "many lines": lambda: MT940.replace(b":62F:", b":61:2403010301C5,00NTRFNONREF\n" * 200_000 + b":62F:"),
    "many messages": lambda: MT940 * 20_000,
    "endless details": lambda: MT940.replace(b":62F:", b"x" * 60 + b"\n" * 7_000_000 + b":62F:"),
    "one long line": lambda: MT940.replace(b"?20", b"?20" + b"EREF+" * 1_200_000),
    "slashes": lambda: MT940.replace(b":86:", b":86:" + b"/REMI/" * 1_000_000),
    "tags": lambda: OFX_1.replace(b"</BANKTRANLIST>", b"<STMTTRN>" * 800_000),
    "unclosed tags": lambda: OFX_1 + b"<A>" * 2_000_000,
    "angle brackets": lambda: OFX_1 + b"<" * 7_000_000,
    "continuations": lambda: SAMPLES["bai2/sample1.txt"] + b"\n88,x/" * 1_000_000,
    "commas": lambda: b"01,a,b/\n02,a,b,1,240101/\n03,1,EUR," + b"," * 7_000_000,
    "fields": lambda: b"01,a,b/\n02,a,b,1,240101/\n03,1,EUR/" + b"\n16,108,1,Z,,,x/" * 400_000,
    "CSV rows": lambda: b"Date,Amount\n" + b"2024-01-01,1.00\n" * 500_000,
    "CSV cells": lambda: b"Date,Amount\n" + b"," * 8_000_000,
    "open quote": lambda: CSV["n26"] + b'"' + b"x\n" * 4_000_000,
    "quotes": lambda: b"Date,Amount\n" + b'""' * 4_000_000,
    "dates": lambda: b"Date,Amount\n" + b"".join(b"%d-01-%d,1\n" % (n, n) for n in range(40_000)),
    "blanks": lambda: b" " * 8_000_000 + b":20:",
    "colons": lambda: b":20:\n:25:\n" + b":" * 8_000_000,
    "zeros": lambda: b"\x00" * 8_000_000 + b"x",
}


@pytest.mark.parametrize("name", LARGE)
def test_large_and_hostile_files_are_refused_soon(name: str) -> None:
    content = LARGE[name]()[:LARGEST_BYTES]
    assert _read(content) in REASONS | {""}


def test_files_beyond_the_limit_are_not_looked_at() -> None:
    assert _read(b":20:" * LARGEST_BYTES) == "BANK_FILE_UNREADABLE"

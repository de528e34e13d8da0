"""Every sample is read as it says, or refused with the line and the reason. Figures were checked by hand."""

from collections import Counter
from datetime import date
from decimal import Decimal

import mt940 as mt940_library
import pytest
from bai2 import bai2 as bai2_library

from chassis.errors import ServiceError
from services.payments.domain.bank_statement import BankFileFormat
from services.payments.formats import bai2, camt, mt940
from services.payments.formats.detection import BankFile, find_format, read_bank_file
from services.payments.formats.source import ReadOptions
from tests.unit.payments.bank_files.samples import CSV, EVERYTHING, OFX_1, OFX_2, SAMPLES

OPTIONS = ReadOptions(currency="EUR")
UNBALANCED = {
    "camt053/camt053.v2.all-balance-types.xml": 10,
    "camt053/camt053.v2.minimal.xml": 26,
    "camt053/camt053.v3.xml": 26,
    "camt053/camt053.v8.xml": 30,
    "mt940/betterplace-sepa_snippet.sta": 25,
    "mt940/jejik-abnamro.sta": 4,
    "mt940/jejik-ing.sta": 4,
    "mt940/jejik-postfinance.sta": 15,
    "mt940/jejik-rabobank.sta": 2,
}
UNREADABLE = {"camt053/camt053.v2.wrong.xml": 2, "mt940/self-provided-invalid_statement.sta": None}
GOOD = {
    "camt053/camt053.v2.multi.statement.xml": (2, 2),
    "mt940/ASNB-mt940.txt": (31, 8),
    "mt940/self-provided-february_30.sta": (1, 1),
    "bai2/sample1.txt": (2, 17),
    "bai2/sample2.txt": (5, 4),
    "bai2/sample3.txt": (15, 26),
}


def _read(name: str) -> BankFile:
    return read_bank_file(EVERYTHING[name], OPTIONS)


def test_each_sample_is_expected() -> None:
    assert set(SAMPLES) == {*UNBALANCED, *UNREADABLE, *GOOD}


@pytest.mark.parametrize("name", GOOD)
def test_good_samples_are_read_whole(name: str) -> None:
    statements = _read(name).statements
    assert (len(statements), sum(len(one.lines) for one in statements)) == GOOD[name]


@pytest.mark.parametrize("name", UNBALANCED)
def test_samples_that_do_not_add_up_name_the_statement(name: str) -> None:
    with pytest.raises(ServiceError) as refused:
        _read(name)
    assert refused.value.reason == "BANK_FILE_UNBALANCED"
    assert refused.value.metadata == {"line": str(UNBALANCED[name])}
    assert refused.value.fields[0].field == f"content.line_{UNBALANCED[name]}"


@pytest.mark.parametrize("name", UNREADABLE)
def test_samples_that_are_none_are_refused(name: str) -> None:
    with pytest.raises(ServiceError) as refused:
        _read(name)
    assert refused.value.reason == "BANK_FILE_UNREADABLE"


@pytest.mark.parametrize("name", [name for name in EVERYTHING if name not in UNREADABLE])
def test_the_format_is_found_from_the_content(name: str) -> None:
    prefix = name.split("/")[0].split(" ")[0]
    assert find_format(EVERYTHING[name]).value == {"camt053": "camt"}.get(prefix, prefix)


@pytest.mark.parametrize("name", [name for name in EVERYTHING if name not in UNREADABLE])
def test_what_is_written_around_a_file_changes_nothing(name: str) -> None:
    content = EVERYTHING[name]
    plain = _digests(content)
    if not content.startswith((b"\xff\xfe", b"\xfe\xff")):
        assert _digests(content + b"\r\n\x1a") == plain
        assert _digests(content.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")) == plain
    if content.isascii():
        assert _digests(b"\xef\xbb\xbf" + content) == plain


def _digests(content: bytes) -> list[bytes]:
    found = find_format(content)
    readers = {
        BankFileFormat.CAMT: camt.read,
        BankFileFormat.MT940: mt940.read,
        BankFileFormat.BAI2: bai2.read,
    }
    reader = readers.get(found)
    statements = reader(content, OPTIONS) if reader else read_bank_file(content, OPTIONS).statements
    return [statement.digest() for statement in statements]


def test_camt_two_statements_of_one_account() -> None:
    first, second = _read("camt053/camt053.v2.multi.statement.xml").statements
    assert (str(first.opening), str(first.closing), str(second.closing)) == (
        "18.15 EUR",
        "27.00 EUR",
        "20.00 EUR",
    )
    assert first.account_identification == "NL26VAYB8060476890"
    line = second.lines[0]
    assert (line.booked_on, line.value_on) == (date(2014, 12, 31), date(2015, 1, 2))
    assert (str(line.amount), line.counterparty_name) == ("-7.00 EUR", "Company Name 2")
    assert (line.counterparty_account, line.end_to_end_id) == ("NL56AGDH9619008421", "000000002")
    assert line.remittance_text == "Transaction Description 2"


def test_camt_reads_structured_references_of_every_version() -> None:
    for version in ("v2.minimal", "v3", "v8"):
        line = camt.read(SAMPLES[f"camt053/camt053.{version}.xml"], OPTIONS)[0].lines[0]
        assert line.structured_reference == "4654654654654654"
        assert (line.counterparty_name, line.counterparty_account) == ("NAME NAME", "NL56AGDH9619008421")


def test_mt940_german_details() -> None:
    line = mt940.read(SAMPLES["mt940/betterplace-sepa_snippet.sta"], OPTIONS)[0].lines[0]
    assert (line.booked_on, line.value_on) == (date(2007, 9, 4), date(2007, 9, 7))
    assert str(line.amount) == "50990.05 EUR"
    assert (line.counterparty_name, line.counterparty_account) == ("KARL KAUFMANN", "DE14508800500194785000")
    assert line.remittance_text == "Verw CTSc-01 BC-PPP TFNr 22 004"
    assert line.end_to_end_id == "EndToEndId TFNR 22 004 00001"
    assert line.bank_reference == "0724710333343453"


def test_mt940_dutch_details() -> None:
    first = _read("mt940/ASNB-mt940.txt").statements[0].lines[0]
    assert (first.counterparty_account, first.counterparty_name) == (
        "NL47INGB9999999999",
        "hr gjlm paulissen",
    )
    assert first.remittance_text == "Betaling sieraden"
    rabobank = mt940.read(SAMPLES["mt940/jejik-rabobank.sta"], OPTIONS)
    assert rabobank[2].lines[0].counterparty_name == "T-MOBILE NETHERLANDS BV"
    assert rabobank[2].lines[0].remittance_text == "BETALINGSKENM. 123456789 FACTUURNUMMER 987654321"


def test_mt940_knows_the_thirtieth_of_february() -> None:
    line = _read("mt940/self-provided-february_30.sta").statements[0].lines[0]
    assert (line.value_on, line.booked_on) == (date(2016, 2, 29), date(2016, 3, 1))


def test_bai2_texts_funds_and_signs() -> None:
    credit = _read("bai2/sample2.txt").statements[2].lines[0]
    assert (str(credit.amount), credit.value_on) == ("200000.00 EUR", date(2004, 6, 22))
    assert (credit.bank_reference, credit.end_to_end_id) == ("SP4738", "YRC065321")
    assert credit.remittance_text == "PROCEEDS OF LETTER OF CREDIT FROM THE ARAMCO OIL CO"
    lines = _read("bai2/sample1.txt").statements[0].lines
    assert Counter(line.amount.is_negative for line in lines) == {True: 8, False: 3}
    assert sum(line.amount.minor_units for line in lines) == 208_500 - 208_500


def test_bai2_control_totals_are_checked() -> None:
    wrong = SAMPLES["bai2/sample1.txt"].replace(b"16,108,000000000203500", b"16,108,000000000203501")
    with pytest.raises(ServiceError) as refused:
        read_bank_file(wrong, OPTIONS)
    assert (refused.value.reason, refused.value.metadata) == ("BANK_FILE_UNBALANCED", {"line": "16"})


def test_ofx_with_and_without_end_tags() -> None:
    first = read_bank_file(OFX_1, OPTIONS).statements[0]
    assert (first.account_identification, str(first.closing)) == ("12345", "1000.00 USD")
    assert [str(line.amount) for line in first.lines] == ["100.50 USD", "-1234.56 USD"]
    assert first.lines[0].counterparty_name == "Smith & Söhne"
    assert first.lines[0].remittance_text == "7 & 8"
    assert first.lines[0].booked_on == date(2024, 1, 15)
    second = read_bank_file(OFX_2, OPTIONS).statements[0].lines[0]
    assert (second.counterparty_name, second.counterparty_account) == ("Élan & Cie", "FR99")
    assert str(second.amount) == "12.50 EUR"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("sparkasse", [(date(2024, 3, 15), "1250.50 EUR", "Müller GmbH")]),
        ("dkb", [(date(2024, 3, 28), "12.50 EUR", "Max")]),
        ("n26", [(date(2024, 3, 15), "100.00 EUR", "Ann")]),
        ("revolut", [(date(2024, 3, 1), "99.50 EUR", ""), (date(2024, 3, 2), "-10.00 EUR", "")]),
        ("chase", [(date(2024, 3, 15), "1500.00 EUR", ""), (date(2024, 3, 14), "-15.00 EUR", "")]),
        ("ing", [(date(2024, 3, 15), "12.50 EUR", "Jan"), (date(2024, 3, 16), "-2.50 EUR", "Piet")]),
        ("british", [(date(2024, 3, 15), "100.00 EUR", ""), (date(2024, 3, 16), "-50.00 EUR", "")]),
        ("excel", [(date(2024, 3, 4), "1.00 EUR", "")]),
        ("wise", [(date(2024, 3, 15), "100.00 USD", "")]),
    ],
)
def test_csv_of_known_banks_needs_no_mapping(name: str, expected: list[tuple[date, str, str]]) -> None:
    lines = read_bank_file(CSV[name], OPTIONS).statements[0].lines
    assert [(line.booked_on, str(line.amount), line.counterparty_name) for line in lines] == expected


def test_csv_balances_are_found_in_any_order() -> None:
    statement = read_bank_file(CSV["chase"], OPTIONS).statements[0]
    assert (str(statement.opening), str(statement.closing)) == ("1015.00 EUR", "2500.00 EUR")


@pytest.mark.parametrize(
    "name",
    [name for name in SAMPLES if name.startswith("mt940/") and "invalid" not in name and "ASNB" not in name],
)
def test_mt940_amounts_are_those_of_an_independent_reader(name: str) -> None:
    """Which refuses the long references of ASN Bank."""
    theirs = mt940_library.parse(SAMPLES[name].decode())
    expected = [Decimal(one.data["amount"].amount) for one in theirs]
    ours = [line.amount.to_decimal() for one in mt940.read(SAMPLES[name], OPTIONS) for line in one.lines]
    assert ours == expected


def test_bai2_amounts_are_those_of_an_independent_reader() -> None:
    theirs = bai2_library.parse_from_string(SAMPLES["bai2/sample1.txt"].decode())
    accounts = [account for group in theirs.children for account in group.children]
    expected = [[one.amount for one in account.children] for account in accounts]
    ours = [
        [abs(line.amount.minor_units) for line in one.lines] for one in _read("bai2/sample1.txt").statements
    ]
    assert ours == expected

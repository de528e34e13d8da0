"""What banks do that the samples do not show, a case each."""

from datetime import date
from typing import Any

import pytest

from chassis.errors import ServiceError
from services.payments.domain.bank_account import BankAccount, find_account
from services.payments.domain.bank_statement import ParsedStatement, entries_of
from services.payments.domain.csv_mapping import CsvMapping
from services.payments.formats.detection import read_bank_file
from services.payments.formats.source import ReadOptions

EUR = ReadOptions(currency="EUR")


def _read(content: str | bytes, options: ReadOptions = EUR) -> ParsedStatement:
    return read_bank_file(content.encode() if isinstance(content, str) else content, options).statements[0]


def _mt940(lines: str, *, opening: str = "C240301EUR100,00", closing: str) -> str:
    return f":20:A\n:25:DE02/1\n:28C:1/1\n:60F:{opening}\n{lines}\n:62F:{closing}\n-}}"


def _camt(
    entries: str, *, opening: str = "100.00", closing: str = "110.00", more: str = "", version: str = "08"
) -> str:
    def balance(code: str, amount: str) -> str:
        sign = "DBIT" if amount.startswith("-") else "CRDT"
        return (
            f"<Bal><Tp><CdOrPrtry><Cd>{code}</Cd></CdOrPrtry></Tp><Amt Ccy='EUR'>{amount.lstrip('-')}</Amt>"
            f"<CdtDbtInd>{sign}</CdtDbtInd><Dt><Dt>2024-03-01</Dt></Dt></Bal>"
        )

    return (
        f"<?xml version='1.0'?><Document xmlns='urn:iso:std:iso:20022:tech:xsd:camt.053.001.{version}'>"
        "<BkToCstmrStmt><Stmt><Id>S1</Id><Acct><Id><IBAN>DE02120300000000202051</IBAN></Id><Ccy>EUR</Ccy></Acct>"
        f"{balance('OPBD', opening)}{balance('CLBD', closing)}{more}{entries}</Stmt></BkToCstmrStmt></Document>"
    )


def _entry(
    amount: str = "10.00", *, sign: str = "CRDT", status: str = "<Cd>BOOK</Cd>", more: str = ""
) -> str:
    return (
        f"<Ntry><Amt Ccy='EUR'>{amount}</Amt><CdtDbtInd>{sign}</CdtDbtInd><Sts>{status}</Sts>"
        f"<BookgDt><DtTm>2024-03-01T23:30:00-05:00</DtTm></BookgDt>{more}</Ntry>"
    )


@pytest.mark.parametrize(
    ("mark", "amount"),
    [("C", "10.00"), ("D", "-10.00"), ("RC", "-10.00"), ("RD", "10.00"), ("CR", "10.00"), ("DR", "-10.00")],
)
def test_mt940_marks_and_their_reversals(mark: str, amount: str) -> None:
    closing = "C240301EUR90,00" if amount.startswith("-") else "C240301EUR110,00"
    line = _read(_mt940(f":61:2403010301{mark}10,NTRFX//Y", closing=closing)).lines[0]
    assert str(line.amount) == f"{amount} EUR"


def test_mt940_booking_days_cross_the_year() -> None:
    lines = ":61:2401021231C10,NTRFX\n:61:2312310102C10,NTRFX"
    found = _read(_mt940(lines, closing="C240301EUR120,")).lines
    assert [line.booked_on for line in found] == [date(2023, 12, 31), date(2024, 1, 2)]


def test_mt940_words_between_slashes() -> None:
    details = (
        "/TRTP/SEPA OVERBOEKING/IBAN/NL12INGB0000000001/BIC/INGBNL2A/NAME/J. Jansen/REMI/Invoice INV-7 \n"
        "and more/EREF/E2E-9"
    )
    line = _read(_mt940(f":61:2403010301C10,NTRFX\n:86:{details}", closing="C240301EUR110,")).lines[0]
    assert (line.counterparty_name, line.counterparty_account) == ("J. Jansen", "NL12INGB0000000001")
    assert (line.remittance_text, line.end_to_end_id) == ("Invoice INV-7 and more", "E2E-9")


def test_mt940_structured_reference_of_ing() -> None:
    details = "/EREF/NOTPROVIDED//CNTP/NL12INGB0000000001/INGBNL2A/Ann/City//REMI/STRD/ISO/RF18539007547034/"
    line = _read(_mt940(f":61:2403010301C10,NTRFX\n:86:{details}", closing="C240301EUR110,")).lines[0]
    assert (line.counterparty_name, line.creditor_reference) == ("Ann", "RF18539007547034")


MANY_BANKS = {
    "SNS": (
        ":61:2403010301C10,NIOB0987654321\nann lee\n:86:0987654321 ann lee\n   \na test",
        ("ann lee", "0987654321", "a test"),
    ),
    "Knab": (
        ":61:2403010301C10,NTRFX\n:86:BILL 7\nREK: NL65INGB0123456789/NAAM: PICQER",
        ("PICQER", "NL65INGB0123456789", "BILL 7"),
    ),
    "Rabobank": (
        ":61:2403010301C10,N102EREF\nNL91ABNA0417164300\n:86:/BENM//NAME/JOHN/REMI/Bill 7/ISDT/2013",
        ("JOHN", "NL91ABNA0417164300", "Bill 7"),
    ),
    "Sberbank": (
        ":61:2403010301C10,00S   X\n:NS:01526715\n02Bill\n037\n15ERGO AG\n16lep\n340000004279070017",
        ("ERGO AG lep", "4279070017", "Bill 7"),
    ),
    "Polish": (
        ":61:2403010301CR\n10,00N062NONREF\n:86: 020?00Pay?20Bill 7?32ANN?38PL08",
        ("ANN", "PL08", "Bill 7"),
    ),
    "time at the beginning of a line": (
        ":61:2403010301C10,N062NONREF\n:86:106?000?20SVWZ+12-09-2014T16\n:26:37?32ANN",
        ("ANN", "", "12-09-2014T16:26:37"),
    ),
}


@pytest.mark.parametrize("bank", MANY_BANKS)
def test_mt940_details_of_many_banks(bank: str) -> None:
    lines, expected = MANY_BANKS[bank]
    found = _read(_mt940(lines, closing="C240301EUR110,")).lines[0]
    assert (found.counterparty_name, found.counterparty_account, found.remittance_text) == expected
    assert found.end_to_end_id in ("", "0987654321", "X")


def test_mt940_pages_must_follow_each_other() -> None:
    first = ":20:A\n:25:X1234567\n:28C:1/1\n:60F:C240301EUR0,\n:62M:C240301EUR5,\n-\n"
    second = ":20:A\n:25:X1234567\n:28C:1/2\n:60M:C240301EUR6,\n:62F:C240301EUR6,\n-\n"
    with pytest.raises(ServiceError) as refused:
        _read(first.replace("EUR5,", "EUR0,") + second)
    assert refused.value.reason == "BANK_FILE_UNBALANCED"
    assert refused.value.metadata == {"line": "7"}


def test_mt940_in_an_old_encoding() -> None:
    content = _mt940(":61:2403010301C10,NTRFX\n:86:166?00X?20M\xfcller?32J\xf6rg", closing="C240301EUR110,")
    line = _read(content.encode("cp1252")).lines[0]
    assert (line.remittance_text, line.counterparty_name) == ("Müller", "Jörg")


@pytest.mark.parametrize("version", ["02", "04", "08", "13"])
def test_camt_days_are_those_of_the_bank(version: str) -> None:
    line = _read(_camt(_entry(), version=version)).lines[0]
    assert line.booked_on == date(2024, 3, 1)


def test_camt_a_reversal_has_the_direction_of_its_money() -> None:
    statement = _read(_camt(_entry(sign="DBIT", more="<RvslInd>true</RvslInd>"), closing="90.00"))
    assert str(statement.lines[0].amount) == "-10.00 EUR"


def test_camt_pending_entries_are_left_out_with_a_warning() -> None:
    statement = _read(_camt(_entry() + _entry("5.00", status="PDNG")))
    assert len(statement.lines) == 1
    assert "PDNG" in statement.warnings[0]


def _details(*amounts: str) -> str:
    parts = "".join(
        f"<TxDtls><Refs><EndToEndId>E{n}</EndToEndId></Refs><Amt Ccy='EUR'>{amount}</Amt>"
        f"<RmtInf><Ustrd>INV-{n}</Ustrd></RmtInf></TxDtls>"
        for n, amount in enumerate(amounts)
    )
    return f"<NtryDtls>{parts}</NtryDtls>"


def test_camt_a_batch_is_split_into_its_transactions() -> None:
    statement = _read(_camt(_entry(more=_details("4.00", "6.00"))))
    assert [str(line.amount) for line in statement.lines] == ["4.00 EUR", "6.00 EUR"]
    assert [line.end_to_end_id for line in statement.lines] == ["E0", "E1"]
    [(_, entries)] = entries_of([statement])
    assert len(entries) == 1


def test_camt_a_batch_whose_parts_do_not_make_it_up_stays_whole() -> None:
    statement = _read(_camt(_entry(more=_details("4.00", "5.00"))))
    assert [str(line.amount) for line in statement.lines] == ["10.00 EUR"]
    assert statement.lines[0].remittance_text == "INV-0 INV-1"
    assert "batch" in statement.warnings[0]


def test_camt_a_bulk_return_has_parts_of_both_signs() -> None:
    details = _details("12.00", "2.00").replace(
        "2.00</Amt><RmtInf><Ustrd>INV-1", "2.00</Amt><CdtDbtInd>DBIT</CdtDbtInd><RmtInf><Ustrd>INV-1"
    )
    statement = _read(_camt(_entry(more=details)))
    assert [str(line.amount) for line in statement.lines] == ["12.00 EUR", "-2.00 EUR"]


@pytest.mark.parametrize(
    ("entry", "code"),
    [
        (_entry("1.00001"), "too_many_decimals"),
        (_entry("1,00"), "bad_amount"),
        (_entry("-1.00"), "unbalanced"),
        (_entry("9" * 18), "amount_too_large"),
        (_entry(sign="X"), "no_direction"),
        (_entry().replace("2024-03-01", "2024-02-30"), "bad_date"),
        (_entry().replace("EUR", "XYZ"), "unknown_currency"),
        (_entry().replace("EUR", "USD"), "unbalanced"),
    ],
)
def test_camt_wrong_values_are_refused(entry: str, code: str) -> None:
    with pytest.raises(ServiceError) as refused:
        _read(_camt(entry))
    assert refused.value.fields[0].code == code


def test_camt_five_decimals_that_are_zeros_are_no_harm() -> None:
    assert str(_read(_camt(_entry("10.00000"))).lines[0].amount) == "10.00 EUR"


def test_camt_pages_have_interim_balances() -> None:
    page = _camt(_entry()).replace("<Cd>CLBD</Cd>", "<Cd>ITBD</Cd>")
    statement = _read(page)
    assert statement.closing_is_interim
    assert statement.has_balances


def test_camt_that_calls_itself_utf8_and_is_not() -> None:
    entry = _entry(more="<AddtlNtryInf>M\xfcller</AddtlNtryInf>")
    content = _camt(entry).replace("?>", " encoding='UTF-8'?>", 1).encode("cp1252")
    assert _read(content).lines[0].remittance_text == "Müller"


def test_camt_of_a_day_that_is_not_over_is_refused() -> None:
    content = "<Document><BkToCstmrAcctRpt><Rpt/></BkToCstmrAcctRpt></Document>"
    with pytest.raises(ServiceError) as refused:
        _read(content)
    assert refused.value.fields[0].code == "intraday_report"


def test_bai2_unknown_types_go_by_their_range() -> None:
    records = "01,B,A,240301,0000,1,,,2/\n02,A,B,1,240301,,USD,2/\n03,123,USD,010,1000,,,015,1070,,/\n{}\n"
    body = "16,199,50,Z,,,a/\n16,925,30,Z,,,b/\n16,970,10,0,,,c/\n16,890,0,,,,note/\n16,701,99,Z,,,loan/"
    lines = _read(records.format(body)).lines
    assert [line.amount.minor_units for line in lines] == [50, 30, -10]


def test_bai2_texts_that_name_the_other_party() -> None:
    content = (
        "01,B,A,240301,0000,1,,,2/\n02,A,B,1,240301,,USD,2/ \n03,123,USD/\n"
        '16,195,50,,GI1,RTR9,RTP Incoming,From: SAMPLE INC, Remittance Info: "08/18/23 Invoice"\n88,REMI: Invoice 7\n'
        "88,EREF: RTR608\n88,CRNM: Us\n88:EREF: no comma\n88,DBNM: SAMPLE INC.\n88,DACT: 0212\n49,50,8/\n"
    )
    line = _read(content).lines[0]
    assert (line.bank_reference, line.end_to_end_id) == ("GI1", "RTR608")
    assert (line.counterparty_name, line.counterparty_account) == ("SAMPLE INC.", "0212")
    assert "08/18/23 Invoice" in line.remittance_text


def test_bai2_groups_for_tests_and_deletions_are_left_out() -> None:
    content = (
        "01,B,A,240301,0000,1,,,2/\n02,A,B,4,240301,,USD,2/\n03,1,USD/\n16,100,5,Z/\n49,5,3/\n98,5,1,5/\n"
        "02,A,B,1,240301,,USD,2/\n03,2,USD/\n16,100,7,Z/\n49,7,3/\n98,7,1,5/\n99,12,2,12/\n"
    )
    statement = _read(content)
    assert (statement.account_identification, len(statement.lines)) == ("2", 1)
    assert "test" in statement.warnings[0]


@pytest.mark.parametrize(
    ("rows", "line", "code"),
    [
        ("2024-03-01,1.00\n2024-13-01,1.00", "3", "bad_date"),
        ("2024-03-01,1.00\n2024-03-02,one", "3", "bad_amount"),
        ("03/04/2024,1.00", "2", "ambiguous_date"),
        ("2024-03-01,1.234", "2", "ambiguous_amount"),
        ("2024-03-01,1.00\n2024-03-02,", "3", "no_amount"),
        ("1900-01-01,1.00", "2", "bad_date"),
    ],
)
def test_csv_wrong_rows_are_named(rows: str, line: str, code: str) -> None:
    with pytest.raises(ServiceError) as refused:
        _read(f"Date,Amount\n{rows}\n".replace("1.234", '"1.234"'))
    assert (refused.value.metadata.get("line"), refused.value.fields[0].code) == (line, code)


@pytest.mark.parametrize(
    ("rows", "line", "code"),
    [
        ('2024-03-01;"Ann;1.00\n2024-03-02;Bob;2.00\n2024-03-03;Cid;3.00\n', "2", "broken_csv"),
        ('2024-03-01;"Ann;1.00\n2024-03-02;Bob;2.00\n2024-03-03;"Cid";3.00\n', "2", "broken_csv"),
        ('2024-03-01;"Ann;1.00\n2024-03-02;Bob;2.00\n2024-03-03;Cid";3.00\n', "2", "broken_csv"),
        ("2024-03-01;Ann;1.00\n;Bob;2.00\n2024-03-03;Cid;3.00\n", "3", "no_date"),
        ("2024-03-01;Ann;1.00\n2024-03-02\n2024-03-03;Cid;3.00\n", "3", "no_amount"),
        ("2024-03-01;Ann;1.00\n2024-03-02;;\n2024-03-03;Cid;3.00\n", "3", "no_amount"),
        ("2024-03-01;Ann;1.00\n2024-03-02;Bob;2.00\n2024-03-03;3", "4", "no_amount"),
        ("2024-03-01;Ann;1.00\n2024-03-02;Bob;2.00\n2024-03-03;Cid;3", "4", "cut_off"),
    ],
)
def test_csv_nothing_is_lost_or_made_up(rows: str, line: str, code: str) -> None:
    with pytest.raises(ServiceError) as refused:
        _read(f"Date;Name;Amount\n{rows}")
    assert (refused.value.metadata.get("line"), refused.value.fields[0].code) == (line, code)


def test_csv_a_row_that_was_cut_off_is_refused() -> None:
    with pytest.raises(ServiceError) as refused:
        _read("Buchungstag;Betrag;Name\n18.11.2026;1,00;Ann\n19.11.2026;2,00;Bob\n20.11.2026;3")
    assert (refused.value.metadata.get("line"), refused.value.fields[0].code) == ("4", "cut_off")


def test_csv_sums_and_notes_below_the_table_are_none_of_its_lines() -> None:
    rows = "2024-03-01;Ann;1.00\n\n2024-03-02;Bob;2.00\n;Total;3.00\nPrinted by the bank\n"
    assert len(_read(f"Date;Name;Amount\n{rows}").lines) == 2


@pytest.mark.parametrize(("sign", "text"), [(",", "1,234.56"), (".", "1.234,56")])
def test_csv_an_amount_with_the_other_decimal_sign_says_so(sign: str, text: str) -> None:
    mapping = CsvMapping(
        name="m", date_format="%Y-%m-%d", decimal_sign=sign, date_column="d", amount_column="a"
    )
    with pytest.raises(ServiceError) as refused:
        _read(f"d;a\n2024-03-01;{text}\n", ReadOptions(currency="EUR", mapping=mapping))
    assert (refused.value.fields[0].code, "decimal sign" in refused.value.message) == ("bad_amount", True)


@pytest.mark.parametrize(
    ("text", "units"),
    [
        ("1.234,56", 123_456), ("-1.234,56", -123_456), ("1 234,56", 123_456), ("1'234,56", 123_456),
        ("12,5-", -1_250), ("(12,50)", -1_250), ("€ 12,50", 1_250), ("12,50 EUR", 1_250), ("+12", 1_200),
        ("−12,50", -1_250), ("12,50 DR", -1_250), ("-€12,50", -1_250), ("-0,00", 0),
    ],
)  # fmt: skip
def test_csv_amounts_as_people_write_them(text: str, units: int) -> None:
    mapping = CsvMapping(
        name="m", date_format="%Y-%m-%d", decimal_sign=",", date_column="d", amount_column="a"
    )
    options = ReadOptions(currency="EUR", mapping=mapping)
    assert _read(f"d;a\n2024-03-01;{text}\n", options).lines[0].amount.minor_units == units


def test_csv_a_column_of_the_mapping_that_is_not_there_is_named() -> None:
    mapping = CsvMapping(
        name="m", date_format="%Y-%m-%d", decimal_sign=",", date_column="d", amount_column="sum"
    )
    with pytest.raises(ServiceError) as refused:
        _read("d;a\n2024-03-01;1\n", ReadOptions(currency="EUR", mapping=mapping))
    assert "“sum”" in refused.value.message


@pytest.mark.parametrize("start", [b"PK\x03\x04", b"%PDF-1.7", b"\x1f\x8b", b"", b"\x00\x00"])
def test_what_is_no_statement_says_what_to_do(start: bytes) -> None:
    with pytest.raises(ServiceError) as refused:
        _read(start)
    assert refused.value.reason == "BANK_FILE_UNREADABLE"


def _account(number: str, **more: Any) -> BankAccount:
    values: dict[str, Any] = {
        "bank_account_id": f"ba_{number}",
        "name": "x",
        "account_holder": "x",
        "account_number": number,
        "currency": "EUR",
    }
    return BankAccount(**values | more)


@pytest.mark.parametrize(
    ("identification", "found"),
    [
        ("DE02120300000000202051", True),
        ("de02 1203 0000 0000 2020 51", True),
        ("DE02120300000000202051EUR", True),
        ("12030000/0000202051", True),
        ("BYLADEM1001/120300000000202051/EUR", True),
        ("0000202051", False),  # six digits could be anybody's
        ("12030000000020205", False),
        ("DE89370400440532013000", False),
        ("", False),
    ],
)
def test_an_account_is_known_by_its_iban_or_its_own_part(identification: str, found: bool) -> None:
    accounts = [_account("DE02120300000000202051"), _account("FR7630006000011234567890189")]
    assert (find_account(accounts, identification, "EUR") is not None) == found
    assert find_account(accounts, identification, "USD") is None


def test_a_plain_number_is_found_in_an_iban_that_a_file_names() -> None:
    assert find_account([_account("9999999999")], "NL81ASNB9999999999", "EUR") is not None
    assert find_account([_account("129199348")], "1291.99.348EUR", "EUR") is not None

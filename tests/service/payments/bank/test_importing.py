"""Importing bank statements: once, checked, and never twice."""

import asyncio
from pathlib import Path

import pytest

from chassis.errors import ServiceError
from tallyport.payments.v1 import bank_statements_pb2 as pb
from tests.service.payments.bank.desk import IBAN, BankDesk, mt940

SAMPLES = Path(__file__).parents[3] / "data" / "bank"
COFFEE = ":61:2403010301D5,00NTRFNONREF\n:86:Coffee"
RENT = ":61:2403010301C900,00NTRFNONREF//REF1\n:86:Rent"


async def test_a_statement_is_kept_with_its_lines_and_balances(bank_desk: BankDesk) -> None:
    account = await bank_desk.account("NL26VAYB8060476890")
    answer = await bank_desk.load((SAMPLES / "camt053" / "camt053.v2.multi.statement.xml").read_bytes())
    assert (answer.format, answer.new_lines, answer.known_lines) == (pb.BANK_FILE_FORMAT_CAMT, 2, 0)
    assert [statement.bank_account_id for statement in answer.statements] == [account.bank_account_id] * 2
    assert [statement.unmatched_lines for statement in answer.statements] == [1, 0]
    assert await bank_desk.amounts() == [-700, 885]
    listed = await bank_desk.statements.ListBankAccounts(
        pb.ListBankAccountsRequest(), metadata=bank_desk.staff()
    )
    assert listed.bank_accounts[0].balance.minor_units == 2000


async def test_importing_a_file_again_adds_nothing(bank_desk: BankDesk) -> None:
    await bank_desk.account("9999999999")
    content = (SAMPLES / "mt940" / "ASNB-mt940.txt").read_bytes()
    first = await bank_desk.load(content)
    again = await bank_desk.load(content)
    assert (again.new_lines, again.known_lines) == (0, first.new_lines)
    assert len(await bank_desk.amounts()) == first.new_lines == 8
    rows = await bank_desk.till.rows("SELECT count(*) AS n FROM bank_statements")
    assert rows[0].n == len(first.statements) == len(again.statements) == 31


async def test_two_imports_at_once_add_the_lines_once(bank_desk: BankDesk) -> None:
    await bank_desk.account("9999999999")
    content = (SAMPLES / "mt940" / "ASNB-mt940.txt").read_bytes()
    answers = await asyncio.gather(*(bank_desk.load(content) for _ in range(3)))
    assert sorted(answer.new_lines == 0 for answer in answers) == [False, True, True]
    assert len(await bank_desk.amounts()) == max(answer.new_lines for answer in answers)


async def test_a_repeated_request_gets_the_answer_of_the_first(bank_desk: BankDesk) -> None:
    await bank_desk.account()
    request = pb.ImportBankStatementRequest(content=mt940(COFFEE, closing="C240301EUR95,00").encode())
    metadata = bank_desk.staff(key="same")
    first = await bank_desk.statements.ImportBankStatement(request, metadata=metadata)
    again = await bank_desk.statements.ImportBankStatement(request, metadata=metadata)
    assert first == again
    assert first.new_lines == 1


async def test_an_overlapping_file_adds_only_what_is_new(bank_desk: BankDesk) -> None:
    await bank_desk.account()
    await bank_desk.load(mt940(COFFEE, RENT, closing="C240301EUR995,00"))
    later = ":61:2403020302C7,00NTRFNONREF\n:86:Later"
    answer = await bank_desk.load(mt940(COFFEE, RENT, later, closing="C240302EUR1002,00", number="2/1"))
    assert (answer.new_lines, answer.known_lines) == (1, 2)
    assert await bank_desk.amounts() == [-500, 700, 90_000]


async def test_two_equal_lines_of_a_day_stay_two(bank_desk: BankDesk) -> None:
    await bank_desk.account()
    content = mt940(COFFEE, COFFEE, closing="C240301EUR90,00")
    assert (await bank_desk.load(content)).new_lines == 2
    assert (await bank_desk.load(content)).new_lines == 0
    one_more = mt940(COFFEE, COFFEE, COFFEE, closing="C240301EUR85,00")
    answer = await bank_desk.load(one_more)
    assert (answer.new_lines, answer.known_lines) == (1, 2)


async def test_an_equal_line_of_the_statement_that_goes_on_is_new(bank_desk: BankDesk) -> None:
    await bank_desk.account()
    await bank_desk.load(mt940(COFFEE, closing="C240301EUR95,00"))
    afternoon = mt940(COFFEE, opening="C240301EUR95,00", closing="C240301EUR90,00", number="1/2")
    assert (await bank_desk.load(afternoon)).new_lines == 1
    whole_day = mt940(COFFEE, COFFEE, closing="C240301EUR90,00", number="1")
    assert (await bank_desk.load(whole_day)).new_lines == 0
    assert await bank_desk.amounts() == [-500, -500]


async def test_a_batch_shown_whole_and_in_parts_is_booked_once(bank_desk: BankDesk) -> None:
    await bank_desk.account()
    parts = "".join(
        f"<TxDtls><Refs><EndToEndId>E{n}</EndToEndId></Refs><Amt Ccy='EUR'>10.00</Amt></TxDtls>"
        for n in range(3)
    )
    whole, split = _camt054(""), _camt054(f"<NtryDtls>{parts}</NtryDtls>")
    assert (await bank_desk.load(split)).new_lines == 3
    answer = await bank_desk.load(whole)
    assert (answer.new_lines, answer.known_lines) == (0, 1)
    assert await bank_desk.amounts() == [1000, 1000, 1000]


def _camt054(details: str) -> str:
    return (
        "<Document xmlns='urn:iso:std:iso:20022:tech:xsd:camt.054.001.08'><BkToCstmrDbtCdtNtfctn><Ntfctn><Id>N</Id>"
        f"<Acct><Id><IBAN>{IBAN}</IBAN></Id><Ccy>EUR</Ccy></Acct><Ntry><Amt Ccy='EUR'>30.00</Amt>"
        "<CdtDbtInd>CRDT</CdtDbtInd><Sts><Cd>BOOK</Cd></Sts><BookgDt><Dt>2024-03-01</Dt></BookgDt>"
        f"<AcctSvcrRef>BATCH-77</AcctSvcrRef>{details}</Ntry></Ntfctn></BkToCstmrDbtCdtNtfctn></Document>"
    )


def _booking(kind: str, *, reference: str = "", end_to_end_id: str = "E-77", number: str = "1") -> str:
    """One booking of 30.00, in a notification (camt.054) or a statement (camt.053)."""
    outer, inner = ("BkToCstmrDbtCdtNtfctn", "Ntfctn") if kind == "054" else ("BkToCstmrStmt", "Stmt")
    balances = "".join(
        f"<Bal><Tp><CdOrPrtry><Cd>{code}</Cd></CdOrPrtry></Tp><Amt Ccy='EUR'>{amount}</Amt>"
        "<CdtDbtInd>CRDT</CdtDbtInd><Dt><Dt>2024-03-01</Dt></Dt></Bal>"
        for code, amount in (("OPBD", "100.00"), ("CLBD", "130.00"))
    )
    own = f"<AcctSvcrRef>{reference}</AcctSvcrRef>" if reference else ""
    return (
        f"<Document xmlns='urn:iso:std:iso:20022:tech:xsd:camt.{kind}.001.08'><{outer}><{inner}><Id>{number}</Id>"
        f"<Acct><Id><IBAN>{IBAN}</IBAN></Id><Ccy>EUR</Ccy></Acct>{balances if kind == '053' else ''}"
        "<Ntry><Amt Ccy='EUR'>30.00</Amt><CdtDbtInd>CRDT</CdtDbtInd><Sts><Cd>BOOK</Cd></Sts>"
        f"<BookgDt><Dt>2024-03-01</Dt></BookgDt>{own}<NtryDtls><TxDtls><Refs><EndToEndId>{end_to_end_id}</EndToEndId>"
        f"</Refs></TxDtls></NtryDtls></Ntry></{inner}></{outer}></Document>"
    )


@pytest.mark.parametrize("first", ["with", "without"])
async def test_a_booking_that_comes_again_without_the_bank_s_reference_is_told_not_added(
    bank_desk: BankDesk, first: str
) -> None:
    await bank_desk.account()
    noticed, booked = ("REF-1", "") if first == "with" else ("", "REF-1")
    await bank_desk.load(_booking("054", reference=noticed))
    answer = await bank_desk.load(_booking("053", reference=booked))
    assert (answer.new_lines, answer.known_lines) == (0, 1)
    assert "not added again" in answer.warnings[0]
    assert await bank_desk.amounts() == [3_000]


async def test_another_booking_of_the_same_day_and_sum_is_added(bank_desk: BankDesk) -> None:
    await bank_desk.account()
    await bank_desk.load(_booking("054", reference="REF-1"))
    assert (await bank_desk.load(_booking("053", end_to_end_id="E-78"))).new_lines == 1
    assert (await bank_desk.load(_booking("054", reference="REF-2", number="2"))).new_lines == 1


async def test_a_notification_without_balances_is_booked_with_a_warning(bank_desk: BankDesk) -> None:
    await bank_desk.account()
    answer = await bank_desk.load(_camt054(""))
    assert answer.new_lines == 1
    assert "could not be checked" in answer.warnings[0]


async def test_a_missing_statement_is_told_until_it_comes(bank_desk: BankDesk) -> None:
    await bank_desk.account()
    listing = pb.ListBankStatementsRequest()

    async def gaps() -> dict[str, int]:
        listed = await bank_desk.statements.ListBankStatements(listing, metadata=bank_desk.staff())
        gaps = {
            one.statement_reference: one.gap_before for one in listed.statements if one.HasField("gap_before")
        }
        return {name.split()[0]: gap.minor_units for name, gap in gaps.items()}

    await bank_desk.load(mt940(COFFEE, closing="C240301EUR95,00", number="99"))
    late = ":61:2403050305C7,00NTRFNONREF\n:86:Late"
    last = mt940(late, opening="C240304EUR914,56", closing="C240305EUR921,56", number="101")
    answer = await bank_desk.load(last)
    assert answer.new_lines == 1
    assert "819.56 EUR" in answer.warnings[0]
    assert await gaps() == {"101": 81_956}
    between = ":61:2403040304C819,56NTRFNONREF\n:86:Between"
    missing = mt940(between, opening="C240303EUR95,00", closing="C240304EUR914,56", number="100")
    assert list((await bank_desk.load(missing)).warnings) == []
    assert await gaps() == {}


async def test_a_dry_run_keeps_nothing(bank_desk: BankDesk) -> None:
    await bank_desk.account()
    answer = await bank_desk.load(mt940(RENT, closing="C240301EUR1000,00"), dry_run=True)
    assert (answer.new_lines, answer.statements[0].bank_statement_id) == (1, "")
    assert answer.statements[0].unmatched_lines == 1
    assert await bank_desk.amounts() == []


@pytest.mark.parametrize(
    ("content", "reason", "line"),
    [
        (mt940(RENT, closing="C240301EUR1000,01"), "BANK_FILE_UNBALANCED", "1"),
        (mt940(":61:2403010301X5,00NTRFNONREF", closing="C240301EUR1000,00"), "BANK_FILE_UNREADABLE", "5"),
        ("Date;Amount\n2024-03-01;1,00\n2024-02-30;1,00\n", "BANK_FILE_UNREADABLE", "3"),
        ("Date;Amount;Currency\n2024-03-01;1,00;EUR\n2099-03-01;1,00;EUR\n", "BANK_FILE_UNREADABLE", "3"),
        ("nonsense", "BANK_FILE_UNREADABLE", None),
    ],
)
async def test_a_wrong_file_is_refused_with_line_and_reason(
    bank_desk: BankDesk, content: str, reason: str, line: str | None
) -> None:
    await bank_desk.account()
    with pytest.raises(ServiceError) as refused:
        await bank_desk.load(content)
    assert refused.value.reason == reason
    assert refused.value.metadata.get("line") == line
    assert refused.value.fields
    assert await bank_desk.amounts() == []


async def test_a_file_of_somebody_elses_account_is_refused(bank_desk: BankDesk) -> None:
    await bank_desk.account("NL26VAYB8060476890")
    content = mt940(RENT, closing="C240301EUR1000,00")
    with pytest.raises(ServiceError) as refused:
        await bank_desk.load(content)
    assert refused.value.reason == "BANK_ACCOUNT_UNKNOWN"
    looked = await bank_desk.load(content, dry_run=True)
    assert looked.statements[0].bank_account_id == ""
    assert "none of yours" in looked.warnings[0]


async def test_a_csv_file_is_read_with_a_saved_mapping(bank_desk: BankDesk) -> None:
    account = await bank_desk.account()
    mapping = pb.CsvMapping(
        name="x", date_format="%d/%m/%Y", decimal_sign=",", date_column="When", amount_column="How much",
        name_column="Who", text_columns=["Why"], skip_lines=1,
    )  # fmt: skip
    request = pb.SaveCsvMappingRequest(name="my bank", mapping=mapping)
    saved = await bank_desk.statements.SaveCsvMapping(request, metadata=bank_desk.staff())
    listed = await bank_desk.statements.ListCsvMappings(
        pb.ListCsvMappingsRequest(), metadata=bank_desk.staff()
    )
    assert list(listed.mappings) == [saved]
    assert saved.name == "my bank"
    content = "Export\nWhen;Who;Why;How much\n03/04/2024;Müller;Rechnung 1;1.234,50\n".encode("cp1252")
    answer = await bank_desk.load(content, csv_mapping="my bank", bank_account_id=account.bank_account_id)
    assert answer.new_lines == 1
    rows = await bank_desk.till.rows("SELECT * FROM bank_lines")
    assert (rows[0].booked_on.isoformat(), rows[0].amount_minor_units) == ("2024-04-03", 123_450)
    assert (rows[0].counterparty_name, rows[0].remittance_text) == ("Müller", "Rechnung 1")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("date_format", "%d %d"),
        ("date_format", "%H:%M"),
        ("date_format", "day"),
        ("delimiter", "\n"),
        ("encoding", "rot13"),
        ("amount_column", ""),
        ("name_column", "a\x00b"),
    ],
)
async def test_a_mapping_that_cannot_be_is_refused(bank_desk: BankDesk, name: str, value: str) -> None:
    right = {
        "name": "x",
        "date_format": "%d.%m.%y",
        "decimal_sign": ",",
        "date_column": "d",
        "amount_column": "a",
    }
    mapping = pb.CsvMapping()
    for field, given in (right | {name: value}).items():
        setattr(mapping, field, given)
    request = pb.SaveCsvMappingRequest(name="my bank", mapping=mapping)
    with pytest.raises(ServiceError) as refused:
        await bank_desk.statements.SaveCsvMapping(request, metadata=bank_desk.staff())
    assert refused.value.reason == "VALIDATION_FAILED"


async def test_a_wrong_iban_and_an_account_twice_are_refused(bank_desk: BankDesk) -> None:
    with pytest.raises(ServiceError) as refused:
        await bank_desk.account("DE02120300000000202052")
    assert refused.value.fields[0].code == "bad_iban"
    await bank_desk.account(" de02 1203 0000 0000 2020 51 ")
    with pytest.raises(ServiceError) as refused:
        await bank_desk.account()
    assert refused.value.reason == "BANK_ACCOUNT_EXISTS"


async def test_statements_come_in_pages_the_newest_first(bank_desk: BankDesk) -> None:
    await bank_desk.account("9999999999")
    await bank_desk.load((SAMPLES / "mt940" / "ASNB-mt940.txt").read_bytes())
    seen: list[str] = []
    token = ""
    while True:
        request = pb.ListBankStatementsRequest(page_size=10, page_token=token)
        page = await bank_desk.statements.ListBankStatements(request, metadata=bank_desk.staff())
        seen += [statement.bank_statement_id for statement in page.statements]
        token = page.next_page_token
        if not token:
            break
    assert len(seen) == len(set(seen)) == 31

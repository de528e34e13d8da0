"""Reconciliation without a script: the queue, a match, a file that is held between preview and import."""

import re
import zlib

import httpx
import pytest

from services.gateway.console.reconciliation.csv_sample import sample_of
from services.gateway.console.reconciliation.held import LARGEST_FILE_BYTES, pack, unpack
from tests.support.back_office.books import AUDITOR
from tests.support.back_office.office import Office, value_of

HERE = "/console/reconciliation"
PAGES = (
    HERE,
    f"{HERE}/lines",
    f"{HERE}/lines?show=matched&statement=bst_1",
    f"{HERE}/lines/bln_0",
    f"{HERE}/lines/bln_1",
    f"{HERE}/lines/bln_0?q=cliff",
    f"{HERE}/lines/bln_0?customer=cus_3",
    f"{HERE}/rules",
    f"{HERE}/payouts",
    f"{HERE}/payouts/po_1",
)
WRITING = (f"{HERE}/import", f"{HERE}/rules/new", f"{HERE}/accounts/new")
FILE = b":20:START\n:25:DE02\n"


@pytest.mark.parametrize("language", ["en-US", "de"])
async def test_every_page_opens(house: Office, language: str) -> None:
    browser = await house.signed_in(**{"accept-language": language})
    for address in (*PAGES, *WRITING, f"{HERE}/rules/new?line=bln_1"):
        answer = await browser.get(address)
        assert answer.status_code == 200, (address, answer.text[:300])


async def test_an_auditor_looks_and_is_offered_nothing(house: Office) -> None:
    browser = await house.signed_in(AUDITOR)
    for address in PAGES:
        answer = await browser.get(address)
        assert answer.status_code == 200, address
        forms = answer.text.count('method="post"')
        assert forms == 1, address  # signing out
    for address in WRITING:
        assert (await browser.get(address)).status_code == 403, address


async def test_the_navigation_and_the_first_page_count_what_waits(house: Office) -> None:
    text = (await (await house.signed_in()).get("/console")).text
    assert "(3 bank lines wait)" in text
    assert "3 bank lines wait to be matched" in text
    assert "the oldest: 9 days" in text
    assert "1 payout line differs from our books" in text


async def test_pages_stand_without_the_count_while_payments_is_away(house: Office) -> None:
    browser = await house.signed_in()
    house.books.away = {"payments"}
    answer = await browser.get("/console/customers")
    assert answer.status_code == 200
    assert "bank lines wait" not in answer.text


async def test_a_proposal_is_booked_as_it_was_shown(house: Office) -> None:
    browser = await house.signed_in()
    page = (await browser.get(f"{HERE}/lines/bln_1")).text
    form = {name: value_of(page, name) for name in ("csrf", "key", "customer_id", "currency", "part_inv_285")}
    assert form["part_inv_285"] == "123.45"
    answer = await browser.post(f"{HERE}/lines/bln_1/match", data=form)
    assert answer.headers["location"] == f"{HERE}/lines/bln_1"
    shown = (await browser.get(f"{HERE}/lines/bln_1")).text
    assert "The line is matched and booked." in shown
    assert f'class="button primary" href="{HERE}/lines/bln_2"' in shown
    assert "(2 bank lines wait)" in shown


async def test_a_part_that_is_no_amount_is_shown_at_its_invoice(house: Office) -> None:
    browser = await house.signed_in()
    page = (await browser.get(f"{HERE}/lines/bln_0?customer=cus_13")).text
    invoice_id = page.split('name="part_', 1)[1].split('"', 1)[0]
    form = {
        "csrf": value_of(page, "csrf"), "key": value_of(page, "key"), "by_hand": "yes",
        "customer_id": "cus_13", "currency": "USD", f"part_{invoice_id}": "a lot",
    }  # fmt: skip
    answer = await browser.post(f"{HERE}/lines/bln_0/match", data=form)
    assert answer.status_code == 422
    assert f'id="part_{invoice_id}-error"' in answer.text
    assert 'value="a lot"' in answer.text
    assert "MatchBankLine" not in house.books.calls
    answer = await browser.post(f"{HERE}/lines/bln_0/match", data=form | {f"part_{invoice_id}": "1000"})
    assert answer.status_code == 422
    assert "more than what is still to pay. Nothing was booked." in answer.text


async def test_a_line_becomes_the_task_of_a_colleague_from_the_list(house: Office) -> None:
    browser, address = await house.signed_in(), f"{HERE}/lines/bln_2"
    page = (await browser.get(address)).text
    names = re.findall(r'<option value="([^"]+)"', page.split('name="assignee"', 1)[1].split("</select>")[0])
    assert names
    form = {"csrf": value_of(page, "csrf"), "assignee": names[0]}
    assert (await browser.post(f"{address}/assign", data=form)).status_code == 303
    assert names[0] in (await browser.get(f"{HERE}/lines")).text
    answer = await browser.post(f"{address}/assign", data=form | {"assignee": "Mickey Mouse"})
    assert answer.status_code == 422
    assert "Please choose a colleague from the list." in answer.text


async def test_ignoring_and_undoing_ask_why(house: Office) -> None:
    browser = await house.signed_in()
    csrf = value_of((await browser.get(f"{HERE}/lines/bln_2")).text, "csrf")
    for action in ("ignore", "undo"):
        form = {"csrf": csrf, "key": f"key-of-{action}", "reason": " "}
        answer = await browser.post(f"{HERE}/lines/bln_2/{action}", data=form)
        assert answer.status_code == 422
        assert "Please say why" in answer.text
        answer = await browser.post(f"{HERE}/lines/bln_2/{action}", data=form | {"reason": "Interest"})
        assert answer.status_code == 303
    assert "The line waits again." in (await browser.get(f"{HERE}/lines/bln_2")).text


async def _preview(browser: httpx.AsyncClient, content: bytes, **more: str) -> httpx.Response:
    csrf = value_of((await browser.get(f"{HERE}/import")).text, "csrf")
    files = {"file": ("november.sta", content, "text/plain")}
    return await browser.post(f"{HERE}/import/preview", data={"csrf": csrf} | more, files=files)


async def test_what_was_looked_at_is_what_is_imported(house: Office) -> None:
    browser = await house.signed_in()
    large = FILE + b"%06d;" * 40_000 % tuple(range(40_000))
    preview = (await _preview(browser, large)).text
    assert "Import 3 lines" in preview
    assert "The file names no end-to-end ids." in preview
    names = ("csrf", "key", "held", "file_name", "bank_account_id", "csv_mapping")
    form = {name: value_of(preview, name) for name in names}
    assert len(form["held"]) > 10_000
    answer = await browser.post(f"{HERE}/import", data=form, files={"none": ("", b"")})
    assert answer.status_code == 303, answer.text
    assert "3 new lines, 1 matched by itself already." in (await browser.get(HERE)).text
    assert "Every line is there already" in (await _preview(browser, large)).text


async def test_a_bank_that_writes_csv_in_its_own_way_is_explained_and_remembered(house: Office) -> None:
    browser = await house.signed_in()
    asked = await _preview(browser, b"Export\nWhen;How much;Whom\n01.11.2026;5,00;Ann\n")
    assert asked.status_code == 422
    assert "Which column is what" in asked.text
    assert '<option value="How much">' in asked.text
    form = {name: value_of(asked.text, name) for name in ("csrf", "held", "file_name", "bank_account_id")}
    form |= {"action": "save", "delimiter": ";", "skip_lines": "1", "date_format": "%d.%m.%Y"}
    form |= {"decimal_sign": ",", "date_column": "When", "amount_column": "How much", "name": ""}
    unnamed = await browser.post(f"{HERE}/import/columns", data=form)
    assert unnamed.status_code == 422
    assert 'id="name-error"' in unnamed.text
    preview = await browser.post(f"{HERE}/import/columns", data=form | {"name": "Our bank"})
    assert preview.status_code == 200, preview.text
    assert value_of(preview.text, "csv_mapping") == "Our bank"
    assert "Our bank" in (await browser.get(f"{HERE}/import")).text


async def test_a_rule_keeps_what_was_typed_while_a_customer_is_searched(house: Office) -> None:
    browser = await house.signed_in()
    page = (await browser.get(f"{HERE}/rules/new")).text
    form = {"csrf": value_of(page, "csrf"), "key": value_of(page, "key"), "name": "Ada", "position": "10"}
    form |= {"text_contains": "Aunt", "effect": "customer", "q": "cliff boat", "action": "search"}
    found = (await browser.post(f"{HERE}/rules/new", data=form)).text
    assert 'value="Aunt"' in found
    assert 'name="chosen_customer" value="cus_3"' in found
    form |= {"action": "add", "chosen_customer": "cus_3"}
    assert (await browser.post(f"{HERE}/rules/new", data=form)).status_code == 303
    assert "Cliff Boatworks" in (await browser.get(f"{HERE}/rules")).text


async def test_a_wrong_iban_is_told_at_its_field(house: Office) -> None:
    browser = await house.signed_in()
    page = (await browser.get(f"{HERE}/accounts/new")).text
    form = {"csrf": value_of(page, "csrf"), "key": value_of(page, "key"), "currency": "USD"}
    form |= {"name": "Main", "account_holder": "Harbor", "iban": "XX00"}
    answer = await browser.post(f"{HERE}/accounts/new", data=form)
    assert answer.status_code == 422
    assert 'id="iban-error"' in answer.text


def test_a_held_file_comes_back_whole_or_not_at_all() -> None:
    packed = pack(FILE)
    assert packed is not None
    assert unpack(packed) == FILE
    assert unpack(packed[:-4]) is None
    assert unpack("no file") is None
    bomb = pack(b"0" * (LARGEST_FILE_BYTES + 1))
    assert bomb is not None
    assert unpack(bomb) is None
    assert pack(zlib.compress(b"")) is not None


@pytest.mark.parametrize(
    ("content", "delimiter", "skip_lines", "header"),
    [
        (b"a,b,c\n1,2,3\n", ",", 0, ["a", "b", "c"]),
        (b"Bank\nAccount;1\n\nDay;Sum;Who\n1;2;3\n", ";", 3, ["Day", "Sum", "Who"]),
        ("Tag\tBetrag\tName\n1\t2\tMüller\n".encode("cp1252"), "\t", 0, ["Tag", "Betrag", "Name"]),
        (b"", ",", 0, []),
    ],
)
def test_columns_of_a_file_are_found(
    content: bytes, delimiter: str, skip_lines: int, header: list[str]
) -> None:
    sample = sample_of(content)
    assert (sample.delimiter, sample.skip_lines, list(sample.header)) == (delimiter, skip_lines, header)


async def test_a_line_is_split_and_what_is_left_over_is_one_more_part(house: Office) -> None:
    browser, address = await house.signed_in(), f"{HERE}/lines/bln_0"
    form = {"csrf": value_of((await browser.get(address)).text, "csrf"), "key": "k1"}
    for wrong in ("much", "99.00", "100.00"):
        answer = await browser.post(f"{address}/split", data=form | {"amounts": wrong})
        assert (answer.status_code, 'id="split_amounts-error"' in answer.text) == (422, True), wrong
    answer = await browser.post(f"{address}/split", data=form | {"amounts": "50.00\n40,00\n"})
    assert answer.headers["location"] == f"{HERE}/lines/bln_0_0"
    assert "$9.00" in (await browser.get(f"{HERE}/lines/bln_0_2")).text
    assert "a line that was split" in (await browser.get(f"{HERE}/lines/bln_0_2")).text
    assert "Its parts become one line again" in (await browser.get(address)).text


async def test_lines_that_pay_together_are_matched_with_one_action(house: Office) -> None:
    browser, address = await house.signed_in(), f"{HERE}/lines/bln_1"
    hidden = {"csrf": value_of((await browser.get(address)).text, "csrf"), "key": "k1"}
    form = hidden | {
        "customer_id": "cus_3", "currency": "USD", "part_inv_285": "123.45", "with": "bln_0 99.00",
    }  # fmt: skip
    assert (await browser.post(f"{address}/match", data=form)).status_code == 303
    for line in ("bln_0", "bln_1"):
        assert "Matched" in (await browser.get(f"{HERE}/lines/{line}")).text
    assert house.books.calls.count("MatchBankLine") == 2


async def test_a_payout_is_matched_by_hand_with_a_line_of_its_sum(house: Office) -> None:
    browser, address = await house.signed_in(), f"{HERE}/payouts/po_1"
    page = (await browser.get(address)).text
    assert "Is it one of these lines?" in page
    form = {"csrf": value_of(page, "csrf"), "key": "k1", "bank_line_id": "bln_2"}
    assert (await browser.post(f"{address}/match", data=form)).status_code == 303
    assert "Is it one of these lines?" not in (await browser.get(address)).text

"""Staff and the bank: import a statement, let the certain match itself, match the rest by hand, take it back."""

import re
import uuid
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, expect

from tests.journeys import bank_file
from tests.journeys.test_pages import look_at
from tests.support.stack import RunningStack
from tests.support.wait import until

pytestmark = [pytest.mark.journey, pytest.mark.xdist_group("stack")]


@pytest.fixture
def api(stack: RunningStack) -> Any:
    with stack.api("Owner") as client:
        bank_file.bank_account(client)
        yield client


@pytest_asyncio.fixture
async def desk(stack: RunningStack, page: Page, sign_in: Callable[..., Any]) -> AsyncIterator[Page]:
    """The accountant, signed in."""
    await sign_in(page, stack.login("Accountant")["email"], path="/console/login")
    yield page


def odd_name() -> str:
    """A name that nobody else's money comes from."""
    return f"{uuid.uuid4().hex[:8].title()} Chandlers"


async def look_at_file(page: Page, stack: RunningStack, file: Path) -> None:
    await page.goto(f"{stack.url}/console/reconciliation/import")
    await page.get_by_label("File of the bank").set_input_files(file)
    await page.get_by_role("button", name="Look at the file").click()


async def import_it(page: Page, stack: RunningStack, file: Path, lines: int) -> None:
    await look_at_file(page, stack, file)
    await expect(page.get_by_role("heading", name="This is what is in it")).to_be_visible()
    await page.get_by_role("button", name=re.compile(f"^Import {lines} line")).click()
    await page.wait_for_url("**/console/reconciliation/lines?**")


async def test_a_statement_is_looked_at_imported_matched_and_taken_back(
    stack: RunningStack, desk: Page, api: httpx.Client, tmp_path: Path
) -> None:
    certain, unclear = odd_name(), odd_name()
    first = bank_file.invoice(api, bank_file.customer(api, certain), 120_00)
    second = bank_file.invoice(api, owner := bank_file.customer(api, unclear), 80_00)
    file = tmp_path / "november.sta"
    stranger = f"Aunt of {uuid.uuid4().hex[:6]}"
    file.write_bytes(
        bank_file.mt940(
            (120_00, certain, f"Invoice {first['number']}"),
            (90_00, stranger, "as agreed on the phone"),
            (-15_00, "Harbour Electricity", "power"),
        )
    )
    known = len(api.get("/v1/bank_statements").json()["statements"])
    await look_at_file(desk, stack, file)
    await expect(desk.locator(".tile", has_text="New lines").locator(".figure-m")).to_have_text("3")
    assert len(api.get("/v1/bank_statements").json()["statements"]) == known
    await desk.get_by_role("button", name="Import 3 lines").click()
    await desk.wait_for_url("**/console/reconciliation/lines?**")
    await expect(desk.get_by_text("3 new lines, 1 matched by itself already.")).to_be_visible()
    await until(lambda: bank_file.status(api, first["invoice_id"]) == "paid")
    badge = desk.get_by_role("link", name=re.compile(r"^Reconciliation \(\d+ bank lines? waits?\)"))
    await expect(badge).to_be_visible()

    await desk.get_by_role("link", name=stranger).click()
    await expect(desk.get_by_role("heading", level=1)).to_contain_text("£90.00")
    search = desk.get_by_role("searchbox")
    await search.fill(unclear)
    await search.press("Enter")
    await desk.get_by_role("link", name=re.compile(unclear)).press("Enter")
    part = desk.get_by_label(f"Of this money for {second['number']}")
    await expect(part).to_have_value("80.00")
    await expect(desk.locator("[data-rest]")).to_have_text(
        "£10.00 is left and becomes the customer’s credit."
    )
    await part.press("Enter")
    await expect(desk.get_by_text("The line is matched and booked.")).to_be_visible()
    await until(lambda: bank_file.status(api, second["invoice_id"]) == "paid")
    summary = api.get(f"/v1/customers/{owner}/summary").json()
    assert summary["balances"][0]["credit"]["minor_units"] == 10_00

    line = desk.url
    await desk.get_by_text("Undo", exact=True).press("Enter")
    await desk.get_by_label("Why?").fill("It was another aunt")
    await desk.get_by_role("button", name="Undo it").click()
    await expect(desk.get_by_text("It is undone. The line waits again.")).to_be_visible()
    await until(lambda: bank_file.status(api, second["invoice_id"]) == "open")
    await expect(desk.get_by_role("heading", level=1)).to_contain_text("Waits")

    await desk.get_by_role("button", name="I take it").click()
    await expect(desk.get_by_label("Whose task it is")).not_to_have_value("")
    await desk.get_by_text("Ignore it", exact=True).first.click()
    await desk.get_by_label("Why is it none").fill("A private loan")
    await desk.get_by_role("button", name="Ignore it").last.click()
    await expect(desk.get_by_role("heading", level=1)).to_contain_text("Ignored")
    assert desk.url == line
    await look_at_file(desk, stack, file)
    await expect(desk.locator(".tile", has_text="There already").locator(".figure-m")).to_have_text("3")


async def test_a_proposal_is_taken_with_one_action_and_the_next_line_is_one_more(
    stack: RunningStack, desk: Page, api: httpx.Client, tmp_path: Path
) -> None:
    name = odd_name()
    owner = bank_file.customer(api, name)
    older, younger = bank_file.invoice(api, owner, 41_17), bank_file.invoice(api, owner, 52_31)
    file = tmp_path / "two.sta"
    file.write_bytes(bank_file.mt940((30_00, name, "first part"), (20_00, name, "second part")))
    await import_it(desk, stack, file, 2)
    await desk.get_by_role("link", name=name).first.click()
    proposal = desk.locator(".proposals > li", has_text=name).first
    await expect(proposal).to_contain_text("The payer has the customer's name.")
    await proposal.get_by_role("button", name=re.compile("^Match")).press("Enter")
    await expect(desk.get_by_role("heading", level=1)).to_contain_text("Matched")
    await desk.get_by_role("link", name="Next line that waits").press("Enter")
    await expect(desk.get_by_role("heading", level=1)).to_contain_text("Waits")
    numbers = (older["invoice_id"], younger["invoice_id"])
    await until(lambda: "partly_paid" in [bank_file.status(api, one) for one in numbers])


async def test_a_bank_that_writes_csv_in_its_own_way_is_explained_once(
    stack: RunningStack, desk: Page, api: httpx.Client, tmp_path: Path
) -> None:
    account = bank_file.bank_account(api)
    bank = f"Bank {uuid.uuid4().hex[:8]}"
    mark = uuid.uuid4().hex[:8]
    file = tmp_path / "odd.csv"
    file.write_text(f"Our export\nWhen;How much;Whom;Why\n03.11.2026;12,50;{mark} Ltd;number {mark}\n")
    await desk.goto(f"{stack.url}/console/reconciliation/import")
    await desk.get_by_label("File of the bank").set_input_files(file)
    await desk.get_by_label("Account", exact=True).select_option(account)
    await desk.get_by_role("button", name="Look at the file").click()
    await expect(desk.get_by_role("heading", name="How the file is written")).to_be_visible()
    await expect(desk.get_by_label("Lines above the header")).to_have_value("1")
    await desk.get_by_label("Day it was booked").select_option("When")
    await desk.get_by_label("Amount with its sign").select_option("How much")
    await desk.get_by_label("How amounts are written").select_option(",")
    await desk.get_by_label("Who sent it").select_option("Whom")
    await desk.get_by_label("Why", exact=True).check()
    await desk.get_by_role("button", name="Save and look").last.click()
    await expect(desk.locator("#name-error")).to_be_visible()
    await desk.get_by_label("Name to keep it under").fill(bank)
    await desk.get_by_role("button", name="Save and look").last.click()
    await desk.get_by_role("button", name="Import 1 line").click()
    await expect(desk.get_by_role("link", name=f"{mark} Ltd")).to_be_visible()
    await expect(desk.get_by_text("£12.50")).to_be_visible()
    await desk.goto(f"{stack.url}/console/reconciliation/import")
    await expect(desk.get_by_label("How a CSV file is written")).to_contain_text(bank)


async def test_a_statement_that_does_not_add_up_is_refused_in_words(
    stack: RunningStack, desk: Page, api: httpx.Client, tmp_path: Path
) -> None:
    file = tmp_path / "wrong.sta"
    file.write_bytes(bank_file.mt940((10_00, "A", "b")).replace(b"110,00", b"111,00"))
    await look_at_file(desk, stack, file)
    alert = desk.get_by_role("alert")
    await expect(alert).to_contain_text("111.00")
    await expect(desk.get_by_role("button", name="Look at the file")).to_be_visible()


async def test_a_rule_is_made_from_a_line_and_deleted(
    stack: RunningStack, desk: Page, api: httpx.Client, tmp_path: Path
) -> None:
    payer, owner = f"Payer {uuid.uuid4().hex[:8]}", odd_name()
    bank_file.customer(api, owner)
    file = tmp_path / "rule.sta"
    file.write_bytes(bank_file.mt940((7_00, payer, "no idea")))
    await import_it(desk, stack, file, 1)
    await desk.get_by_role("link", name=payer).click()
    await desk.get_by_role("link", name="Make a rule from this line").click()
    await expect(desk.get_by_label("This text")).to_have_value(payer)
    await desk.get_by_label("Customer", exact=True).fill(owner)
    await desk.get_by_role("button", name="Search").click()
    await expect(desk.get_by_label(owner)).to_be_checked()
    await desk.get_by_role("button", name="Add the rule").last.click()
    row = desk.get_by_role("row", name=re.compile(payer))
    await expect(row).to_contain_text(owner)
    await row.get_by_role("button", name=re.compile("^Delete")).click()
    await expect(desk.get_by_role("row", name=re.compile(payer))).to_have_count(0)


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_reconciliation_has_no_barriers(
    stack: RunningStack,
    browser: Browser,
    sign_in: Callable[..., Any],
    api: httpx.Client,
    tmp_path: Path,
    scheme: Any,
) -> None:
    name = odd_name()
    owner = bank_file.customer(api, name)
    named = bank_file.invoice(api, owner, 33_00)
    bank_file.invoice(api, owner, 21_00)
    file = tmp_path / "barriers.sta"
    file.write_bytes(bank_file.mt940((33_00, name, named["number"]), (5_00, name, "some")))
    context = await browser.new_context(color_scheme=scheme, locale="en-US")
    page = await context.new_page()
    await sign_in(page, stack.login("Owner")["email"], path="/console/login")
    await import_it(page, stack, file, 2)
    links = page.get_by_role("link", name=name)
    lines = [await links.nth(index).get_attribute("href") for index in range(2)]
    paths = ["", "/import"]
    if scheme == "light":
        paths += ["/lines?show=all", "/rules", "/rules/new", "/payouts", "/accounts/new"]
    for path in paths:
        await look_at(page, f"{stack.url}/console/reconciliation{path}")
    for line in lines:
        await look_at(page, f"{stack.url}{line}?customer={owner}")
    await context.close()

"""Staff at work: issue an invoice that reaches the customer, import a file, record money that came another way."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.async_api import Page, expect

from tests.support.stack import RunningStack
from tests.support.wait import until

pytestmark = [pytest.mark.journey, pytest.mark.xdist_group("stack")]

FILE = """invoice number,customer id,customer name,email,invoice date,due date,amount,settled date
J-1,JC-1,Journey Cranes,pay@journey-cranes.example,2026-03-01,2026-03-31,120.00,2026-03-20
J-2,JC-1,Journey Cranes,pay@journey-cranes.example,2026-04-01,2026-05-01,80.50,
J-3,JC-1,Journey Cranes,pay@journey-cranes.example,2026-04-31,2026-05-01,80.50,
"""


async def test_staff_issue_an_invoice_and_it_reaches_the_customer(
    stack: RunningStack, page: Page, sign_in: Callable[..., Any]
) -> None:
    await sign_in(page, stack.login("Accountant")["email"], path="/console/login")
    await page.goto(f"{stack.url}/console/invoices/new")
    await page.locator("ul.choices a").first.click()
    await page.get_by_label("Item").first.select_option(label="Customs handling")
    await page.get_by_label("Quantity").first.fill("2")
    await page.get_by_label("Their order number").fill("PO-JOURNEY")
    await page.get_by_role("button", name="Review and send").click()
    await expect(page.get_by_role("heading", name="This is what will be sent")).to_be_visible()
    await expect(page.get_by_text("$240.00").first).to_be_visible()
    await page.get_by_role("button", name="Finalize and send").click()
    heading = page.get_by_role("heading", level=1)
    await expect(heading).to_have_text(re.compile(r"^INV-\d{6}"))
    number = (await heading.inner_text()).split()[0]

    mails = httpx.get(
        f"{stack.tool('mailbox')}/api/messages", params={"q": number, "wait_seconds": 10}, timeout=20
    )
    (mail,) = mails.json()["messages"]
    assert "$240.00" in mail["subject"]
    assert "PO-JOURNEY" in await page.locator("main").inner_text()


async def test_a_file_is_looked_at_first_and_imported_once(
    stack: RunningStack, page: Page, sign_in: Callable[..., Any], tmp_path: Path
) -> None:
    file = tmp_path / "journey.csv"
    file.write_text(FILE)
    await sign_in(page, stack.login("Accountant")["email"], path="/console/login")
    await page.goto(f"{stack.url}/console/import")
    await page.get_by_label("File").set_input_files(file)
    await page.get_by_role("button", name="Look at the file").click()
    await expect(page.get_by_role("heading", name="This is what would happen")).to_be_visible()
    errors = page.locator("section", has=page.get_by_role("heading", name="Rows with errors"))
    await expect(errors.locator("tbody tr")).to_have_count(1)
    await expect(errors.locator("tbody tr").first).to_contain_text("4")
    with stack.api("Owner") as api:
        assert api.get("/v1/customers", params={"external_id": "JC-1"}).json()["customers"] == []
        await page.get_by_role("button", name="Import 2 invoices").click()
        await expect(page.get_by_role("heading", name="The import is done")).to_be_visible()
        paid = "/v1/invoices?external_id=J-1"
        await until(lambda: api.get(paid).json()["invoices"][0]["status"] == "paid")
        done = stack.command("import", "invoices", str(file))
        assert "0 created, 2 were there already, 1 with errors" in done.stdout


async def test_staff_record_money_that_came_another_way(
    stack: RunningStack, page: Page, sign_in: Callable[..., Any]
) -> None:
    with stack.api("Owner") as api:
        body: dict[str, Any] = {
            "name": "Cash Customer",
            "external_id": "CASH-1",
            "email": "till@cash.example",
        }
        made = api.post("/v1/customers", json=body, headers={"Idempotency-Key": "cash-customer"}).json()
        line = {"description": "Berth", "unit_price": {"minor_units": 9000, "currency": "USD"}}
        body = {"customer_id": made["customer_id"], "lines": [line]}
        draft = api.post("/v1/invoices", json=body, headers={"Idempotency-Key": "cash-invoice"}).json()
        path = f"/v1/invoices/{draft['invoice_id']}"
        api.post(f"{path}:finalize", json={}, headers={"Idempotency-Key": "cash-final"}).raise_for_status()
        await sign_in(page, stack.login("Accountant")["email"], path="/console/login")
        await page.goto(f"{stack.url}/console/payments/record?customer={made['customer_id']}")
        await page.get_by_label("Amount", exact=True).fill("100.00")
        await page.get_by_role("button", name="Review").last.click()
        await expect(page.get_by_role("heading", name="Is this right?")).to_be_visible()
        await expect(page.locator("main")).to_contain_text("$10.00 is more than what it is put to")
        await page.get_by_role("button", name="Record it").click()
        await page.wait_for_url(re.compile(r"/console/payments/pay_"))
        await until(lambda: api.get(path).json()["status"] == "paid")
        summary = api.get(f"/v1/customers/{made['customer_id']}/summary").json()
        assert summary["balances"][0]["credit"]["minor_units"] == 1000

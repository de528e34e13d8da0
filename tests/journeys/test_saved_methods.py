"""What a payer keeps and plans: saved methods, payments for a later day, automatic payments."""

import re
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from playwright.async_api import Page, expect

from tests.journeys.hosted_pages import save_bank_account, save_card
from tests.journeys.payers import new_payer
from tests.journeys.test_pages import violations
from tests.support.stack import RunningStack
from tests.support.wait import until

pytestmark = [pytest.mark.journey, pytest.mark.xdist_group("stack")]

SignIn = Callable[..., Any]


async def test_a_new_card_clears_what_is_due_pays_later_and_by_itself(
    stack: RunningStack, page: Page, sign_in: SignIn
) -> None:
    payer = new_payer(stack, 45)
    await sign_in(page, payer.email)
    await page.goto(f"{stack.url}/methods")
    await page.get_by_role("button", name="Add a card").click()
    await save_card(page)
    await expect(page.get_by_role("heading", name="Visa 4242 is saved")).to_be_visible()
    assert await violations(page) == []
    await page.get_by_role("button", name=re.compile(r"Pay exactly what is due now: \$45\.00")).click()
    await expect(page.get_by_role("heading", name="Paid. Thank you.")).to_be_visible()
    with stack.api("Owner") as api:
        path = f"/v1/invoices/{payer.invoices[0]['invoice_id']}"
        await until(lambda: api.get(path).json()["status"] == "paid", timeout_seconds=10)

    await pays_on_a_later_day_and_cancels(stack, page, payer.owes(30))
    await sets_autopay_up_and_skips(stack, page)
    await removes_what_autopay_uses(stack, page)


async def pays_on_a_later_day_and_cancels(stack: RunningStack, page: Page, invoice: dict[str, Any]) -> None:
    await page.goto(f"{stack.url}/pay?invoice={invoice['invoice_id']}")
    day = date.fromisoformat(invoice["due_date"]) + timedelta(days=9)
    await page.get_by_label("Pay on a later day").fill(day.isoformat())
    await page.locator("form.pay-form button[name=do][value=pay]").last.click()
    await expect(page.get_by_role("heading", name="Planned for")).to_be_visible()
    await page.get_by_role("button", name="Cancel this payment").click()
    await expect(page.get_by_role("heading", name="Payment canceled")).to_be_visible()


async def sets_autopay_up_and_skips(stack: RunningStack, page: Page) -> None:
    await page.goto(f"{stack.url}/autopay")
    assert await violations(page) == []
    await page.get_by_role("button", name="Turn automatic payments on").click()
    await expect(page.get_by_text("Please agree, or leave")).to_be_visible()
    await page.get_by_label("Most for one payment").fill("500")
    await page.get_by_label("I agree to this").check()
    await page.get_by_role("button", name="Turn automatic payments on").click()
    await expect(page.get_by_text("Automatic payments are on.")).to_be_visible()
    run = page.locator("tbody tr", has_text="$30.00")

    async def planned() -> bool:
        await page.goto(f"{stack.url}/autopay")
        return bool(await run.count())

    await until(planned, timeout_seconds=15)
    await page.goto(stack.url)
    await expect(page.get_by_text(re.compile(r"Next: \$30\.00 on"))).to_be_visible()
    await page.goto(f"{stack.url}/autopay")
    assert await violations(page) == []
    await run.get_by_role("button", name="Skip").click()
    await expect(run.get_by_text("Skipped")).to_be_visible()


async def removes_what_autopay_uses(stack: RunningStack, page: Page) -> None:
    await page.goto(f"{stack.url}/methods")
    await page.get_by_role("button", name="Add a bank account").click()
    await save_bank_account(page)
    await expect(page.get_by_role("heading", name=re.compile("is saved"))).to_be_visible()
    await page.goto(f"{stack.url}/methods")
    assert await violations(page) == []
    card = page.locator(".method-line", has_text="Visa 4242")
    await card.locator("summary").click()
    await card.get_by_role("button", name="Remove Visa 4242").click()
    await expect(page.get_by_text("It cannot be charged any more.")).to_be_visible()
    await expect(page.locator(".method-line", has_text="Automatic payments")).to_have_count(1)

"""Staff write what reminders say in each language, see the letter, and send a customer none for a while."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from playwright.async_api import Page, expect

from tests.journeys.payers import new_payer
from tests.journeys.test_pages import look_at
from tests.support.stack import RunningStack

pytestmark = [pytest.mark.journey, pytest.mark.xdist_group("stack")]


async def test_texts_of_a_level_are_written_shown_and_kept(
    stack: RunningStack, page: Page, sign_in: Callable[..., Any]
) -> None:
    segment = f"journey-{new_payer(stack, 100).customer_id[-8:]}"
    await sign_in(page, stack.login("Owner")["email"], path="/console/login")
    await page.goto(f"{stack.url}/console/settings/dunning")
    begin = page.locator("form", has=page.locator("input[name=preset][value=plain]"))
    await begin.get_by_label("Only customers with this label").fill(segment)
    await begin.get_by_role("button", name="Use this policy").click()
    await page.goto(f"{stack.url}/console/settings/dunning/texts?segment={segment}&level=1")
    await page.get_by_label("Language").last.fill("nb")
    await page.get_by_role("button", name="Save").click()
    await expect(page.get_by_text("Please fill this in.")).to_have_count(2)
    await page.get_by_label("Title").last.fill("Purring")
    await page.get_by_label("Text", exact=True).last.fill("Faktura {number}: {amount} innen {deadline}.")
    await page.get_by_role("button", name="Show the texts filled in").click()
    await expect(page.get_by_role("heading", name="Purring")).to_be_visible()
    await expect(page.get_by_text(re.compile(r"Faktura [A-Z0-9-]+: .*\d"))).to_be_visible()
    async with page.expect_download() as saving:
        await page.get_by_role("button", name="Letter (PDF) nb").click()
    letter = await saving.value
    assert letter.suggested_filename.endswith(".pdf")
    await page.get_by_role("button", name="Save").click()
    await expect(page.get_by_text("Saved. It holds for every letter from now on.")).to_be_visible()
    await expect(page.get_by_role("heading", name="Purring")).to_be_visible()
    await look_at(page, page.url)
    await page.goto(f"{stack.url}/console/settings/dunning")
    policy = page.locator("form", has=page.locator(f"input[name=segment][value='{segment}']"))
    await policy.get_by_role("button", name="Delete").click()


async def test_a_customer_gets_no_reminders_for_a_while(
    stack: RunningStack, page: Page, sign_in: Callable[..., Any]
) -> None:
    payer = new_payer(stack, 100)
    await sign_in(page, stack.login("Accountant")["email"], path="/console/login")
    await page.goto(f"{stack.url}/console/customers/{payer.customer_id}")
    await page.get_by_role("button", name="Pause").click()
    await expect(page.get_by_text("Please say until when, and why.")).to_be_visible()
    await page.get_by_label("No reminders until").fill(
        (datetime.now(UTC) + timedelta(days=10)).date().isoformat()
    )
    await page.get_by_label("Why?").fill("On holiday")
    await page.get_by_role("button", name="Pause").click()
    await expect(page.locator(".notice", has_text="On holiday")).to_be_visible()
    await look_at(page, f"{stack.url}/console/customers/{payer.customer_id}")
    await page.goto(f"{stack.url}/console/invoices/{payer.invoices[0]['invoice_id']}/reminders")
    await expect(page.get_by_text("On holiday")).to_be_visible()
    await page.goto(f"{stack.url}/console/customers/{payer.customer_id}")
    await page.get_by_role("button", name="End the pause").click()
    await expect(page.get_by_text("The pause is over.")).to_be_visible()
    await expect(page.get_by_text("On holiday")).to_have_count(0)

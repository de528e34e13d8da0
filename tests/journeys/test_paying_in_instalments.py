"""Somebody who cannot pay all at once: the wish, the answer of staff, the terms, and what is asked for then."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from playwright.async_api import Browser, Page, expect

from tests.journeys.test_pages import look_at
from tests.journeys.test_transfers_and_rules import company
from tests.support.stack import RunningStack

pytestmark = [pytest.mark.journey, pytest.mark.xdist_group("stack")]


async def test_staff_answer_a_wish_and_the_accepted_plan_asks_for_its_instalment(
    stack: RunningStack, page: Page, browser: Browser, sign_in: Callable[..., Any]
) -> None:
    at = company(stack, "payer", units=90_000)
    plain = await browser.new_context(java_script_enabled=False, locale="en-US")
    payer = await plain.new_page()
    await sign_in(payer, at.login("payer"))
    await payer.get_by_role("link", name="I cannot pay all at once").click()
    await payer.get_by_role("link", name="Choose instalments").click()
    today = await payer.get_by_label("First instalment by").get_attribute("min")
    assert today
    await payer.get_by_label("Number of instalments").select_option("3")
    await payer.get_by_label("First instalment by").fill(today)
    await payer.get_by_role("button", name="Show the instalments").click()
    await expect(payer.get_by_role("cell", name="$300.00")).to_have_count(3)
    await payer.get_by_role("button", name="Even this is too much for me").click()
    await payer.get_by_label("Illness").check()
    await payer.get_by_label("What could you pay each time?").fill("200")
    await payer.get_by_role("button", name="Send").click()
    await expect(payer.get_by_text("We are looking at your request")).to_be_visible()
    plan_path = payer.url.removeprefix(stack.url)

    owner = stack.login("Owner")["email"]
    await sign_in(page, owner, path="/console/login")
    await page.goto(f"{stack.url}/console{plan_path}")
    await expect(page.get_by_text("Could pay $200.00 each time.")).to_be_visible()
    await page.get_by_label("Number of instalments").fill("5")
    await page.get_by_role("button", name="Send the offer").click()
    await expect(page.get_by_text("The offer is sent.")).to_be_visible()
    await look_at(page, f"{stack.url}/console/plans?show=all")
    await look_at(page, f"{stack.url}/console{plan_path}")
    await look_at(page, f"{stack.url}/console/settings/plans")

    await payer.goto(stack.url + plan_path)
    await payer.get_by_role("button", name="Accept the plan").click()
    await expect(payer.get_by_text("Please tick that you have read the terms.")).to_be_visible()
    await payer.get_by_label("I have read the terms").check()
    await payer.get_by_role("button", name="Accept the plan").click()
    await expect(payer.get_by_text("Your plan has begun.")).to_be_visible()
    await payer.get_by_role("link", name="Pay $180.00").click()
    await expect(payer.locator("input[name^=amount_]")).to_have_value("180.00")
    await payer.goto(f"{stack.url}/plans")
    await payer.get_by_label("I will pay by").fill(
        (date.fromisoformat(today) + timedelta(days=3)).isoformat()
    )
    await payer.get_by_role("button", name="Promise to pay").click()
    await expect(payer.get_by_text("We have noted your promise.")).to_be_visible()
    await plain.close()
    context = await browser.new_context(locale="en-US")
    seen = await context.new_page()
    await sign_in(seen, at.login("payer"))
    for path in ("/", "/plans", plan_path, f"/invoices/{at.invoice_id}"):
        await look_at(seen, stack.url + path)
    await context.close()

"""A customer who cannot pay all at once asks for instalments; staff agree, and the first of them is paid."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.async_api import Browser, Page, expect

from tests.journeys.card_page import pay_by_card
from tests.journeys.payers import new_payer
from tests.support.stack import RunningStack
from tests.support.wait import until

pytestmark = [pytest.mark.journey, pytest.mark.xdist_group("stack")]


async def test_a_customer_asks_for_instalments_staff_agree_and_the_first_is_paid(
    stack: RunningStack, page: Page, browser: Browser, sign_in: Callable[..., Any]
) -> None:
    payer = new_payer(stack, 600)
    await sign_in(page, payer.email)
    await page.get_by_role("link", name="I cannot pay all at once").click()
    await page.get_by_role("link", name="Choose instalments").click()
    await page.get_by_label("Number of instalments").select_option("3")
    today = await page.get_by_label("First instalment by").get_attribute("min")
    assert today is not None
    await page.get_by_label("First instalment by").fill(today)
    await page.get_by_role("button", name="Show the instalments").click()
    await expect(page.get_by_role("row", name=re.compile(r"\$200\.00"))).to_have_count(3)
    await page.get_by_role("button", name="Ask for this plan").click()
    await expect(page.get_by_text("We are looking at your request")).to_be_visible()
    plan = page.url

    await staff_send_the_offer(stack, browser, sign_in, plan.rsplit("/", 1)[1])

    await page.goto(plan)
    await page.get_by_label("I have read the terms and agree to them.").check()
    await page.get_by_role("button", name="Accept the plan").click()
    await page.get_by_role("link", name="Pay $200.00").click()
    await page.get_by_role("button", name="Continue to the card page").last.click()
    await pay_by_card(page)
    await expect(page.get_by_role("heading", name="Paid. Thank you.")).to_be_visible()

    with stack.api(payer.email) as api:

        def paid() -> int:
            (one,) = api.get("/v1/instalment_plans").raise_for_status().json()["plans"]
            found: int = one["schedule"]["paid"]["minor_units"]
            return found

        await until(lambda: paid() == 200_00)
    await page.goto(plan)
    await expect(page.get_by_text("$200.00 of $600.00 paid")).to_be_visible()
    await expect(page.get_by_text("Next: $200.00 by")).to_be_visible()


async def staff_send_the_offer(
    stack: RunningStack, browser: Browser, sign_in: Callable[..., Any], plan_id: str
) -> None:
    context = await browser.new_context(locale="en-US")
    staff = await context.new_page()
    await sign_in(staff, stack.login("Accountant")["email"], path="/console/login")
    await staff.goto(f"{stack.url}/console/plans")
    await staff.locator(f"a[href='/console/plans/{plan_id}']").first.click()
    await staff.get_by_role("button", name="Send the offer").click()
    await expect(staff.get_by_text("The offer is sent.")).to_be_visible()
    await context.close()

"""Somebody without an account objects to the invoice of their pay link, and pays the rest."""

import pytest
from playwright.async_api import Page, expect

from tests.journeys.payers import new_payer
from tests.journeys.test_pages import look_at
from tests.support.stack import RunningStack

pytestmark = [pytest.mark.journey, pytest.mark.xdist_group("stack")]


async def test_the_holder_of_a_pay_link_objects_to_a_part_and_is_asked_for_the_rest(
    stack: RunningStack, page: Page
) -> None:
    payer = new_payer(stack, 600)
    with stack.api("Owner") as api:
        invoice_id = payer.invoices[0]["invoice_id"]
        link = api.post(f"/v1/invoices/{invoice_id}/pay_link", json={}).raise_for_status().json()
    await page.goto(f"{stack.url}/l/{link['token']}")
    await page.get_by_role("link", name="Something is wrong").click()
    await page.get_by_role("button", name="Send").click()
    await expect(page.get_by_text("Please tell us what is wrong.")).to_be_visible()
    await page.get_by_label("What is wrong?").select_option(index=1)
    await page.get_by_label("Tell us more").fill("Two of the hours were not worked.")
    await page.get_by_label("Amount you object to").fill("150")
    await page.get_by_role("button", name="Send").click()
    await expect(page.get_by_text("Thank you. We look into it")).to_be_visible()
    await look_at(page, page.url)
    await page.get_by_role("link", name="Pay the rest: $450.00").click()
    await expect(page.locator("input[name^=amount_]")).to_have_value("450.00")
    await page.get_by_role("link", name="See what was said").click()
    await page.get_by_text("It is all right after all").click()
    await page.get_by_role("button", name="Take the objection back").click()
    await expect(page.get_by_text("Your objection is taken back.")).to_be_visible()

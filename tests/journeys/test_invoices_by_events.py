"""Staff say what an event of another system makes, report one, and enter the usage of a subscription."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.async_api import Page, expect

from tests.journeys.payers import new_payer
from tests.journeys.test_pages import look_at
from tests.support.stack import RunningStack

pytestmark = [pytest.mark.journey, pytest.mark.xdist_group("stack")]


async def test_a_trigger_is_made_changed_set_off_and_turned_off(
    stack: RunningStack, page: Page, sign_in: Callable[..., Any]
) -> None:
    payer = new_payer(stack)
    event = f"delivery.{payer.customer_id[-8:]}"
    await sign_in(page, stack.login("Owner")["email"], path="/console/login")
    await page.goto(f"{stack.url}/console/triggers/new")
    await page.get_by_label("Name, for you").fill("Deliveries")
    await page.get_by_label("Name of the event").fill(event)
    await page.get_by_label("Description").fill("Delivery {number}")
    await page.get_by_label("Unit price").fill("{price")
    await page.get_by_role("button", name="Save").last.click()
    await expect(page.get_by_text("Or a field like {amount}.")).to_be_visible()
    await expect(page.get_by_text("Please name the field, or choose a customer.")).to_be_visible()
    await page.get_by_label("Unit price").fill("{price}")
    await page.get_by_label("Quantity").fill("{crates}")
    await page.get_by_label("Field of the event that names the customer").fill("client")
    await page.get_by_role("button", name="Save").last.click()
    row = page.get_by_role("row", name=re.compile(event))
    await row.get_by_role("link", name="Deliveries").click()
    await expect(page.get_by_label("Quantity")).to_have_value("{crates}")
    await page.get_by_label("Tax %").fill("10")
    await page.get_by_role("button", name="Save").last.click()

    await row.get_by_role("link", name=event).click()
    await page.get_by_label("Own number").fill("D-1")
    await page.get_by_label("Fields").fill(f"client = {payer.customer_id}\nnumber = 17\ncrates = 3")
    await page.get_by_role("button", name="Report").click()
    await expect(page.get_by_text("A trigger of this event needs the field price.")).to_be_visible()
    await page.get_by_label("Fields").fill(f"client = {payer.customer_id}\nnumber=17\ncrates=3\nprice=20")
    await page.get_by_role("button", name="Report").click()
    await expect(page.get_by_text("The event was taken, and an invoice made.")).to_be_visible()
    await look_at(page, f"{stack.url}/console/triggers/events?event={event}")
    await page.get_by_role("link", name="Invoice", exact=True).click()
    await expect(page.get_by_role("rowheader", name="Delivery 17")).to_be_visible()
    await expect(page.get_by_text("$66.00").first).to_be_visible()

    await look_at(page, f"{stack.url}/console/triggers")
    await page.get_by_role("button", name="Turn off Deliveries").first.click()
    await expect(page.get_by_text("It is off: its events make nothing.")).to_be_visible()
    await look_at(page, f"{stack.url}/console/triggers/new")


async def test_usage_of_a_subscription_is_entered_once(
    stack: RunningStack, page: Page, sign_in: Callable[..., Any]
) -> None:
    payer = new_payer(stack)
    with stack.api("Owner") as api:
        body = {
            "customer_id": payer.customer_id,
            "name": "Crane hours",
            "rule": {"unit": "month", "every": 1},
            "timing": "arrears",
            "lines": [
                {
                    "description": "Hours",
                    "metered": True,
                    "unit_price": {"minor_units": 5000, "currency": "USD"},
                }
            ],
        }
        made = api.post("/v1/schedules", json=body, headers={"Idempotency-Key": payer.customer_id})
    await sign_in(page, stack.login("Owner")["email"], path="/console/login")
    await page.goto(f"{stack.url}/console/schedules/{made.raise_for_status().json()['schedule_id']}")
    await page.get_by_role("button", name="Enter usage").click()
    await expect(page.get_by_text("Please enter a number above zero")).to_be_visible()
    await page.get_by_label("How much was used").fill("2.5")
    await page.get_by_role("button", name="Enter usage").click()
    await expect(page.get_by_text("Hours: 2.5 not billed yet")).to_be_visible()
    await look_at(page, page.url)

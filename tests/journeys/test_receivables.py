"""What staff set going reaches the customer: a schedule, a credit note, a new address, and one payment for a family."""

import re
import uuid
from collections.abc import Callable
from typing import Any

import httpx
import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, expect

from tests.journeys.card_page import pay_by_card
from tests.journeys.payers import Payer, new_payer
from tests.support.stack import RunningStack
from tests.support.wait import until

pytestmark = [pytest.mark.journey, pytest.mark.xdist_group("stack")]


def post(api: httpx.Client, path: str, body: dict[str, Any]) -> None:
    answer = api.post(path, json=body, headers={"Idempotency-Key": uuid.uuid4().hex})
    assert answer.is_success, answer.text


async def is_paid(payer: Payer) -> None:
    """Returns once the first invoice is."""
    path = f"/v1/invoices/{payer.invoices[0]['invoice_id']}"
    with payer.stack.api(payer.email) as api:
        await until(lambda: api.get(path).raise_for_status().json()["status"] == "paid")


@pytest_asyncio.fixture
async def staff(stack: RunningStack, browser: Browser, sign_in: Callable[..., Any]) -> Any:
    """The accountant at the console."""
    context = await browser.new_context(locale="en-US")
    page = await context.new_page()
    await sign_in(page, stack.login("Accountant")["email"], path="/console/login")
    yield page
    await context.close()


async def test_staff_make_a_schedule_and_the_customer_sees_it(
    stack: RunningStack, page: Page, staff: Page, sign_in: Callable[..., Any]
) -> None:
    payer = new_payer(stack)
    await staff.goto(f"{stack.url}/console/schedules/new?customer={payer.customer_id}")
    await staff.get_by_label("Name, as the customer sees it").fill("Boat house")
    await staff.get_by_label("Description").first.fill("Boat house, month")
    await staff.get_by_label("Unit price").first.fill("75")
    await staff.get_by_label("The customer may cancel").check()
    await staff.locator("form").get_by_role("button", name="Make the schedule").last.click()
    await expect(staff.get_by_text("The schedule is made.")).to_be_visible()

    await sign_in(page, payer.email)
    await page.goto(f"{stack.url}/subscriptions")
    card = page.locator("section", has=page.get_by_role("heading", name="Boat house"))
    await expect(card.get_by_text("$75.00").first).to_be_visible()
    with stack.api(payer.email) as api:
        await until(lambda: len(api.get("/v1/invoices").raise_for_status().json()["invoices"]) == 1)
    await card.get_by_text("Cancel this subscription").click()
    await card.get_by_role("button", name="Yes, cancel it").click()
    await expect(page.get_by_text("It is canceled.")).to_be_visible()


async def test_a_credit_note_on_a_paid_invoice_becomes_the_customers_credit(
    stack: RunningStack, page: Page, staff: Page, sign_in: Callable[..., Any]
) -> None:
    payer = new_payer(stack, 90)
    (invoice,) = payer.invoices
    part = {"invoice_id": invoice["invoice_id"], "amount": invoice["total"]}
    with stack.api(payer.email) as api:
        post(api, "/v1/payments", {"parts": [part], "card_token": {"token": "tok_visa"}})
    await is_paid(payer)
    await staff.goto(f"{stack.url}/console/invoices/{invoice['invoice_id']}")
    await staff.get_by_role("link", name="Credit note …").click()
    await staff.get_by_label("Amount, spread over all of the invoice").fill("30")
    await staff.get_by_label("In words").fill("One crane hour less")
    await staff.get_by_role("button", name="Issue the credit note").click()
    await expect(staff.get_by_text(re.compile(r"CN-\d{6}")).first).to_be_visible()

    await sign_in(page, payer.email)
    tile = page.locator(".tile", has_text="Your credit")
    await expect(tile).to_contain_text("$30.00")
    await page.goto(f"{stack.url}/invoices/{invoice['invoice_id']}")
    await expect(page.get_by_text("$30.00 of it became your credit")).to_be_visible()
    await expect(page.get_by_text("One crane hour less")).to_be_visible()


async def test_a_customer_wants_another_address_and_staff_accept(
    stack: RunningStack, page: Page, staff: Page, sign_in: Callable[..., Any]
) -> None:
    payer = new_payer(stack)
    await sign_in(page, payer.email)
    await page.goto(f"{stack.url}/billing")
    billing = page.get_by_role("group", name="Billing address")
    await billing.get_by_label("Street").first.fill("7 New Quay")
    await billing.get_by_label("City").fill("Dover")
    await billing.get_by_label("Country").fill("US")
    await page.get_by_role("button", name="Send the changes").click()
    await expect(page.get_by_role("heading", name="What you want changed")).to_be_visible()

    await staff.goto(f"{stack.url}/console/customers/proposals")
    card = staff.locator("section", has=staff.locator(f"a[href='/console/customers/{payer.customer_id}']"))
    await expect(card.get_by_text("7 New Quay").first).to_be_visible()
    await card.get_by_role("button", name="Accept").click()
    await page.reload()
    known = page.locator("section", has=page.get_by_role("heading", name="As it stands on your invoices"))
    await expect(known).to_contain_text("7 New Quay")


async def test_a_parent_pays_for_two_children_at_once(
    stack: RunningStack, page: Page, sign_in: Callable[..., Any]
) -> None:
    parent = new_payer(stack)
    children: list[Payer] = [new_payer(stack, 110), new_payer(stack, 220)]
    with stack.api("Owner") as api:
        for child in children:
            path = f"/v1/customers/{child.customer_id}:set_parent"
            post(api, path, {"parent_customer_id": parent.customer_id})
    await sign_in(page, parent.email)
    await expect(page.get_by_text("With what your companies owe.")).to_be_visible()
    await page.goto(f"{stack.url}/statement")
    await expect(page.get_by_label("With the companies below")).to_be_checked()
    await expect(page.get_by_text("$330.00").first).to_be_visible()
    await page.goto(f"{stack.url}/")
    await page.get_by_role("link", name="Pay $330.00").click()
    await page.get_by_role("button", name="Continue to the card page").last.click()
    await pay_by_card(page)
    await expect(page.get_by_role("heading", name="Paid. Thank you.")).to_be_visible()
    assert parent.payment(page)["amount"]["minor_units"] == 330_00
    for child in children:
        await is_paid(child)

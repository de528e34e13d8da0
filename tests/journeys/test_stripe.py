"""An organization whose policy names Stripe: its payers pay on Stripe's page, and everything else is as usual."""

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.async_api import Page, expect

from tests.journeys.card_page import pay_by_card
from tests.journeys.payers import new_payer
from tests.support.stack import RunningStack
from tests.support.wait import until

pytestmark = [pytest.mark.journey, pytest.mark.xdist_group("stack")]

SignIn = Callable[..., Any]


@pytest.fixture
def at_stripe(stack: RunningStack) -> Iterator[None]:
    """The demo's organization takes new payments at Stripe until the test is over."""
    usual = _switch(stack, "stripe")
    yield
    _switch(stack, usual)


def _switch(stack: RunningStack, provider: str) -> str:
    """Name the organization's provider; returns the one before."""
    with stack.api("Owner") as api:
        policy: dict[str, Any] = api.get("/v1/payment_policy").raise_for_status().json()
        answer = api.put("/v1/payment_policy", json={"policy": policy | {"provider": provider}})
        assert answer.is_success, answer.text
    return str(policy.get("provider", ""))


@pytest.mark.usefixtures("at_stripe")
async def test_a_card_pays_on_stripes_page_and_is_kept(
    stack: RunningStack, page: Page, sign_in: SignIn
) -> None:
    payer = new_payer(stack, 73)
    await sign_in(page, payer.email)
    await page.goto(f"{stack.url}/pay?select=due")
    await page.get_by_label("Keep this card").check()
    await page.locator("form.pay-form button[name=do][value=pay]").last.click()
    await pay_by_card(page)
    await page.wait_for_url("**/payments/pay_*")
    await expect(page.get_by_role("heading", name="Paid. Thank you.")).to_be_visible()
    payment = payer.payment(page)
    assert payment["method_summary"] == "Visa 4242"
    assert payment["saved_payment_method_id"]

    payer.owes(21)  # the kept card is charged without any page
    await page.goto(stack.url)
    await page.get_by_role("link", name=re.compile(r"Pay \$21\.00")).click()
    await page.get_by_role("button", name=re.compile(r"Pay \$21\.00")).last.click()
    await page.wait_for_url("**/payments/pay_*")
    await expect(page.get_by_role("heading", name="Paid. Thank you.")).to_be_visible()
    with stack.api("Owner") as api:
        for invoice in payer.invoices:
            path = f"/v1/invoices/{invoice['invoice_id']}"
            await until(lambda path=path: api.get(path).json()["status"] == "paid", timeout_seconds=10)
